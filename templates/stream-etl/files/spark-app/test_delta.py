"""Tests of the archive as a Delta table, on a real Spark with Delta's jars."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import archive
import events
import stream
from landings import HOUR_COLUMN, Landings

NINE = "2024-03-01T09"
LEVELS = [("dt", "%Y-%m-%d"), ("hour", "%H")]


class DeltaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Delta's settings count only for a Spark that starts with them.
        stream.session({}).stop()
        cls.spark = stream.session({**archive.DELTA, "spark.sql.shuffle.partitions": "1"})

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def landings(self) -> Landings:
        table = archive.DeltaTable(self.spark, self.folder / "table", "shop.events", LEVELS)
        return Landings(self.folder / "work", "shop.events", LEVELS, table, None)

    def stage(self, landings: Landings, offset: int) -> None:
        text = json.dumps({events.EVENT_TIME: "2024-03-01T09:00:00Z"})
        row = {"offset": offset, "partition": 0, "topic": "t", "key": None, "value": text}
        frame = self.spark.createDataFrame([row], "key string, value string, topic string, partition int, offset bigint")
        records = frame.selectExpr("*", "current_timestamp() AS timestamp")
        folder = landings.new_batch(offset)
        parsed = events.parse(records).select(*archive.table_columns(), "hour")
        parsed.withColumnRenamed("hour", HOUR_COLUMN).write.partitionBy(HOUR_COLUMN).parquet(str(folder))
        landings.batch(folder, {NINE: 1}, {"0": offset + 1}, {"0": 1.0})

    def rows(self) -> list[tuple]:
        frame = self.spark.read.format("delta").load(str(self.folder / "table"))
        return sorted((row["kafka_offset"], row["dt"], row["hour"]) for row in frame.collect())

    def test_each_landing_is_appended_once_however_often_it_is_repeated(self):
        landings = self.landings()
        landings.open(1, "id")
        self.stage(landings, 0)
        # Killed when the landing has its entry and is in the table, and its staged files are still there.
        landings._remove = lambda landing: None
        landings.land(NINE)
        again = self.landings()
        again.open(2, "id")
        self.assertEqual(self.rows(), [(0, "2024-03-01", "09")])
        self.stage(again, 1)
        again.land(NINE)
        self.assertEqual(self.rows(), [(0, "2024-03-01", "09"), (1, "2024-03-01", "09")])
        self.assertEqual(list((self.folder / "work" / "staging").iterdir()), [])

    def test_a_landing_that_was_not_placed_is_placed_at_the_next_start(self):
        landings = self.landings()
        landings.open(1, "id")
        self.stage(landings, 0)

        def killed(*_args):
            raise InterruptedError

        landings.table.place = killed
        with self.assertRaises(InterruptedError):
            landings.land(NINE)
        self.landings().open(2, "id")
        self.assertEqual(self.rows(), [(0, "2024-03-01", "09")])


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
