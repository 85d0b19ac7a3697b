"""What an event is: a JSON object with these columns. To add a column, add a line."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

EVENT_TIME = [= event_time | json =]

# Types as in Spark SQL. What else an event has stays in the archive's column kafka_value.
COLUMNS = {
    EVENT_TIME: "timestamp",
[%- for column in group_by %]
    [= column | json =]: "string",
[%- endfor %]
[%- for column in measure %]
    [= column | json =]: "double",
[%- endfor %]
}

AHEAD = "1 hour"
"""An event may be so far ahead of the clock. One of the year 2099 would close all hours until then."""


def column(name: str) -> Column:
    """A column of the event."""
    return F.col("event").getField(name)


def parse(records: DataFrame) -> DataFrame:
    """Records of Kafka as `kafka` (the record), `event` (its columns), `hour`, `problem` and `problem_column`.

    `problem` is null where the record is an event; else it says why it is none, and columns of the event may be null.
    """
    schema = ", ".join(f"`{name}` {kind}" for name, kind in COLUMNS.items())
    text = F.col("kafka.value").cast("string")
    event = F.from_json(text, f"{schema}, `_broken` string", {"columnNameOfCorruptRecord": "_broken"})
    parsed = records.select(F.struct("*").alias("kafka")).withColumn("event", event)
    time = column(EVENT_TIME)
    # Spark itself takes an object with other text after it.
    is_object = F.coalesce(text.rlike(r"^\s*\{[\s\S]*\}\s*$"), F.lit(False))
    is_broken = column("_broken").isNotNull()
    culprit = F.coalesce(*(F.when(_is_refused(text, name), F.lit(name)) for name in COLUMNS))
    problem = (
        F.when(~is_object | (is_broken & culprit.isNull()), "is not a JSON object")
        .when(is_broken, F.concat(F.lit("is not of the type "), _type_of(culprit)))
        .when(time.isNull(), "is missing")
        .when(time < F.lit("1970-01-01").cast("timestamp"), "is before 1970")
        .when(time > F.current_timestamp() + F.expr(f"INTERVAL {AHEAD}"), f"is more than {AHEAD} ahead of the clock")
    )
    problem_column = F.when(is_object & is_broken, culprit).when(is_object, F.lit(EVENT_TIME))
    return (
        parsed.withColumn("problem", problem)
        .withColumn("problem_column", F.when(F.col("problem").isNotNull(), problem_column))
        .withColumn("hour", F.date_format(time, "yyyy-MM-dd'T'HH"))
    )


def _is_refused(text: Column, name: str) -> Column:
    """The text has a value of this column that its type does not take."""
    return F.get_json_object(text, f"$['{name}']").isNotNull() & column(name).isNull()


def _type_of(name: Column) -> Column:
    return F.element_at(F.create_map(*(F.lit(word) for pair in COLUMNS.items() for word in pair)), name)
