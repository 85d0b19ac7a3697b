"""Summarizes one landed partition: rows, and the mean of each measure, for each group.

    ./start-spark.sh --table shop.sales --partition yyyymm=202401 --group-by city --measure amount

It reads   $HIPPO_INPUT_DIR/<table>/<level>=<value>/…   (data/input by default)
and writes $HIPPO_OUTPUT_DIR/<table>_summary/<level>=<value>/… (data/output), that partition and no other.
Either folder may be a URI that Spark can reach: hdfs://…, s3a://….
"""

import argparse
import json
import os
import re
import sys

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

INPUT_FORMAT = "csv"
INPUT_OPTIONS = {"header": True, "inferSchema": True, "mode": "FAILFAST"}


class DataProblem(Exception):
    """The data is not what this job needs; the text says what is wrong."""


def level(text: str) -> tuple[str, str]:
    """Reads `name=value`. Spark would take `*` or `{` in a path as a pattern, and `/` as a folder."""
    match = re.fullmatch(r"(\w+)=([\w.:+ -]+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not level=value of plain characters")
    return match[1], match[2]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="summarize", allow_abbrev=False)
    parser.add_argument("--table", required=True, help="db.table")
    parser.add_argument("--partition", type=level, action="append", default=[], help="level=value, outermost first")
    parser.add_argument("--group-by", action="append", default=[], help="a column; none: all rows are one group")
    parser.add_argument("--measure", action="append", default=[], help="a numeric column; none: all of them")
    return parser.parse_args(argv)


def read_partition(spark: SparkSession, directory: str, table: str, partition: list[tuple[str, str]]) -> DataFrame:
    path = "/".join([directory, table, *(f"{name}={value}" for name, value in partition)])
    try:
        frame = spark.read.format(INPUT_FORMAT).options(**INPUT_OPTIONS).load(path)
    except AnalysisException as error:
        if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
            raise DataProblem(f"nothing to read in {path}") from None
        raise
    if frame.isEmpty():
        raise DataProblem(f"no rows in {path}")
    return frame


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
    # In backquotes a dot belongs to the column's name.
    groups = [F.col(f"`{name}`") for name in group_by]
    means = [F.mean(f"`{name}`").alias(f"mean_{name}") for name in measures]
    summary = frame.groupBy(*groups).agg(F.count("*").alias("rows"), *means)
    return summary.sort(*groups) if groups else summary


def write_partition(summary: DataFrame, path: str, partition: list[tuple[str, str]]) -> None:
    """Puts the summary in place of this partition. Spark stages the files and swaps them in when all are written;
    the other partitions stay as they are. An unpartitioned table is replaced as a whole."""
    for name, value in partition:
        summary = summary.withColumn(name, F.lit(value))
    levels = [name for name, _ in partition]
    summary.coalesce(1).write.partitionBy(*levels).option("partitionOverwriteMode", "dynamic").parquet(path, "overwrite")


def run(spark: SparkSession, args: argparse.Namespace, input_dir: str, output_dir: str) -> dict:
    """Does the whole job, and returns what its finish message will say."""
    frame = read_partition(spark, input_dir, args.table, args.partition).cache()
    measures = measures_of(frame, args.group_by, args.measure)
    summary = summarize(frame, args.group_by, measures).cache()
    output = f"{output_dir}/{args.table}_summary"
    write_partition(summary, output, args.partition)
    return {
        "table": args.table,
        "partition": dict(args.partition),
        "rows": frame.count(),
        "groups": summary.count(),
        "output": "/".join([output, *(f"{name}={value}" for name, value in args.partition)]),
    }


def main() -> None:
    args = arguments()
    spark = SparkSession.builder.getOrCreate()
    try:
        input_dir = os.environ.get("HIPPO_INPUT_DIR", "data/input")
        result = run(spark, args, input_dir, os.environ.get("HIPPO_OUTPUT_DIR", "data/output"))
    except DataProblem as problem:
        sys.exit(f"summarize: {problem}")
    finally:
        spark.stop()
    if result_file := os.environ.get("HIPPO_RESULT_FILE"):
        with open(result_file, "w", encoding="utf-8") as file:
            json.dump(result, file)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
