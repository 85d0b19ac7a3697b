"""Keeps a running total for each hour and group in another topic.

The key of a message is the hour and the group, so a message replaces the one before of its key: in a compacted topic, and in
any table by key that is fed from it. Spark's Kafka sink writes at least once: after a kill a total may come twice, with the
same value. Totals of an hour are final once no event is --lateness older than the newest; later events are not counted.
"""

import argparse
import os
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

import events
import stream

NAME = "aggregate"
GROUP_BY = [[% for column in group_by %][= column | json =][% unless forloop.last %], [% endunless %][% endfor %]]
MEASURES = [[% for column in measure %][= column | json =][% unless forloop.last %], [% endunless %][% endfor %]]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = stream.parser(NAME, "Keeps a running total for each hour and group.")
    parser.add_argument("--to", required=True, help="the topic of the totals")
    parser.add_argument("--lateness", type=stream.duration, required=True, help="how late an event may come")
    return parser.parse_args(argv)


def totals(records: DataFrame, lateness: int) -> DataFrame:
    """Records of Kafka as totals: `key` and `value`, JSON."""
    found = events.parse(records).where("problem IS NULL").select(events.column(events.EVENT_TIME).alias("_time"), "event")
    hour = F.window("_time", "1 hour")
    groups = [events.column(name).alias(name) for name in GROUP_BY]
    sums = [F.sum(events.column(name)).alias(f"sum_{name}") for name in MEASURES]
    grouped = found.withWatermark("_time", f"{lateness} seconds").groupBy(hour, *groups)
    total = grouped.agg(F.count("*").alias("events"), *sums)
    key = [F.date_format("window.start", "yyyy-MM-dd'T'HH").alias("hour"), *(F.col(f"`{name}`") for name in GROUP_BY)]
    values = [F.col(f"`{name}`") for name in ["events", *(f"sum_{name}" for name in MEASURES)]]
    return total.select(F.to_json(F.struct(*key)).alias("key"), F.to_json(F.struct(*key, *values)).alias("value"))


def program() -> None:
    args = arguments()
    spark = stream.session({})
    folder = Path(os.environ.get("HIPPO_STATE_DIR", "data/state")).absolute() / NAME
    source = stream.open_stream(NAME, spark, args, folder)
    source.topic.require(args.to)
    writer = totals(source.records(), args.lateness).writeStream.format("kafka").outputMode("update")
    for name, value in stream.kafka_properties().items():
        writer = writer.option(f"kafka.{name}", value)
    query = (
        writer.option("topic", args.to)
        .option("checkpointLocation", stream.uri(source.checkpoint))
        .trigger(processingTime=f"{args.trigger} seconds")
        .start()
    )
    stream.run(NAME, source, query)


if __name__ == "__main__":
    stream.main(NAME, program)
