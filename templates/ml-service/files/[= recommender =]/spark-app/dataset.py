"""Prepares the training data: who has rated what, and which ratings are held out to evaluate the model."""

from dataclasses import dataclass
from datetime import datetime, timezone

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from table import DataProblem, is_held_out, read_table

USER, ITEM, RATING, TIME = "user", "item", "rating", "time"
SCHEMA = f"`{USER}` STRING, `{ITEM}` STRING, `{RATING}` DOUBLE, `{TIME}` BIGINT"
"""The columns of the table. The time is in seconds since 1970."""


@dataclass(frozen=True)
class Dataset:
    ratings: DataFrame
    """All of them, one for each pair of user and item: the newest."""
    train: DataFrame
    held_out: DataFrame
    rows: int
    held_out_rows: int
    incomplete: int
    """Rows that were left out, because they lack a value."""
    window: dict[str, str] | None
    """The time of the first and the last rating."""


def prepare(spark: SparkSession, table: str) -> Dataset:
    """Reads and checks the table, and splits its ratings.

    :raises DataProblem: if it is not what the model needs
    """
    found = read_table(spark, table, SCHEMA)
    newest = found.rows.groupBy(USER, ITEM).agg(F.max_by(RATING, TIME).alias(RATING), F.max(TIME).alias(TIME))
    ratings = newest.withColumn("is_held_out", is_held_out(USER, ITEM)).cache()
    counts = F.count_if(~F.col("is_held_out")), F.count_if("is_held_out"), F.min(TIME), F.max(TIME)
    rows, held_out_rows, first, last = ratings.agg(*counts).first()
    if rows == 0 or held_out_rows == 0:
        raise DataProblem(f"{table} has too few ratings: {rows} to train on, {held_out_rows} to evaluate on")
    return Dataset(
        ratings=ratings,
        train=ratings.where(~F.col("is_held_out")),
        held_out=ratings.where("is_held_out"),
        rows=rows,
        held_out_rows=held_out_rows,
        incomplete=found.incomplete,
        window={"start": _iso(first), "end": _iso(last)},
    )


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
