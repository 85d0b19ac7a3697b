"""Summarizes one landed partition: rows, and the mean of each measure, for each group.

    ./start-spark.sh --table shop.sales --partition yyyymm=202401 --group-by city --measure amount --schema 'city STRING, …'
[% if input == 'table' %]
It reads the table in the metastore of Spark's hive-site.xml, or without one in an embedded Derby in this folder
(metastore_db and spark-warehouse), and writes the table <table>_summary there: that partition and no other.
[%- else %]
It reads   $HIPPO_INPUT_DIR/<table>/<level>=<value>/…   (data/input by default)
and writes $HIPPO_OUTPUT_DIR/<table>_summary/<level>=<value>/… (data/output), that partition and no other.
Either folder may be a URI that Spark can reach: hdfs://…, s3a://….
[%- endif %]
"""

import argparse
import json
import os
import re
import sys

from py4j.protocol import Py4JJavaError
from pyspark.errors import [% if input == 'files' %]AnalysisException, [% endif %]ParseException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType, [% if input == 'files' %]StringType, StructField, [% endif %]StructType
[%- if input == 'files' %]

INPUT_FORMAT = "csv"
INPUT_OPTIONS = {"header": True, "inferSchema": True, "enforceSchema": False, "mode": "FAILFAST"}
# Files of these formats say nothing of types: their values are read as text, and then as the type of --schema.
TEXT_FORMATS = ("csv",)
[%- endif %]


class DataProblem(Exception):
    """The data is not what this job needs; the text says what is wrong."""


[% render 'level.py' %]

def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="summarize", allow_abbrev=False)
    parser.add_argument("--table", required=True, help="db.table")
    parser.add_argument("--partition", type=level, action="append", default=[], help="level=value, outermost first")
    parser.add_argument("--group-by", action="append", default=[], help="a column; none: all rows are one group")
    parser.add_argument("--measure", action="append", default=[], help="a numeric column; none: all of them")
    parser.add_argument("--schema", help="the columns that the input must have: 'city STRING, amount DOUBLE'")
    return parser.parse_args(argv)


def columns_of(schema: str | None) -> StructType:
    """The columns of `--schema`. Without it nothing is expected."""
    try:
        return StructType.fromDDL(schema) if schema else StructType()
    except ParseException as error:
        reason = str(error).strip().split("\n")[0]
        raise DataProblem(f"--schema {schema!r} is not a list such as 'city STRING, amount DOUBLE': {reason}") from None


def column(name: str) -> Column:
    """In backquotes a dot belongs to the column's name."""
    return F.col(f"`{name}`")


def sql(kind: DataType) -> str:
    return kind.simpleString().upper()

[% if input == 'table' %]
def in_metastore(table: str) -> str:
    return ".".join(f"`{part}`" for part in table.split("."))


def read_partition(spark: SparkSession, table: str, partition: list[tuple[str, str]], expected: StructType) -> DataFrame:
    name = in_metastore(table)
    if not spark.catalog.tableExists(name):
        raise DataProblem(f"no table {table} in the metastore")
    frame = spark.table(name)
    levels = {found.name.lower(): found.name for found in spark.catalog.listColumns(name) if found.isPartition}
    for wanted, value in partition:
        if wanted.lower() not in levels:
            raise DataProblem(f"{table} is not partitioned by {wanted}; it is by: {', '.join(levels.values()) or 'nothing'}")
        # Of the level's own type, so that the metastore finds the partition and the others are not read.
        kind = frame.schema[levels[wanted.lower()]].dataType.simpleString()
        frame = frame.where(column(wanted) == F.expr(f"try_cast('{value}' AS {kind})")).drop(wanted)
    where = path_of(table, partition)
    frame = check_columns(frame, expected, where)
    if frame.isEmpty():
        raise DataProblem(f"no rows in {where}")
    return frame

[% else %]
def read_partition(
    spark: SparkSession, directory: str, table: str, partition: list[tuple[str, str]], expected: StructType
) -> DataFrame:
    path = path_of(f"{directory}/{table}", partition)
    reader = spark.read.format(INPUT_FORMAT).options(**INPUT_OPTIONS)
    try:
        frame = reader.load(path)
    except AnalysisException as error:
        if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
            raise DataProblem(f"nothing to read in {path}") from None
        raise
    if INPUT_FORMAT in TEXT_FORMATS and len(expected) > 0:
        names = {field.name.lower() for field in expected}
        # As text, because the type that Spark infers for 007 is a number, which is 7.
        fields = [
            StructField(field.name, StringType() if field.name.lower() in names else field.dataType)
            for field in frame.schema
        ]
        frame = reader.load(path, schema=StructType(fields))
    frame = check_columns(frame, expected, path)
    if frame.isEmpty():
        raise DataProblem(f"no rows in {path}")
    return frame

[% endif %]
def check_columns(frame: DataFrame, expected: StructType, where: str) -> DataFrame:
    """The frame, its expected columns in their types. Columns that are not expected stay as they are.

    Raises DataProblem that names each column that is missing or of another type."""
    found = {field.name.lower(): field.dataType for field in frame.schema}
    problems = []
[%- if input == 'files' %]
    texts = []
[%- endif %]
    for field in expected:
        kind = found.pop(field.name.lower(), None)
        if kind is None:
            problems.append(f"no column {field.name} (expected: {sql(field.dataType)})")
[%- if input == 'files' %]
        elif INPUT_FORMAT in TEXT_FORMATS:
            texts.append(field)
[%- endif %]
        elif kind != field.dataType:
            problems.append(f"column {field.name}: expected {sql(field.dataType)}, found {sql(kind)}")
[%- if input == 'files' %]
    problems += wrong_values(frame, texts)
[%- endif %]
    others = [f"{name} {sql(kind)}" for name, kind in found.items()]
    if problems:
        more = [f"not in --schema: {', '.join(others)}"] if others else []
        raise DataProblem("; ".join([*problems, *more]) + f"; in {where}")
    if len(expected) > 0 and others:
        print(f"summarize: columns that are not in --schema: {', '.join(others)}; in {where}", file=sys.stderr)
[%- if input == 'files' %]
    return frame.withColumns({field.name: column(field.name).cast(field.dataType) for field in texts})


def wrong_values(frame: DataFrame, fields: list[StructField]) -> list[str]:
    """Says of each column of text which of its values are not of the expected type."""
    if not fields:
        return []
    counts = []
    for field in fields:
        value = F.expr(f"try_cast(`{field.name}` AS {field.dataType.simpleString()})")
        wrong = F.when(column(field.name).isNotNull() & value.isNull(), column(field.name))
        counts += [F.count(wrong), F.first(wrong, ignorenulls=True)]
    row = frame.agg(F.count("*"), *counts).first()
    return [
        f"column {field.name}: expected {sql(field.dataType)}, found {row[2 * index + 2]!r} "
        f"(in {row[2 * index + 1]} of {row[0]} rows)"
        for index, field in enumerate(fields)
        if row[2 * index + 1] > 0
    ]
[%- else %]
    return frame
[%- endif %]


def storage_problem(error: Py4JJavaError, what: str) -> str | None:
    """What Spark says of a file that it cannot read or write, without the stack traces. None: the error is another one."""
    said, kind, cause = [], "", error.java_exception
    while cause is not None:
        said.append(" ".join(str(cause.getMessage()).split()))
        kind, cause = cause.getClass().getName(), cause.getCause()
    if "FAILED_READ_FILE" in said[0]:
        return ": ".join(said)
    return f"{what}: {said[-1]}" if re.match(r"(java\.(io|net|nio)|org\.apache\.hadoop)\.", kind) else None


def measures_of(frame: DataFrame, group_by: list[str], wanted: list[str]) -> list[str]:
    """The measures asked for, or every numeric column that is no group."""
    missing = [name for name in [*group_by, *wanted] if name not in frame.columns]
    if missing:
        raise DataProblem(f"no column {', '.join(missing)}; there are: {', '.join(frame.columns)}")
    numeric = [field.name for field in frame.schema if isinstance(field.dataType, NumericType)]
    text = [name for name in wanted if name not in numeric]
    if text:
        raise DataProblem(f"not numeric: {', '.join(text)}; numeric are: {', '.join(numeric) or 'none'}")
    return wanted or [name for name in numeric if name not in group_by]


def summarize(frame: DataFrame, group_by: list[str], measures: list[str]) -> DataFrame:
    groups = [column(name) for name in group_by]
    means = [F.mean(column(name)).alias(f"mean_{name}") for name in measures]
    summary = frame.groupBy(*groups).agg(F.count("*").alias("rows"), *means)
    return summary.sort(*groups) if groups else summary

[% if input == 'table' %]
def write_partition(spark: SparkSession, summary: DataFrame, table: str, partition: list[tuple[str, str]]) -> None:
    """Puts the summary in place of this partition of the table, which is created if it is missing. Spark stages the files
    and swaps them in when all are written; the other partitions stay as they are. An unpartitioned table is replaced as a
    whole."""
    for level_name, value in partition:
        summary = summary.withColumn(level_name, F.lit(value))
    name = in_metastore(table)
    if not spark.catalog.tableExists(name):
        levels = [level_name for level_name, _ in partition]
        summary.limit(0).write.format("parquet").partitionBy(*levels).saveAsTable(name)
    there = spark.table(name).columns
    if [each.lower() for each in there] != [each.lower() for each in summary.columns]:
        raise DataProblem(
            f"the table {table} has the columns {', '.join(there)}, and this job writes {', '.join(summary.columns)}: "
            f"rename or drop the table, and summarize its partitions again"
        )
    summary.coalesce(1).write.insertInto(name, overwrite=True)


def run(spark: SparkSession, args: argparse.Namespace) -> dict:
    """Does the whole job, and returns what its finish message will say."""
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    # A metastore in Derby finds partitions by levels of text only: of the others Spark takes all, and chooses itself.
    spark.conf.set("spark.sql.hive.metastorePartitionPruningFallbackOnException", True)
    frame = read_partition(spark, args.table, args.partition, columns_of(args.schema)).cache()
    measures = measures_of(frame, args.group_by, args.measure)
    summary = summarize(frame, args.group_by, measures).cache()
    output = f"{args.table}_summary"
    write_partition(spark, summary, output, args.partition)
[%- else %]
def write_partition(summary: DataFrame, path: str, partition: list[tuple[str, str]]) -> None:
    """Puts the summary in place of this partition. Spark stages the files and swaps them in when all are written;
    the other partitions stay as they are. An unpartitioned table is replaced as a whole."""
    for name, value in partition:
        summary = summary.withColumn(name, F.lit(value))
    levels = [name for name, _ in partition]
    summary.coalesce(1).write.partitionBy(*levels).option("partitionOverwriteMode", "dynamic").parquet(path, "overwrite")


def run(spark: SparkSession, args: argparse.Namespace, input_dir: str, output_dir: str) -> dict:
    """Does the whole job, and returns what its finish message will say."""
    frame = read_partition(spark, input_dir, args.table, args.partition, columns_of(args.schema)).cache()
    measures = measures_of(frame, args.group_by, args.measure)
    summary = summarize(frame, args.group_by, measures).cache()
    output = f"{output_dir}/{args.table}_summary"
    write_partition(summary, output, args.partition)
[%- endif %]
    return {
        "table": args.table,
        "partition": dict(args.partition),
        "rows": frame.count(),
        "groups": summary.count(),
        "output": path_of(output, args.partition),
    }


def main() -> None:
    args = arguments()
[%- if input == 'table' %]
    spark = SparkSession.builder.enableHiveSupport().getOrCreate()
[%- else %]
    spark = SparkSession.builder.getOrCreate()
[%- endif %]
[%- if input == 'table' %]
    what = "cannot read or write the tables of the metastore"
[%- else %]
    input_dir = os.environ.get("HIPPO_INPUT_DIR", "data/input")
    output_dir = os.environ.get("HIPPO_OUTPUT_DIR", "data/output")
    what = f"cannot read {input_dir} or write {output_dir}"
[%- endif %]
    try:
[%- if input == 'table' %]
        result = run(spark, args)
[%- else %]
        result = run(spark, args, input_dir, output_dir)
[%- endif %]
    except DataProblem as problem:
        sys.exit(f"summarize: {problem}")
    except Py4JJavaError as error:
        reason = storage_problem(error, what)
        if reason is None:
            raise
        sys.exit(f"summarize: {reason}")
    finally:
        spark.stop()
    if result_file := os.environ.get("HIPPO_RESULT_FILE"):
        with open(result_file, "w", encoding="utf-8") as file:
            json.dump(result, file)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
