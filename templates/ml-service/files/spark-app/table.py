"""Reads the table that a model is trained on, and checks its columns before any work is done.

The table is the folder <table> in $HIPPO_INPUT_DIR [default: data/input], with all its partitions. The folder may be a URI
that Spark can reach: hdfs://…, s3a://….
"""

import os
from dataclasses import dataclass

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DoubleType, FloatType, NumericType, StringType, StructType

FORMAT = "csv"
OPTIONS = {"header": True, "enforceSchema": False, "mode": "FAILFAST"}
MAX_INCOMPLETE = 0.05
"""Rows that lack a value are left out. If their share is larger than this, the build fails and names the columns."""
HELD_OUT_PERCENT = 20


class DataProblem(Exception):
    """The data is not what the model needs; the text says what is wrong."""


@dataclass(frozen=True)
class Table:
    name: str
    rows: DataFrame
    """The columns of the schema, in their types, each with a value."""
    incomplete: int
    """Rows that were left out."""


def read_table(spark: SparkSession, name: str, schema: str) -> Table:
    """
    :param name: db.table
    :param schema: the columns that it must have, in the words of Spark SQL: 'sepal_length DOUBLE, species STRING'
    :raises DataProblem: naming each column that is missing, or has a value of another type
    """
    where = f"{os.environ.get('HIPPO_INPUT_DIR', 'data/input').rstrip('/')}/{name}"
    try:
        found = spark.read.format(FORMAT).options(**OPTIONS).load(where)
    except AnalysisException as error:
        if error.getCondition() in ("PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"):
            raise DataProblem(f"nothing to read in {where}") from None
        raise
    expected = StructType.fromDDL(schema)
    _check_columns(found, expected, where)
    typed = found.select(*(_typed(field.name, field.dataType) for field in expected))
    incomplete = _check_values(found, expected, where)
    return Table(name, typed.dropna(), incomplete)


def is_held_out(*columns: str) -> Column:
    """Whether a row is for the evaluation. It goes by the row's own values, so a row that is in the table of the next build
    again is on the same side again: the figures of two versions are about the same rows."""
    return F.pmod(F.xxhash64(*columns), F.lit(100)) < HELD_OUT_PERCENT


def _check_columns(found: DataFrame, expected: StructType, where: str) -> None:
    types = {field.name.lower(): field.dataType for field in found.schema}
    problems = []
    for field in expected:
        kind = types.get(field.name.lower())
        if kind is None:
            problems.append(f"no column {field.name} (expected: {_sql(field.dataType)})")
        elif not _is_readable_as(kind, field.dataType):
            problems.append(f"column {field.name}: expected {_sql(field.dataType)}, found {_sql(kind)}")
    if problems:
        raise DataProblem(f"{'; '.join(problems)}; there are: {', '.join(found.columns)}; in {where}")


def _check_values(found: DataFrame, expected: StructType, where: str) -> int:
    """Counts the rows that lack a value. Raises DataProblem for values of another type, and for too many of such rows."""
    counts = [F.count("*"), F.count_if(F.greatest(*(_is_missing(field.name, field.dataType) for field in expected)))]
    for field in expected:
        is_wrong = ~_is_missing(field.name, field.dataType) & _typed(field.name, field.dataType).isNull()
        wrong = F.when(is_wrong, F.col(field.name))
        counts += [F.count(wrong), F.first(wrong, ignorenulls=True), F.count_if(_is_missing(field.name, field.dataType))]
    rows, incomplete, *told = found.agg(*counts).first()
    if rows == 0:
        raise DataProblem(f"no rows in {where}")
    values = list(zip(expected, told[0::3], told[1::3], told[2::3], strict=True))
    wrong = [
        f"column {field.name}: expected {_sql(field.dataType)}, found {example!r} (in {count} of {rows} rows)"
        for field, count, example, _ in values
        if count > 0
    ]
    if wrong:
        raise DataProblem(f"{'; '.join(wrong)}; in {where}")
    if incomplete > rows * MAX_INCOMPLETE:
        columns = ", ".join(f"{field.name} ({missing})" for field, _, _, missing in values if missing > 0)
        raise DataProblem(f"{incomplete} of {rows} rows lack a value; by column: {columns}; in {where}")
    return incomplete


def _is_readable_as(found: DataType, expected: DataType) -> bool:
    """Text is read as what is expected, a number as another kind of number: then the values are checked, not the type."""
    is_number = isinstance(found, NumericType) and isinstance(expected, NumericType)
    return found == expected or isinstance(found, StringType) or isinstance(expected, StringType) or is_number


def _typed(name: str, kind: DataType) -> Column:
    value = F.expr(f"try_cast(`{name}` AS {kind.simpleString()})")
    # NaN is not a value that can be learned from.
    return (F.when(~F.isnan(value), value) if isinstance(kind, DoubleType | FloatType) else value).alias(name)


def _is_missing(name: str, kind: DataType) -> Column:
    missing = F.col(name).isNull()
    if isinstance(kind, DoubleType | FloatType):
        missing = missing | F.coalesce(F.isnan(F.expr(f"try_cast(`{name}` AS DOUBLE)")), F.lit(False))
    return missing


def _sql(kind: DataType) -> str:
    return kind.simpleString().upper()
