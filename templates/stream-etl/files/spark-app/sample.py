"""Sends sample events to a topic: ./send-sample.sh. The same arguments send the same events."""

import argparse
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from pyspark.sql import functions as F

import stream

NAME = "sample"
GROUP_BY = [[% for column in group_by %][= column | json =][% unless forloop.last %], [% endunless %][% endfor %]]
MEASURES = [[% for column in measure %][= column | json =][% unless forloop.last %], [% endunless %][% endfor %]]
EVENT_TIME = [= event_time | json =]
VALUES = ["view", "cart", "purchase"]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=NAME, description=__doc__, allow_abbrev=False)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--events", type=int, default=3000, help="how many [default: 3000]")
    parser.add_argument("--start", type=datetime.fromisoformat, default="2024-03-01T09:00", help="the first hour")
    parser.add_argument("--hours", type=int, default=3, help="over how many hours they spread [default: 3]")
    parser.add_argument("--malformed", type=int, default=1, help="records that are no events [default: 1]")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(argv)


def records(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Keys and values, in the order of time, give or take a minute."""
    random_numbers = random.Random(args.seed)
    step = timedelta(hours=args.hours) / max(1, args.events)
    for number in range(args.events):
        time = args.start + number * step + timedelta(seconds=random_numbers.uniform(0, 60))
        last = args.start + timedelta(hours=args.hours, seconds=-1)
        event = {
            "id": f"{args.seed}-{number}",
            EVENT_TIME: min(time, last).isoformat(timespec="milliseconds") + "Z",
            **{name: random_numbers.choice(VALUES) for name in GROUP_BY},
            **{name: round(random_numbers.uniform(1, 100), 2) for name in MEASURES},
        }
        yield f"user-{random_numbers.randrange(50)}", json.dumps(event)
    for number in range(args.malformed):
        yield f"user-{number}", "not an event"


def program() -> None:
    args = arguments()
    spark = stream.session({})
    stream.Topic(spark, args.topic, NAME)
    # One task: each partition of the topic then has its events in the order of time.
    frame = spark.createDataFrame(list(records(args)), "key string, value string").coalesce(1)
    stream.write(frame.withColumn("topic", F.lit(args.topic)))
    print(f"sent {args.events} events and {args.malformed} malformed records to {args.topic}")


if __name__ == "__main__":
    stream.main(NAME, program)
