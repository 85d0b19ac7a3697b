"""Records that the archive does not take, as dead letters: `hippo replay` sends them back to where they came from."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

LARGEST = 900_000
"""Bytes of a letter's key and value. A larger record is cut; `hippo replay` reads the whole one from its topic."""
CUT_TO = 65_536


def letters(rejected: DataFrame, topic_id: str, hippo: str) -> DataFrame:
    """Key, value and headers as they were, and where they were, in headers.

    :param rejected: `kafka` (the record), `problem`, and `problem_column` where it is about one
    """
    key, value, headers = F.col("kafka.key"), F.col("kafka.value"), F.col("kafka.headers")
    size = F.coalesce(F.length(key), F.lit(0)) + F.coalesce(F.length(value), F.lit(0))
    is_large = size > LARGEST
    told = F.filter(
        F.array(
            _header("dlq.reason", F.col("problem")),
            _header("dlq.key", F.col("problem_column")),
            _header("dlq.truncated", F.when(is_large, size)),
            _header("dlq.topic", F.col("kafka.topic")),
            _header("dlq.topic_id", F.lit(topic_id)),
            _header("dlq.partition", F.col("kafka.partition")),
            _header("dlq.offset", F.col("kafka.offset")),
            _header("dlq.timestamp", F.unix_millis("kafka.timestamp")),
            _header("dlq.hippo", F.lit(hippo)),
        ),
        lambda header: header["value"].isNotNull(),
    )
    own = F.filter(headers, lambda header: ~header["key"].startswith("dlq."))
    return rejected.select(
        F.concat("kafka.topic", F.lit(".dlq")).alias("topic"),
        F.when(is_large, F.substring(key, 1, CUT_TO)).otherwise(key).alias("key"),
        F.when(is_large, F.substring(value, 1, CUT_TO)).otherwise(value).alias("value"),
        F.coalesce(F.concat(own, told), told).alias("headers"),
    )


def _header(name: str, value: Column) -> Column:
    return F.struct(F.lit(name).alias("key"), value.cast("string").cast("binary").alias("value"))
