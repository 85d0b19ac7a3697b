"""Writes sample/rows.csv as a Parquet partition into data/input: ./make-sample.sh."""

import os

from pyspark.sql import SparkSession

from load import arguments as load_arguments
from partition import path_of


def main() -> None:
    args = load_arguments()
    folder = os.environ.get("HIPPO_INPUT_DIR", "data/input")
    path = path_of(f"{folder}/{args.table}", args.partition)
    spark = SparkSession.builder.getOrCreate()
    schema = "city STRING, item STRING, amount INT, price DECIMAL(10, 2)"
    frame = spark.read.csv("sample/rows.csv", schema=schema, header=True)
    frame.coalesce(1).write.parquet(path, "overwrite")
    print(f"{frame.count()} rows in {path}")
    spark.stop()


if __name__ == "__main__":
    main()
