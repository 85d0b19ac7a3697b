"""What every streaming query here has in common: Kafka, the checkpoint, the loop beside the query, metrics, clear errors.

A purpose is one program: it makes its query from `Stream.records()`, and hands both to `run`.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from journal import Fenced
from metrics import Metrics
from metrics import serve as serve_pages

TICK_SECONDS = 2
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Problem(Exception):
    """The stream cannot run; the text says why, and what to do."""


def duration(text: str) -> float:
    """Seconds of `500ms`, `30s`, `10m`, `1.5h`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|[smhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 30s, 10m or 1h")
    return float(match[1]) * UNITS[match[2]]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog=name, description=description, allow_abbrev=False)
    result.add_argument("--topic", required=True, help="the source topic")
    result.add_argument("--trigger", type=duration, default=5, help="the pause between two batches [default: 5s]")
    result.add_argument("--batch", type=int, default=500_000, help="most records of a batch [default: 500000]")
    result.add_argument(
        "--gap",
        choices=["fail", "skip"],
        default="fail",
        help="what to do if Kafka has removed records that were not read [default: fail]",
    )
    return result


def session(settings: dict[str, str]) -> SparkSession:
    builder = SparkSession.builder
    for name, value in {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "4", **settings}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def uri(path: Path) -> str:
    """A path as Spark needs it: without a scheme it would mean the cluster's file system."""
    return f"file://{path}"


def brokers() -> str:
    """$HIPPO_KAFKA_BROKERS, which the client sets; by hand $HIPPO_BROKERS, or the local stack of `hippo up`."""
    if given := os.environ.get("HIPPO_KAFKA_BROKERS") or os.environ.get("HIPPO_BROKERS"):
        return given
    for folder in [Path.cwd(), *Path.cwd().parents]:
        stack = folder / ".hippo" / "stack.json"
        if stack.exists():
            return ",".join(json.loads(stack.read_text())["brokers"])
    raise Problem("no Kafka is known. Set HIPPO_BROKERS=host:9092, or run: hippo up")


def kafka_properties() -> dict[str, str]:
    """How to connect: brokers, and what the file $KAFKA_PROPERTIES says, which Java reads as Kafka's tools do."""
    given = {}
    if path := os.environ.get("KAFKA_PROPERTIES"):
        java = SparkSession.active()._jvm.java
        properties = java.util.Properties()
        properties.load(java.io.StringReader(Path(path).read_text(encoding="utf-8")))
        given = {name: properties.getProperty(name) for name in properties.stringPropertyNames()}
    return {"bootstrap.servers": brokers(), **given}


def write(records: DataFrame) -> None:
    """Writes records with their `topic` to Kafka."""
    writer = records.write.format("kafka")
    for name, value in kafka_properties().items():
        writer = writer.option(f"kafka.{name}", value)
    writer.save()


class Topic:
    """The source topic, asked through Kafka's own Java client, which Spark brings."""

    def __init__(self, spark: SparkSession, name: str, group: str):
        self.name = name
        self.group = group
        self._java = spark._jvm
        self._kafka = self._java.org.apache.kafka
        properties = self._java.java.util.Properties()
        own = {"request.timeout.ms": "10000", "default.api.timeout.ms": "15000"}
        for key, value in {**own, **kafka_properties()}.items():
            properties.setProperty(key, value)
        self._admin = self._kafka.clients.admin.AdminClient.create(properties)
        described = self._ask(lambda: self._admin.describeTopics([name]).allTopicNames().get()).get(name)
        self.id: str = described.topicId().toString()

    def require(self, other: str) -> None:
        """Raises Problem if another topic, which this stream writes to, does not exist."""
        self._ask(lambda: self._admin.describeTopics([other]).allTopicNames().get(), other)

    def ends(self) -> dict[str, int]:
        """The offset after the last committed record of each partition."""
        described = self._ask(lambda: self._admin.describeTopics([self.name]).allTopicNames().get()).get(self.name)
        wanted = self._java.java.util.HashMap()
        for partition in described.partitions():
            wanted.put(self._partition(partition.partition()), self._kafka.clients.admin.OffsetSpec.latest())
        committed = self._kafka.clients.admin.ListOffsetsOptions(self._kafka.common.IsolationLevel.READ_COMMITTED)
        found = self._ask(lambda: self._admin.listOffsets(wanted, committed).all().get())
        return {str(partition.partition()): found[partition].offset() for partition in found}

    def commit(self, positions: dict[str, int]) -> None:
        """Tells the consumer group's offsets, for tools that show its lag. Spark itself goes by its checkpoint."""
        offsets = self._java.java.util.HashMap()
        for partition, offset in positions.items():
            offsets.put(self._partition(partition), self._kafka.clients.consumer.OffsetAndMetadata(int(offset)))
        self._ask(lambda: self._admin.alterConsumerGroupOffsets(self.group, offsets).all().get())

    def _partition(self, number: int | str):
        return self._kafka.common.TopicPartition(self.name, int(number))

    def _ask(self, question: Callable, topic: str | None = None):
        try:
            return question()
        except Py4JJavaError as error:
            raise self._problem(error.java_exception, topic or self.name) from None

    def _problem(self, error, topic: str) -> Problem:
        cause = error.getCause() or error
        kind, text = cause.getClass().getSimpleName(), cause.getMessage()
        if kind == "UnknownTopicOrPartitionException":
            return Problem(f"the topic {topic} does not exist on {brokers()}. Create it: hippo up")
        if kind.endswith("TimeoutException") or kind == "DisconnectException":
            return Away(f"Kafka does not answer at {brokers()}: {text}")
        return Problem(f"Kafka at {brokers()} says: {kind}: {text}")


class Away(Problem):
    """Kafka does not answer now; it may again."""


@dataclass
class Stream:
    spark: SparkSession
    args: argparse.Namespace
    topic: Topic
    checkpoint: Path
    metrics: Metrics = field(default_factory=Metrics)
    ends: dict[str, int] | None = None
    """Where the topic ended at the last look; None while Kafka does not say."""

    def records(self, positions: dict[str, int] | None = None) -> DataFrame:
        """The topic as a stream. `positions` is where to begin without a checkpoint [default: the beginning]."""
        reader = self.spark.readStream.format("kafka").options(
            subscribe=self.args.topic,
            startingOffsets=json.dumps({self.args.topic: self._from(positions)}) if positions else "earliest",
            failOnDataLoss=str(self.args.gap == "fail").lower(),
            maxOffsetsPerTrigger=self.args.batch,
            includeHeaders="true",
        )
        own = {"group.id": self.topic.group, "isolation.level": "read_committed"}
        for name, value in {**kafka_properties(), **own}.items():
            reader = reader.option(f"kafka.{name}", value)
        return reader.load()

    def _from(self, positions: dict[str, int]) -> dict[str, int]:
        """Spark wants each partition; -2 is the beginning of one that is new."""
        return {partition: positions.get(partition, -2) for partition in self.topic.ends()}

    def read_up_to(self, batch: int) -> dict[str, int]:
        """The position after a batch of each partition, from Spark's own log of offsets."""
        text = (self.checkpoint / "offsets" / str(batch)).read_text()
        return json.loads(text.splitlines()[-1])[self.args.topic]

    def positions(self) -> dict[str, int]:
        """Up to where batches are complete."""
        commits = self.checkpoint / "commits"
        batches = [int(file.name) for file in commits.glob("*") if file.name.isdigit()] if commits.exists() else []
        return self.read_up_to(max(batches)) if batches else {}


def open_stream(name: str, spark: SparkSession, args: argparse.Namespace, folder: Path) -> Stream:
    """:param folder: of this purpose; its checkpoint lies there, one for each topic of that name that there was"""
    group = f"{os.environ.get('HIPPO_NAME', '[= name =]').replace('/', '.')}.{name}"
    topic = Topic(spark, args.topic, group)
    checkpoints = folder / "checkpoints"
    checkpoint = checkpoints / topic.id
    if checkpoints.exists() and not checkpoint.exists() and any(checkpoints.iterdir()):
        say(name, f"the topic {args.topic} was created again: it is read from its beginning")
    return Stream(spark, args, topic, checkpoint)


def run(name: str, stream: Stream, query: StreamingQuery, tick: Callable[[], None] = lambda: None) -> None:
    """Keeps looking at a query and its topic until the query ends. `tick` runs on this thread, beside the batches."""
    told = Told(stream)
    is_away = False
    serve(stream, lambda: query.isActive and stream.ends is not None)
    while query.isActive:
        try:
            stream.ends = stream.topic.ends()
            told.look(query)
            if is_away:
                say(name, "Kafka answers again")
            is_away = False
        except Away as away:
            stream.ends = None
            if not is_away:
                say(name, f"{away}. Nothing is lost; it goes on when Kafka is back")
            is_away = True
        stream.metrics.gauge("stream_kafka_up", "Whether Kafka answered at the last look", int(not is_away))
        tick()
        query.awaitTermination(TICK_SECONDS)
    if (error := query.exception()) is not None:
        raise error


class Told:
    """What the query's progress says, as metrics and as the group's offsets."""

    def __init__(self, stream: Stream):
        self.stream = stream
        self.batch = -1
        self.committed: dict[str, int] = {}

    def look(self, query: StreamingQuery) -> None:
        page = self.stream.metrics
        for progress in map(json.loads, (each.json for each in query.recentProgress)):
            rows = progress["numInputRows"]
            if rows == 0 or progress["batchId"] <= self.batch:
                continue
            self.batch = progress["batchId"]
            took = progress["durationMs"]["triggerExecution"] / 1000
            page.count("stream_records_total", "Records read since the start", rows)
            page.gauge("stream_records_per_second", "Records of the last batch, by its duration", rows / max(took, 0.001))
            page.gauge("stream_batch_seconds", "Duration of the last batch", took)
            page.gauge("stream_last_batch_timestamp_seconds", "When it began", seconds(progress["timestamp"]))
            dropped = sum(each["numRowsDroppedByWatermark"] for each in progress["stateOperators"])
            if dropped > 0:
                page.count("stream_dropped_groups_total", "Groups of late records of a batch, which no total has", dropped)
        positions = self.stream.positions()
        for partition, end in (self.stream.ends or {}).items():
            lag = max(0, end - positions.get(partition, 0))
            page.gauge("stream_lag_records", "Records that are not read yet", lag, partition=partition)
        if positions and positions != self.committed:
            self.stream.topic.commit(positions)
            self.committed = positions


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp()


def serve(stream: Stream, is_ready: Callable[[], bool]) -> None:
    if port := os.environ.get("HIPPO_PORT"):
        serve_pages(int(port), stream.metrics, is_ready)


def records(count: int) -> str:
    return f"{count} record" if count == 1 else f"{count} records"


def say(name: str, text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {name}: {text}", flush=True)


def main(name: str, program: Callable[[], None]) -> None:
    """Runs a program; what it cannot mend is one line, and exit code 1. hippo starts it again."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    try:
        program()
    except (Problem, Fenced) as problem:
        leave(f"{name}: {problem}")
    except (PySparkException, Py4JError, OSError) as error:
        leave(f"{name}: {explained(str(error))}")


def leave(text: str) -> None:
    if (session := SparkSession.getActiveSession()) is not None:
        # What its threads say of their end would follow the reason, which is told as the last line.
        with contextlib.suppress(Py4JError, OSError):
            session.sparkContext.setLogLevel("OFF")
    print(text, file=sys.stderr, flush=True)
    # Spark's threads may still wait for Kafka, or for a lock; what is written is safe at any moment.
    os._exit(1)


KNOWN = [
    (r"journal\.Fenced: ([^\n]*)", "{}. This process is fenced"),
    (r"No space left on device", "no space is left on the disk"),
    (r"File too large", "a file is larger than this process may write (ulimit -f)"),
    (r"Disk quota exceeded", "the disk quota is used up"),
    (
        r"KafkaIllegalStateException|Cannot fetch offset|some data may have been lost|OffsetOutOfRange",
        "records were removed from the topic before they were read. To go on without them: --gap skip",
    ),
    (r"(\S+TimeoutException: [^\n]*)", "Kafka does not answer: {}"),
]


def explained(text: str) -> str:
    """One line for an error of Spark."""
    for pattern, words in KNOWN:
        if match := re.search(pattern, text):
            known = words.format(*match.groups())
            return f"{known}. Nothing is lost: it goes on where it was"
    # Of an error in a batch's own code: the last line of Python's traceback.
    if match := re.search(r"Traceback \(most recent call last\):\n(?:[ \t][^\n]*\n)+([^\n]+)", text):
        return match[1]
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0] if lines else "unknown error"
