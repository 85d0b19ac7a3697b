"""Copies a partition of Parquet into a table of the database, in the place of the rows that it has of that partition.

    ./start-spark.sh --table shop.sales --partition yyyymmdd=20240101 --database-table public.daily_sales

It reads $HIPPO_INPUT_DIR/<table>/<level>=<value> (data/input by default). The rows go into a staging table first. Then one
transaction puts them in their place, so that a reader of the table sees all of the old rows or all of the new ones.
"""

import argparse
import hashlib
import json
import os

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import database
from attempt import Attempt
from database import Problem, Session, literal, quoted
from partition import level, path_of

ROWS_AT_ONCE = 5_000
# Of each run of each table: which attempt has loaded it last.
LEDGER = "hippo_loads"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="load", allow_abbrev=False)
    parser.add_argument("--table", required=True, help="the Parquet table, db.table")
    parser.add_argument("--partition", type=level, action="append", default=[], help="level=value, outermost first")
    parser.add_argument("--database-table", type=database.table_name, required=True, help="schema.table")
    parser.add_argument("--writes", type=int, default=4, help="how many connections write at the same time [default: 4]")
    return parser.parse_args(argv)


def read_partition(spark: SparkSession, input_dir: str, args: argparse.Namespace) -> DataFrame:
    """The rows, with a column for each level of the partition."""
    path = path_of(f"{input_dir}/{args.table}", args.partition)
    try:
        frame = spark.read.parquet(path)
    except AnalysisException as error:
        if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
            raise Problem(f"nothing to read in {path}") from None
        raise
    for name, value in args.partition:
        frame = frame.withColumn(name, F.lit(value))
    return frame


def prepare(session: Session, frame: DataFrame, target: tuple[str, str], staging: str) -> bool:
    """Makes the staging table in the form of the target. Returns whether there is a target."""
    schema = target[0]
    # CREATE … IF NOT EXISTS needs the right to create schemas also where there is one.
    if session.value("SELECT count(*) FROM pg_namespace WHERE nspname = ?", schema) == "0":
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    session.execute(f"DROP TABLE IF EXISTS {quoted(schema, staging)}")
    known = [column.name for column in session.columns(*target)]
    if known:
        missing = [name for name in frame.columns if name not in known]
        if missing:
            raise Problem(
                f"{'.'.join(target)} has no column {', '.join(missing)}; it has: {', '.join(known)}."
                f" Add it: ALTER TABLE {quoted(*target)} ADD COLUMN {quoted(missing[0])} …"
            )
        selected = ", ".join(quoted(name) for name in frame.columns)
        session.execute(
            f"CREATE UNLOGGED TABLE {quoted(schema, staging)} AS SELECT {selected} FROM {quoted(*target)} WITH NO DATA"
        )
    session.commit()
    return bool(known)


def write_staging(frame: DataFrame, place: database.Database, table: str, args: argparse.Namespace) -> None:
    # Without a target, Spark makes the table, with the types that fit the Parquet.
    options = {**place.options, "dbtable": table, "batchsize": str(ROWS_AT_ONCE)}
    frame.coalesce(args.writes).write.format("jdbc").options(**options).mode("append").save()


def swap(
    session: Session,
    args: argparse.Namespace,
    attempt: Attempt,
    staging: str,
    expected: int,
    columns: list[str],
) -> int:
    """Puts the staged rows in the place of those of the partition, in one transaction. Returns how many it has replaced."""
    schema, name = args.database_table
    target, staged, ledger = quoted(schema, name), quoted(schema, staging), quoted(schema, LEDGER)
    session.execute(
        f"CREATE TABLE IF NOT EXISTS {ledger} (table_name text, run_key text, job_id text NOT NULL,"
        " attempt integer NOT NULL, row_count bigint NOT NULL, loaded_at timestamptz NOT NULL,"
        " PRIMARY KEY (table_name, run_key))"
    )
    # One swap of a table at a time: of two, the later one sees what the other has put down in the ledger.
    session.query("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", f"{schema}.{name}")
    staged_rows = int(session.value(f"SELECT count(*) FROM {staged}") or 0)
    if staged_rows != expected:
        raise Problem(f"{staged_rows} rows were staged, and {expected} were read: the attempt is to be repeated")
    of_run = f"SELECT job_id, attempt FROM {ledger} WHERE table_name = ? AND run_key = ?"
    loaded = session.query(of_run, name, attempt.run_key)
    if loaded and attempt.job_id:
        job_id, number = loaded[0]
        newer = Attempt(attempt.run_key, job_id or "", int(number or 0))
        if newer.order > attempt.order:
            raise Problem(f"{newer.job_id}, attempt {newer.number}, has loaded this partition since: nothing is changed")
    session.execute(f"CREATE TABLE IF NOT EXISTS {target} (LIKE {staged})")
    # The value is of the column's type, as it is where it is inserted: 01 is 1 in an integer.
    where = " AND ".join(f"{quoted(level)} = {literal(value)}" for level, value in args.partition) or "true"
    removed = session.value(f"WITH gone AS (DELETE FROM {target} WHERE {where} RETURNING 1) SELECT count(*) FROM gone")
    names = ", ".join(quoted(column) for column in columns)
    session.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {staged}")
    session.query(
        f"INSERT INTO {ledger} VALUES (?, ?, ?, ?::integer, ?::bigint, now()) ON CONFLICT (table_name, run_key) DO UPDATE"
        " SET job_id = excluded.job_id, attempt = excluded.attempt, row_count = excluded.row_count, loaded_at = now()",
        name, attempt.run_key, attempt.job_id, str(attempt.number), str(staged_rows),
    )
    session.execute(f"DROP TABLE {staged}")
    session.commit()
    return int(removed or 0)


def run(spark: SparkSession, place: database.Database, args: argparse.Namespace, input_dir: str, attempt: Attempt) -> dict:
    """Does the whole job, and returns what its finish message will say."""
    database.use_utc(spark)
    frame = read_partition(spark, input_dir, args)
    expected = frame.count()
    target = args.database_table
    prefix = staging_prefix(target, attempt.run_key)
    # Each attempt has a staging table of its own. What a lost one leaves is removed by the next attempt of its run.
    staging = f"{prefix}{attempt.order[0]}_{attempt.number}"
    with place.connect(spark._jvm) as session:
        remove_staging(session, target[0], prefix)
        try:
            prepare(session, frame, target, staging)
            write_staging(frame, place, quoted(target[0], staging), args)
            replaced = swap(session, args, attempt, staging, expected, frame.columns)
        except Exception:
            session.rollback()
            remove_staging(session, target[0], staging)
            raise
    return {
        "table": args.table,
        "partition": dict(args.partition),
        "database_table": ".".join(target),
        "rows": expected,
        "replaced": replaced,
    }


def staging_prefix(target: tuple[str, str], run_key: str) -> str:
    """How the names of the staging tables of one run begin."""
    return f"hippo_staging_{hashlib.sha256(json.dumps([target, run_key]).encode()).hexdigest()[:12]}_"


def remove_staging(session: Session, schema: str, prefix: str) -> None:
    """Removes the staging tables whose names begin so."""
    of_run = "SELECT tablename FROM pg_tables WHERE schemaname = ? AND starts_with(tablename, ?)"
    for (name,) in session.query(of_run, schema, prefix):
        session.execute(f"DROP TABLE IF EXISTS {quoted(schema, name or '')}")
    session.commit()


def main() -> None:
    args = arguments()
    place = database.Database(os.environ.get("DATABASE_URL"))
    spark = SparkSession.builder.getOrCreate()
    try:
        attempt = Attempt.of(os.environ, path_of(args.table, args.partition))
        result = run(spark, place, args, os.environ.get("HIPPO_INPUT_DIR", "data/input"), attempt)
    finally:
        spark.stop()
    if result_file := os.environ.get("HIPPO_RESULT_FILE"):
        with open(result_file, "w", encoding="utf-8") as file:
            json.dump(result, file)
    print(json.dumps(result))


if __name__ == "__main__":
    database.run("load", main)
