"""Copies a table of the database into a partition of Parquet: the whole table, or the rows that are new since the last run.

    ./start-spark.sh --database-table public.orders --table shop.orders --partition yyyymmdd=20240101 --watermark updated_at

It writes $HIPPO_OUTPUT_DIR/<table>/<level>=<value> (data/output by default), that partition and no other. With --watermark
its result says how far it has read; the next run gets that as $HIPPO_LAST_RESULT.
"""

import argparse
import json
import os
import re

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

import database
from attempt import Attempt
from database import Column, Problem, Session, literal, quoted
from lake import Lake
from partition import level, path_of

# Types that Parquet has, too. All others become text as PostgreSQL writes them: uuid, jsonb, inet, interval, enums …
KEPT = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "date", "timestamp", "timestamptz"}
TIMES = {"date", "timestamp", "timestamptz"}
NUMBERS = {"int2", "int4", "int8", "numeric"}
# What a numeric without a precision becomes.
PRECISION, SCALE = 38, 18
# How far a run reads back where --overlap is left out: for rows that were committed late.
OVERLAPS = {"time": "10m", "number": "1000"}
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# How far a watermark may be ahead of the database's clock: clocks differ, and times without a zone may be local ones.
AHEAD = "1 day"
ROWS_AT_ONCE = 10_000


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="extract", allow_abbrev=False)
    parser.add_argument("--database-table", type=database.table_name, required=True, help="schema.table")
    parser.add_argument("--table", required=True, help="the Parquet table, db.table")
    parser.add_argument("--partition", type=level, action="append", default=[], help="level=value, outermost first")
    parser.add_argument("--watermark", help="copy the rows in which this column has grown; left out: the whole table")
    parser.add_argument("--overlap", help="how far to read back: 10m for a time [default], 1000 for a number [default]")
    parser.add_argument("--split-by", help="the column by which the reads share the table [default: of the primary key]")
    parser.add_argument("--reads", type=int, default=4, help="how many connections read at the same time [default: 4]")
    parser.add_argument("--as-text", action="append", default=[], help="a column that becomes text; may be repeated")
    return parser.parse_args(argv)


def notice(text: str) -> None:
    print(f"extract: {text}", flush=True)


def expression(column: Column, as_text: list[str]) -> str:
    """A column as it is selected."""
    name = quoted(column.name)
    if column.name in as_text or column.dimensions > 1:
        return f"{name}::text AS {name}"
    if column.base == "bytea" and not column.is_array:
        return name
    if column.base == "numeric":
        if fits(column):
            return name
        return f"{name}::numeric({PRECISION},{SCALE}){'[]' if column.is_array else ''} AS {name}"
    if column.base in KEPT:
        return name
    return f"{name}::text{'[]' if column.is_array else ''} AS {name}"


def fits(column: Column) -> bool:
    """Whether Parquet's decimal holds every value of a numeric."""
    if column.precision is None:
        return False
    precision, scale = column.precision
    return precision <= 38 and 0 <= scale <= precision


def check_numerics(session: Session, table: str, columns: list[Column], where: str) -> None:
    """Values that no decimal holds are refused: then nothing is copied."""
    for column in columns:
        name = quoted(column.name)
        precision, scale = column.precision if fits(column) else (PRECISION, SCALE)
        each = f"unnest({name})" if column.is_array else f"(SELECT {name})"
        count = session.value(
            f"SELECT count(*) FROM {table}, LATERAL {each} AS one(hippo_value) WHERE ({where}) AND"
            f" (scale(hippo_value) > {scale} OR abs(hippo_value) >= 1e{precision - scale} OR hippo_value = 'NaN')"
        )
        if count != "0":
            raise Problem(
                f"{count} values of {column.name} ({column.type_name}) do not fit decimal({precision},{scale});"
                f" copy it as text: --as-text {column.name}"
            )


class Span:
    """The rows whose watermark is above `start` and not above `end`; None: without that bound."""

    def __init__(self, column: Column, start: str | None, end: str | None):
        self.column = column
        self.start = start
        self.end = end

    def where(self, overlap: str) -> str:
        name, type_name = quoted(self.column.name), self.column.type_name
        if self.end is None:
            return "false"
        upper = f"{name} <= {literal(self.end)}::{type_name}"
        if self.start is None:
            return upper
        return f"{name} > ({literal(self.start)}::{type_name} - {overlap}) AND {upper}"


def overlap_of(column: Column, text: str | None) -> str:
    """How far to read back, as SQL."""
    if column.base in TIMES:
        match = re.fullmatch(r"(\d+)([smhd])", text or OVERLAPS["time"])
        if match:
            return f"interval '{match[1]} {UNITS[match[2]]}'"
        raise Problem(f"--overlap {text}: {column.name} is a time, so write 90s, 10m, 2h or 1d", database.WRONG_SETTING)
    if re.fullmatch(r"\d+", text or OVERLAPS["number"]):
        return text or OVERLAPS["number"]
    raise Problem(f"--overlap {text}: {column.name} is a number, so write one", database.WRONG_SETTING)


def find_column(columns: list[Column], name: str, option: str, bases: set[str]) -> Column:
    column = next((each for each in columns if each.name == name), None)
    if column is None:
        names = ", ".join(each.name for each in columns)
        raise Problem(f"{option} {name}: there is no such column; there are: {names}", database.WRONG_SETTING)
    if column.base not in bases or column.is_array:
        raise Problem(f"{option} {name}: it is {column.type_name}, and must be a number or a time", database.WRONG_SETTING)
    return column


def choose_span(
    session: Session, args: argparse.Namespace, column: Column, last: dict, noted: dict
) -> tuple[Span, str | None]:
    """
    Which rows this partition has: those after what the last success has read. A partition that was written before keeps its
    rows, so that a run that runs again loses none; only the newest one is extended.

    Also returns how far the table is read. That is not beyond the database's clock: where a row is ahead of it, rows with
    earlier times are still to come.
    """
    table, name, kind = quoted(*args.database_table), quoted(column.name), column.type_name
    if not column.not_null and session.value(f"SELECT EXISTS (SELECT FROM {table} WHERE {name} IS NULL)") == "t":
        raise Problem(f"{column.name} is null in some rows, which would never be copied: give them a value")

    def later(*values: str | None) -> str | None:
        known = ", ".join(f"{literal(value)}::{kind}" for value in values if value is not None)
        return session.value(f"SELECT greatest({known})::text") if known else None

    def is_ahead(value: str) -> bool:
        if column.base in TIMES:
            return session.value(f"SELECT {literal(value)}::{kind} > (now() + interval '{AHEAD}')::{kind}") == "t"
        return value in ("NaN", "Infinity")

    def trusted(value: str | None) -> str | None:
        if value is None or not is_ahead(value):
            return value
        notice(f"an earlier run has read up to {value}, which is ahead of the database's clock, so all rows are read")
        return None

    newest = session.value(f"SELECT max({name})::text FROM {table}")
    if newest is not None and is_ahead(newest):
        row = row_of(session, args.database_table, f"{name} = {literal(newest)}::{kind}")
        why = f"it is more than {AHEAD} ahead of the database's clock" if column.base in TIMES else "it is no number"
        raise Problem(f"{column.name} is {newest} in {row}: {why}, and would hide all new rows. Correct it")
    if last and last.get("watermark_column") != column.name:
        notice(f"the last run went by {last.get('watermark_column')}, so all rows are read")
    read = trusted(last.get("watermark") if last.get("watermark_column") == column.name else None)
    start, end = read, later(newest, read)
    if noted.get("watermark_column") == column.name:
        start, written = trusted(noted["start"]), trusted(noted["end"])
        is_newest = read is None or written is None or later(written, read) == written
        end = later(newest, written) if is_newest else written
    watermark = later(end, read)
    if watermark is not None and column.base in TIMES:
        watermark = session.value(f"SELECT least({literal(watermark)}::{kind}, now()::{kind})::text")
    return Span(column, start, end), watermark


def row_of(session: Session, table: tuple[str, str], where: str) -> str:
    """How a message names one of the rows: by its primary key."""
    key = [name or "" for (name,) in session.query(PRIMARY_KEY, *table)]
    if not key:
        return "a row"
    columns = ", ".join(quoted(name) for name in key)
    [values] = session.query(f"SELECT {columns} FROM {quoted(*table)} WHERE {where} LIMIT 1")
    return "the row " + ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))


def split_column(session: Session, args: argparse.Namespace, columns: list[Column]) -> Column | None:
    """The column by which several connections share the table; None: one connection reads all of it."""
    if args.reads <= 1:
        return None
    if args.split_by is not None:
        return find_column(columns, args.split_by, "--split-by", NUMBERS | TIMES)
    key = session.value(PRIMARY_KEY, *args.database_table)
    column = next((each for each in columns if each.name == key), None)
    if column is not None and column.base in NUMBERS | TIMES:
        return column
    why = "has no primary key" if key is None else f"has a primary key that cannot be split ({key})"
    notice(f"{'.'.join(args.database_table)} {why}, so one connection reads it; --split-by names a column to share it by")
    return None


PRIMARY_KEY = """
SELECT a.attname FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisprimary AND n.nspname = ? AND c.relname = ?
ORDER BY array_position(i.indkey::int2[], a.attnum)
"""


def read_table(
    spark: SparkSession,
    place: database.Database,
    session: Session,
    args: argparse.Namespace,
    columns: list[Column],
    where: str,
) -> tuple[DataFrame, int]:
    """The rows, and by how many connections they are read. All of them see the database as it was at one moment."""
    table = quoted(*args.database_table)
    selected = ", ".join(expression(column, args.as_text) for column in columns)
    options = {
        **place.options,
        "dbtable": f"(SELECT {selected} FROM {table} WHERE {where}) AS source",
        "fetchsize": str(ROWS_AT_ONCE),
        # A timestamp without a zone stays one.
        "preferTimestampNTZ": "true",
        "sessionInitStatement": database.IN_UTC,
    }
    column = split_column(session, args, columns)
    bounds = None if column is None else bounds_of(session, table, column, where)
    if column is None or bounds is None or column.name in args.as_text:
        return spark.read.format("jdbc").options(**options).load(), 1
    snapshot = session.value("SELECT pg_export_snapshot()")
    lower, upper = bounds
    options |= {
        "partitionColumn": quoted(column.name),
        "lowerBound": lower,
        "upperBound": upper,
        "numPartitions": str(args.reads),
        "sessionInitStatement":
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
            f" SET TRANSACTION SNAPSHOT {literal(snapshot or '')}; {database.IN_UTC}",
    }
    return spark.read.format("jdbc").options(**options).load(), args.reads


def bounds_of(session: Session, table: str, column: Column, where: str) -> tuple[str, str] | None:
    """The least and the greatest value; None where there is nothing to share."""
    name = quoted(column.name)
    least, greatest = f"min({name})", f"max({name})"
    if column.base == "numeric":
        least, greatest = f"floor({least})", f"ceil({greatest})"
    if column.base in ("timestamp", "timestamptz"):
        least, greatest = (f"to_char({each}, 'YYYY-MM-DD HH24:MI:SS')" for each in (least, greatest))
    [(lower, upper)] = session.query(f"SELECT {least}, {greatest} FROM {table} WHERE {where}")
    # Spark cannot share a range that begins or ends with infinity, NaN or a year before Christ.
    if lower == upper or not all(re.fullmatch(r"-?\d[\d :-]*", bound or "") for bound in (lower, upper)):
        return None
    is_large = column.base == "numeric" and max(abs(int(lower)), abs(int(upper))) >= 2**63
    return None if is_large else (lower, upper)


def run(
    spark: SparkSession, place: database.Database, args: argparse.Namespace, output_dir: str, attempt: Attempt, last: dict
) -> dict:
    """Does the whole job, and returns what its finish message will say."""
    database.use_utc(spark)
    # Microseconds, as PostgreSQL has them; other programs than Spark read INT96 as times without a zone.
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    path = path_of(args.table, args.partition)
    lake = Lake(spark, output_dir, attempt)
    with place.connect(spark._jvm) as session:
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        columns = session.require_columns(*args.database_table)
        for name in args.as_text:
            if name not in [column.name for column in columns]:
                raise Problem(f"--as-text {name}: there is no such column", database.WRONG_SETTING)
        noted = lake.begin(path)
        where, note, progress = "true", {}, {}
        if args.watermark is not None:
            column = find_column(columns, args.watermark, "--watermark", NUMBERS | TIMES)
            overlap = overlap_of(column, args.overlap)
            span, watermark = choose_span(session, args, column, last, noted)
            where = span.where(overlap)
            note = {"watermark_column": column.name, "start": span.start, "end": span.end}
            progress = {"from": span.start, "to": span.end, "watermark_column": column.name, "watermark": watermark}
        table = quoted(*args.database_table)
        numerics = [each for each in columns if each.base == "numeric" and each.name not in args.as_text]
        check_numerics(session, table, [each for each in numerics if not fits(each)], where)
        # Before the data: an attempt that is lost in between is followed by one that knows the same span.
        lake.note(path, note)
        frame, reads = read_table(spark, place, session, args, columns, where)
        try:
            rows = lake.replace(frame, path)
        except Py4JJavaError as error:
            # A numeric of any precision may be NaN. Only a scan finds the column, so it is made when the copy has failed.
            if "NaN" in str(error):
                check_numerics(session, table, numerics, where)
            raise
    return {
        "table": args.table,
        "partition": dict(args.partition),
        "rows": rows,
        "reads": reads,
        "output": f"{output_dir}/{path}",
        **progress,
    }


def main() -> None:
    args = arguments()
    place = database.Database(os.environ.get("DATABASE_URL"))
    last = json.loads(os.environ.get("HIPPO_LAST_RESULT") or "{}")
    spark = SparkSession.builder.getOrCreate()
    try:
        attempt = Attempt.of(os.environ, path_of(args.table, args.partition))
        result = run(spark, place, args, os.environ.get("HIPPO_OUTPUT_DIR", "data/output"), attempt, last)
    finally:
        spark.stop()
    if result_file := os.environ.get("HIPPO_RESULT_FILE"):
        with open(result_file, "w", encoding="utf-8") as file:
            json.dump(result, file)
    print(json.dumps(result))


if __name__ == "__main__":
    database.run("extract", main)
