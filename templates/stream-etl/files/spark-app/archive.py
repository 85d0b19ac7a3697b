"""Archives a topic as a table that is partitioned by the hour of the events, and announces each hour that has closed.

Each event is in the table exactly once, wherever Spark, the client or a broker is killed: landings.py says how. closing.py
says when an hour closes. A record that is no event goes to the quarantine topic (quarantine.py).
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

import events
import stream
from closing import Partition, is_due, is_relanding_due
from landings import HOUR_COLUMN, Landings, Levels, ParquetTable, Table, partition_of
from metrics import Metrics
from quarantine import letters

NAME = "archive"
FILE_BYTES = 128 * 1024 * 1024
"""A closed hour becomes so few files that each has about this size."""

KAFKA_COLUMNS = {
    "kafka_partition": "int",
    "kafka_offset": "bigint",
    "kafka_timestamp": "timestamp",
    "kafka_key": "string",
    "kafka_value": "string",
}
"""Beside the event's columns the table has these: where the record was, and what it was."""

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
}


def level(text: str) -> tuple[str, str]:
    name, separator, form = text.partition("=")
    if not separator or not name.isidentifier() or form == "":
        raise argparse.ArgumentTypeError(f"{text!r} is not LEVEL=FORMAT, such as dt=%Y-%m-%d")
    return name, form


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = stream.parser(NAME, "Archives a topic by the hour of its events.")
    parser.add_argument("--table", required=True, help="db.table, as it is announced")
    parser.add_argument("--level", type=level, action="append", required=True, help="LEVEL=FORMAT, outermost first")
    parser.add_argument(
        "--lateness", type=stream.duration, required=True, help="how much later than others an event may come"
    )
    parser.add_argument(
        "--grace", type=stream.duration, required=True, help="an hour closes so long after the topic fell quiet"
    )
    parser.add_argument("--late", choices=["reland", "quarantine"], required=True, help="what becomes of later events")
    parser.add_argument("--format", choices=["parquet", "delta"], default="parquet", help="of the table")
    args = parser.parse_args(argv)
    hours = [f"2024-01-01T{hour:02}" for hour in range(24)]
    hours += ["2024-01-02T00", "2024-02-01T00", "2025-01-01T00"]
    if len({str(partition_of(hour, args.level)) for hour in hours}) < len(hours):
        parser.error("the levels must tell year, month, day and hour apart, such as dt=%Y-%m-%d and hour=%H")
    for name, _ in args.level:
        if name in events.COLUMNS or name in KAFKA_COLUMNS:
            parser.error(f"{name} is a column of the table, so no level can have that name")
    spaced = [name for name in events.COLUMNS if " " in name]
    if args.format == "delta" and spaced:
        parser.error(f"Delta takes no space in the name of a column: {', '.join(spaced)} (events.py)")
    return args


def compact(spark: SparkSession, staged: list[Path], target: Path, single: bool) -> None:
    size = sum(file.stat().st_size for folder in staged for file in folder.glob("*.parquet"))
    files = 1 if single else 1 + size // FILE_BYTES
    read_staged(spark, staged).coalesce(files).write.parquet(stream.uri(target))


def read_staged(spark: SparkSession, staged: list[Path]) -> DataFrame:
    schema = ", ".join(f"`{name}` {kind}" for name, kind in (events.COLUMNS | KAFKA_COLUMNS).items())
    return spark.read.schema(schema).parquet(*map(stream.uri, staged))


class DeltaTable:
    """A Delta table, to which each landing is appended in one transaction. Delta knows which landings it has."""

    def __init__(self, spark: SparkSession, folder: Path, name: str, levels: Levels):
        self.spark = spark
        self.folder = folder
        self.name = name
        self.levels = levels

    def prepare(self, staged: list[Path], folder: Path, number: int, is_first: bool) -> list[str]:
        return []

    def place(self, landing: dict, folder: Path, staged: list[Path]) -> None:
        if not all(path.exists() for path in staged):
            return
        frame = read_staged(self.spark, staged)
        for name, value in partition_of(landing["hour"], self.levels).items():
            frame = frame.withColumn(name, F.lit(value))
        writer = frame.coalesce(1).write.format("delta").mode("append").partitionBy(*(name for name, _ in self.levels))
        writer.option("txnAppId", self.name).option("txnVersion", landing["number"]).save(stream.uri(self.folder))


class Archive:
    """The rules of one archive.

    :param reject: takes the records that the archive does not take, with the `problem` of each
    """

    def __init__(self, landings: Landings, args: argparse.Namespace, reject: Callable[[DataFrame], None], page: Metrics):
        self.landings = landings
        self.args = args
        self.reject = reject
        self.page = page
        self.started = time.time()

    def stage(self, batch: DataFrame, number: int, positions: dict[str, int]) -> None:
        """Writes one batch to the staging folder, and counts it. A batch that is counted already changes nothing.

        :param positions: the offsets after the batch, by partition
        """
        with self.landings.lock:
            known = self.landings.positions
            if any(offset > known.get(partition, 0) for partition, offset in positions.items()):
                self._stage(batch, number, positions)

    def _stage(self, batch: DataFrame, number: int, positions: dict[str, int]) -> None:
        records = events.parse(self._unread(batch)).persist()
        try:
            found = self._summary(records)
            late = [hour for hour in {row["hour"] for row in found} if hour and self._is_refused(hour)]
            taken = [row for row in found if row["is_event"] and row["hour"] not in late]
            judged = with_late(records, late)
            if len(taken) < len(found):
                # Before the batch is counted: after a kill they are rejected twice, and `hippo replay` sends one back.
                self.reject(judged.where("problem IS NOT NULL"))
            rows: dict[str, int] = {}
            latest: dict[str, float] = {}
            for row in taken:
                partition = str(row["partition"])
                rows[row["hour"]] = rows.get(row["hour"], 0) + row["rows"]
                latest[partition] = max(latest.get(partition, row["latest"]), row["latest"])
            folder = self.landings.new_batch(number)
            if rows:
                accepted = judged.where("problem IS NULL").select(*table_columns(), F.col("hour").alias(HOUR_COLUMN))
                accepted.write.partitionBy(HOUR_COLUMN).parquet(stream.uri(folder))
            self.landings.batch(folder, rows, positions, latest)
            self._tell_rejected(sum(row["rows"] for row in found if row not in taken))
        finally:
            records.unpersist()

    def _unread(self, batch: DataFrame) -> DataFrame:
        """Without the records that are counted: if the checkpoint is lost, a batch has others than before."""
        is_unread = F.lit(True)
        for partition, offset in self.landings.positions.items():
            is_unread = F.when(F.col("partition") == int(partition), F.col("offset") >= offset).otherwise(is_unread)
        return batch.where(is_unread)

    def _summary(self, records: DataFrame) -> list[Row]:
        is_event = F.col("problem").isNull()
        keys = [
            F.col("kafka.partition").alias("partition"),
            F.when(is_event, F.col("hour")).alias("hour"),
            is_event.alias("is_event"),
        ]
        latest = F.max(F.unix_micros(events.column(events.EVENT_TIME)) / 1e6)
        return records.groupBy(*keys).agg(F.count("*").alias("rows"), latest.alias("latest")).collect()

    def _is_refused(self, hour: str) -> bool:
        return self.args.late == "quarantine" and self.landings.is_closed(hour)

    def _tell_rejected(self, count: int) -> None:
        if count == 0:
            return
        self.page.count("stream_quarantined_records_total", "Records in the quarantine topic", count)
        stream.say(NAME, f"{stream.records(count)} to {self.args.topic}.dlq. List them: hippo replay --dry-run")

    def close_hours(self, ends: dict[str, int] | None) -> None:
        """Lands each hour that is due.

        :param ends: where the topic ends now, by partition; None: Kafka does not say
        """
        now = time.time()
        with self.landings.lock:
            partitions = self._partitions(ends)
            staged = {hour: min(part["at"] for part in parts) for hour, parts in self.landings.staged.items()}
            rows = sum(part["rows"] for parts in self.landings.staged.values() for part in parts)
        self.page.gauge("stream_open_hours", "Hours with records that have not landed yet", len(staged))
        self.page.gauge("stream_staged_records", "Records that have not landed yet", rows)
        for hour, since in sorted(staged.items()):
            if self.landings.is_closed(hour):
                is_time = is_relanding_due(since, now, self.args.grace)
            else:
                is_time = is_due(hour, partitions, now, self.args.lateness, self.args.grace)
            if is_time:
                self._tell(self.landings.land(hour))

    def _tell(self, landing: dict) -> None:
        self.page.count("stream_landings_total", "Landings since the start", 1)
        self.page.count("stream_landed_records_total", "Records that have landed since the start", landing["rows"])
        again = "landed" if landing["first"] else "landed again"
        stream.say(NAME, f"{again}: {self.landings.name} {landing['hour']}, {stream.records(landing['rows'])}")

    def _partitions(self, ends: dict[str, int] | None) -> list[Partition]:
        known = self.landings
        return [
            Partition(
                latest=known.latest.get(name),
                last_rise=known.risen_at.get(name, self.started),
                unread=None if ends is None else max(0, ends.get(name, 0) - known.positions.get(name, 0)),
            )
            for name in sorted({*known.positions, *(ends or {})})
        ]


def with_late(records: DataFrame, late: list[str]) -> DataFrame:
    """Late events have a problem, too."""
    is_late = F.col("hour").isin(late)
    reason = F.when(is_late, F.concat(F.lit("is late: the hour "), "hour", F.lit(" has landed")))
    about = F.when(F.col("problem").isNull() & is_late, F.lit(events.EVENT_TIME)).otherwise(F.col("problem_column"))
    return records.withColumn("problem_column", about).withColumn("problem", F.coalesce("problem", reason))


def table_columns() -> list[Column]:
    record = {
        "kafka_partition": F.col("kafka.partition"),
        "kafka_offset": F.col("kafka.offset"),
        "kafka_timestamp": F.col("kafka.timestamp"),
        "kafka_key": F.col("kafka.key").cast("string"),
        "kafka_value": F.col("kafka.value").cast("string"),
    }
    return [
        *(events.column(name).alias(name) for name in events.COLUMNS),
        *(record[name].alias(name) for name in KAFKA_COLUMNS),
    ]


def table_at(spark: SparkSession, args: argparse.Namespace, folder: Path, is_new: bool) -> Table:
    """The table in a folder; Problem where another program's files are, or those of the other format."""
    is_delta = (folder / "_delta_log").exists()
    has_files = folder.exists() and any(folder.iterdir())
    if has_files and is_delta != (args.format == "delta"):
        found = "a Delta table" if is_delta else "files that are no Delta table"
        raise stream.Problem(f"{folder} has {found}, and --format is {args.format}. Choose another --table or folder")
    if has_files and is_new:
        raise stream.Problem(
            f"{folder} has files, but this archive has no journal of them. Choose another --table or folder"
        )
    if args.format == "delta":
        return DeltaTable(spark, folder, args.table, args.level)
    return ParquetTable(folder, args.level, lambda *how: compact(spark, *how))


def program() -> None:
    args = arguments()
    root = os.environ.get("HIPPO_ARCHIVE_DIR", "data/archive")
    if "://" in root:
        raise stream.Problem(f"HIPPO_ARCHIVE_DIR is {root}, and must be a folder of a file system that all machines see")
    spark = stream.session(DELTA if args.format == "delta" else {})
    work = Path(root).absolute() / "_work" / args.table
    source = stream.open_stream(NAME, spark, args, work)
    source.topic.require(f"{args.topic}.dlq")
    folder = Path(root).absolute() / args.table
    table = table_at(spark, args, folder, is_new=not (work / "journal").exists())
    announced = os.environ.get("HIPPO_EVENTS_FILE")
    landings = Landings(work, args.table, args.level, table, Path(announced) if announced else None)
    epoch = os.environ.get("HIPPO_EPOCH")
    landings.open(int(epoch) if epoch else None, source.topic.id)
    hippo = os.environ.get("HIPPO_NAME", NAME)
    archive = Archive(
        landings,
        args,
        lambda rejected: stream.write(letters(rejected, source.topic.id, hippo)),
        source.metrics,
    )
    query = (
        source.records(landings.positions)
        .writeStream.foreachBatch(lambda batch, number: archive.stage(batch, number, source.read_up_to(number)))
        .option("checkpointLocation", stream.uri(source.checkpoint))
        .trigger(processingTime=f"{args.trigger} seconds")
        .start()
    )
    stream.run(NAME, source, query, lambda: archive.close_hours(source.ends))


if __name__ == "__main__":
    stream.main(NAME, program)
