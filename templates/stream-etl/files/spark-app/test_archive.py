"""Tests of the archive on a real Spark, with records as Kafka's source gives them, and without a Kafka."""

import argparse
import contextlib
import io
import json
import shutil
import tempfile
import time
import unittest
import unittest.mock
from datetime import datetime, timezone
from pathlib import Path

import archive
import events
import stream
from landings import Landings, ParquetTable
from metrics import Metrics
from quarantine import letters

RECORD = (
    "key binary, value binary, topic string, partition int, offset bigint, timestamp timestamp, "
    "headers array<struct<key: string, value: binary>>"
)
NINE, TEN = "2024-03-01T09", "2024-03-01T10"
ARGUMENTS = ["--topic", "t", "--table", "shop.events", "--level", "dt=%Y-%m-%d", "--level", "hour=%H"]
AT = datetime(2024, 3, 1, 12, tzinfo=timezone.utc)


def event(time_text: str, **more) -> str:
    return json.dumps({events.EVENT_TIME: time_text, **more})


class ArchiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = stream.session({"spark.sql.shuffle.partitions": "1"})

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.rejected: list = []

    def archive(self, late: str = "reland", epoch: int = 1) -> archive.Archive:
        args = archive.arguments([*ARGUMENTS, "--lateness", "10m", "--grace", "60s", "--late", late])
        table = ParquetTable(self.folder / "table", args.level, lambda *how: archive.compact(self.spark, *how))
        landings = Landings(self.folder / "work", args.table, args.level, table, self.folder / "events")
        landings.open(epoch, "id")
        return archive.Archive(
            landings, args, lambda frame: self.rejected.extend(letters(frame, "id", "shop").collect()), Metrics()
        )

    def batch(self, *values: str | None, first: int = 0, partition: int = 0):
        rows = [
            (b"k", None if value is None else value.encode(), "t", partition, first + index, AT, None)
            for index, value in enumerate(values)
        ]
        return self.spark.createDataFrame(rows, RECORD)

    def rows(self) -> list[tuple]:
        frame = self.spark.read.parquet(str(self.folder / "table"))
        return sorted((row["kafka_offset"], row["dt"].isoformat(), row["hour"]) for row in frame.collect())

    def reasons(self) -> list[tuple]:
        headers = [{each["key"]: each["value"].decode() for each in letter["headers"]} for letter in self.rejected]
        return [(each.get("dlq.key"), each["dlq.reason"], each["dlq.offset"]) for each in headers]

    def test_lands_the_events_of_an_hour_with_what_their_records_were(self):
        first = self.archive()
        first.stage(self.batch(event("2024-03-01T09:59:59Z"), event("2024-03-01T18:00:00+08:00")), 0, {"0": 2})
        first.landings.land(NINE)
        first.landings.land(TEN)
        self.assertEqual(self.rows(), [(0, "2024-03-01", 9), (1, "2024-03-01", 10)])
        row = self.spark.read.parquet(str(self.folder / "table" / "dt=2024-03-01" / "hour=09")).first().asDict()
        self.assertEqual([*row], [*events.COLUMNS, *archive.KAFKA_COLUMNS])
        self.assertEqual((row["kafka_key"], row["kafka_value"]), ("k", event("2024-03-01T09:59:59Z")))

    def test_a_batch_that_comes_again_changes_nothing_and_one_with_others_adds_them(self):
        first = self.archive()
        first.stage(self.batch(event("2024-03-01T09:00:00Z")), 0, {"0": 1})
        first.stage(self.batch(event("2024-03-01T09:00:00Z")), 0, {"0": 1})
        self.assertEqual(len(first.landings.staged[NINE]), 1)
        again = self.archive(epoch=2)
        again.stage(self.batch(*[event("2024-03-01T09:00:00Z")] * 3), 0, {"0": 3})
        again.landings.land(NINE)
        self.assertEqual([offset for offset, _, _ in self.rows()], [0, 1, 2])

    def test_what_is_no_event_is_rejected_with_the_reason(self):
        table = [
            (None, (None, "is not a JSON object")),
            ("not an event", (None, "is not a JSON object")),
            ("[1]", (None, "is not a JSON object")),
            (event("2024-03-01T09:00:00Z") + " and more", (None, "is not a JSON object")),
            ("{}", (events.EVENT_TIME, "is missing")),
            (event("yesterday"), (events.EVENT_TIME, "is not of the type timestamp")),
            (event("1969-12-31T23:59:59Z"), (events.EVENT_TIME, "is before 1970")),
            (event("2999-01-01T00:00:00Z"), (events.EVENT_TIME, "is more than 1 hour ahead of the clock")),
        ]
        tested = self.archive()
        tested.stage(self.batch(*(value for value, _ in table), event("2024-03-01T09:00:00Z")), 0, {"0": 9})
        expected = [(*reason, str(offset)) for offset, (_, reason) in enumerate(table)]
        self.assertEqual(self.reasons(), expected)
        self.assertEqual({hour: len(parts) for hour, parts in tested.landings.staged.items()}, {NINE: 1})
        letter = self.rejected[1].asDict()
        self.assertEqual((letter["topic"], letter["key"], letter["value"]), ("t.dlq", b"k", b"not an event"))

    def test_a_letter_says_where_its_record_was_and_a_large_one_is_cut(self):
        large = "x" * 1_000_000
        self.archive().stage(self.batch(large, first=7, partition=3), 0, {"3": 8})
        letter = self.rejected[0]
        headers = {each["key"]: each["value"].decode() for each in letter["headers"]}
        self.assertEqual(len(letter["value"]), 65_536)
        self.assertEqual(
            headers,
            {
                "dlq.reason": "is not a JSON object",
                "dlq.truncated": "1000001",
                "dlq.topic": "t",
                "dlq.topic_id": "id",
                "dlq.partition": "3",
                "dlq.offset": "7",
                "dlq.timestamp": str(int(AT.timestamp() * 1000)),
                "dlq.hippo": "shop",
            },
        )

    def test_an_event_for_a_landed_hour_lands_later_or_is_rejected_by_choice(self):
        for late, epoch in [("reland", 1), ("quarantine", 2)]:
            with self.subTest(late):
                tested = self.archive(late, epoch)
                tested.stage(self.batch(event("2024-03-01T09:00:00Z"), first=epoch), 0, {"0": epoch + 1})
                if late == "reland":
                    tested.landings.land(NINE)
                    tested.stage(self.batch(event("2024-03-01T09:00:00Z"), first=2), 1, {"0": 2})
                    self.assertEqual(self.rejected, [])
        self.assertEqual(self.reasons(), [(events.EVENT_TIME, f"is late: the hour {NINE} has landed", "2")])

    def test_hours_land_when_they_are_due(self):
        tested = self.archive()
        values = [event("2024-03-01T09:00:00Z"), event("2024-03-01T10:09:00Z")]
        tested.stage(self.batch(*values), 0, {"0": 2})
        tested.close_hours({"0": 2})
        self.assertEqual(tested.landings.landings, [])
        tested.stage(self.batch(event("2024-03-01T10:10:00Z"), first=2), 1, {"0": 3})
        tested.close_hours({"0": 3})
        self.assertEqual([landing["hour"] for landing in tested.landings.landings], [NINE])
        # The last hour: when the topic was quiet, and is read to its end.
        tested.landings.risen_at["0"] = time.time() - 61
        tested.close_hours(None)
        tested.close_hours({"0": 4})
        self.assertEqual(len(tested.landings.landings), 1)
        tested.close_hours({"0": 3})
        self.assertEqual([landing["hour"] for landing in tested.landings.landings], [NINE, TEN])

    def test_many_batches_become_one_file(self):
        tested = self.archive()
        for number in range(5):
            tested.stage(self.batch(event("2024-03-01T09:00:00Z"), first=number), number, {"0": number + 1})
        tested.landings.land(NINE)
        names = [path.name for path in (self.folder / "table/dt=2024-03-01/hour=09").iterdir()]
        self.assertEqual(names, ["part-000001-0.parquet"])
        self.assertEqual(list((self.folder / "work/staging").iterdir()), [])

    def test_settings_of_kafka_are_read_as_kafka_reads_them(self):
        file = self.folder / "kafka.properties"
        file.write_text('! TLS\nsecurity.protocol: SASL_SSL\nsasl.jaas.config=x.Module required \\\n  username="me";\n')
        given = {"KAFKA_PROPERTIES": str(file), "HIPPO_KAFKA_BROKERS": "host:9092"}
        with unittest.mock.patch.dict("os.environ", given):
            expected = {"security.protocol": "SASL_SSL", "sasl.jaas.config": 'x.Module required username="me";'}
            self.assertEqual(stream.kafka_properties(), {"bootstrap.servers": "host:9092", **expected})

    def test_a_folder_with_files_of_another_program_is_refused(self):
        args = archive.arguments([*ARGUMENTS, "--lateness", "1m", "--grace", "1m", "--late", "reland"])
        (self.folder / "x.parquet").touch()
        with self.assertRaisesRegex(stream.Problem, "has files, but this archive has no journal of them"):
            archive.table_at(self.spark, args, self.folder, is_new=True)
        (self.folder / "_delta_log").mkdir()
        with self.assertRaisesRegex(stream.Problem, "has a Delta table, and --format is parquet"):
            archive.table_at(self.spark, args, self.folder, is_new=False)


class ArgumentsTest(unittest.TestCase):
    def test_levels_must_tell_the_hour_and_must_not_be_columns(self):
        rest = ["--topic", "t", "--table", "a.b", "--lateness", "1m", "--grace", "1m", "--late", "reland"]
        for levels in [["dt=%Y-%m-%d"], ["hour=%H"], ["dt"], ["kafka_key=%Y%m%d%H"]]:
            flags = [word for level in levels for word in ("--level", level)]
            silence = contextlib.redirect_stderr(io.StringIO())
            with self.subTest(levels), silence, self.assertRaises(SystemExit):
                archive.arguments([*rest, *flags])
        self.assertEqual(archive.arguments([*rest, "--level", "h=%Y%m%d%H"]).level, [("h", "%Y%m%d%H")])

    def test_durations_are_those_of_hippo_yaml(self):
        seconds = [stream.duration(text) for text in ["500ms", "30s", "1.5h", "1w"]]
        self.assertEqual(seconds, [0.5, 30, 5400, 604_800])
        with self.assertRaisesRegex(argparse.ArgumentTypeError, "'soon' is not a duration"):
            stream.duration("soon")


class ErrorsTest(unittest.TestCase):
    def test_errors_of_spark_become_one_line(self):
        table = [
            ("java.io.IOException: No space left on device\n\tat x", "no space is left on the disk. Nothing is lost"),
            ("Partition t-0's offset was changed, some data may have been lost", "To go on without them: --gap skip"),
            ("org.apache.kafka.common.errors.TimeoutException: no answer\n\tat x", "Kafka does not answer: org.apache"),
            ("Traceback (most recent call last):\n  File x\n    a = b\nKeyError: 'a'\n\tat y", "KeyError: 'a'"),
            ("X: Traceback (most recent call last):\n  F\njournal.Fenced: another one\n", "another one. This process is"),
            ("\nsomething else\n\tat x", "something else"),
        ]
        for text, expected in table:
            with self.subTest(expected):
                self.assertIn(expected, stream.explained(text))


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
