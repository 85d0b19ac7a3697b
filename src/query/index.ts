/**
 * Queries over the Parquet that hippos have written, by DuckDB in this process: the section `queries` of hippo.yaml.
 *
 * DuckDB is loaded by {@link openQueries}, so only a process that answers queries should import this.
 */
export { type Queries, type QueriesOptions, openQueries } from './queries.ts';
