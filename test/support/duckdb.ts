import { DuckDBInstance, type Json } from '@duckdb/node-api';

/** Runs statements of DuckDB: another program than Spark that reads and writes Parquet. @returns the rows of the last one */
export async function duckdb(...statements: string[]): Promise<Record<string, Json>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    try {
      let rows: Record<string, Json>[] = [];
      for (const sql of statements) rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
      return rows;
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}
