"""Prepares the training data: which columns the model reads, what it predicts, and which rows are held out to evaluate it.
[%- if example == 'blank' %]

To fill in: FEATURES and LABEL for the columns of your table, and `derive` for columns that you compute.
[%- endif %]
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from table import DataProblem, is_held_out, read_table

[%- if example == 'iris' %]

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
"""Numeric columns, in the order in which a request to the API gives them."""
LABEL = "species"
"""The column with the class, as text."""
[%- else %]

FEATURES = ["temperature", "vibration"]
"""Numeric columns, in the order in which a request to the API gives them. To fill in: those of your table."""
LABEL = "state"
"""The column with the class, as text. To fill in: the one of your table."""
[%- endif %]
SCHEMA = ", ".join([*(f"`{name}` DOUBLE" for name in FEATURES), f"`{LABEL}` STRING"])
MAX_CLASSES = 100
BINS = 10


@dataclass(frozen=True)
class Dataset:
    train: DataFrame
    held_out: DataFrame
    classes: list[str]
    """In the order of the model's probabilities."""
    rows: int
    held_out_rows: int
    incomplete: int
    """Rows that were left out, because they lack a value."""
    window: dict[str, str] | None = None
    """The time of the first and the last row, if the table has one."""


def prepare(spark: SparkSession, table: str) -> Dataset:
    """Reads and checks the table, and splits its rows. Each class needs rows on both sides.

    :raises DataProblem: if it is not what the model needs
    """
    found = read_table(spark, table, SCHEMA)
    rows = derive(found.rows).withColumn("is_held_out", is_held_out(*FEATURES, LABEL)).cache()
    counted = rows.groupBy(LABEL, "is_held_out").count().collect()
    counts = {(row[LABEL], row["is_held_out"]): row["count"] for row in counted}
    classes = sorted({label for label, _ in counts})
    if len(classes) < 2 or len(classes) > MAX_CLASSES:
        raise DataProblem(f"{table} has {len(classes)} classes in {LABEL}; a classifier needs 2 to {MAX_CLASSES}")
    for label in classes:
        for side, name in [(False, "to train on"), (True, "to evaluate on")]:
            if (label, side) not in counts:
                raise DataProblem(f"{table} has too few rows of the class {label!r}: none is left {name}")
    held_out_rows = sum(count for (_, side), count in counts.items() if side)
    return Dataset(
        train=rows.where(~F.col("is_held_out")),
        held_out=rows.where("is_held_out"),
        classes=classes,
        rows=sum(counts.values()) - held_out_rows,
        held_out_rows=held_out_rows,
        incomplete=found.incomplete,
    )


def derive(rows: DataFrame) -> DataFrame:
[%- if example == 'blank' %]
    """Columns that are computed from others. The API does not compute them: a request gives them as features.

    To fill in, for example: rows.withColumn("log_vibration", F.log("vibration")), with its name in FEATURES, and with SCHEMA
    then naming the columns that are read.
    """
    return rows
[%- else %]
    """Columns that are computed from others go here. The API does not compute them: a request gives them as features."""
    return rows
[%- endif %]


def statistics(dataset: Dataset) -> dict[str, dict]:
    """How each feature is distributed in the training data; the API compares what it is asked with that (drift).

    `edges` are those of at most BINS bins, from the smallest to the largest value, with about as many rows in each. Where
    one value is so frequent that it fills bins, there are fewer. `shares` are the shares of rows in the bins: a bin has its
    lower edge and not its upper one; only the last has both.
    """
    train = dataset.train
    moments = train.agg(*(f(name) for name in FEATURES for f in (F.mean, F.stddev_pop))).first()
    edges = [
        sorted(set(quantiles))
        for quantiles in train.approxQuantile(FEATURES, [part / BINS for part in range(BINS + 1)], 0.001)
    ]
    edges = [each if len(each) > 1 else each * 2 for each in edges]
    counts = iter(
        train.agg(
            *(
                F.count_if((F.col(name) >= low) & ((F.col(name) < high) if index < len(each) - 2 else (F.col(name) >= low)))
                for name, each in zip(FEATURES, edges, strict=True)
                for index, (low, high) in enumerate(zip(each, each[1:], strict=False))
            )
        ).first()
    )
    return {
        name: {
            "mean": moments[2 * index],
            "stddev": moments[2 * index + 1],
            "edges": each,
            "shares": [next(counts) / dataset.rows for _ in each[1:]],
        }
        for index, (name, each) in enumerate(zip(FEATURES, edges, strict=True))
    }
