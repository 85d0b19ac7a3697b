"""Tests of the totals on a real Spark, which computes them for a table as it does for a stream."""

import json
import unittest

from pyspark.sql import functions as F

import aggregate
import events
import stream


class AggregateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = stream.session({"spark.sql.shuffle.partitions": "1"})

    def totals(self, values: list[str]) -> dict[str, dict]:
        records = self.spark.createDataFrame([(value,) for value in values], "value string")
        records = records.withColumn("value", F.col("value").cast("binary"))
        found = aggregate.totals(records, 600).collect()
        self.assertEqual(len({row["key"] for row in found}), len(found), "a key occurs twice")
        return {row["key"]: json.loads(row["value"]) for row in found}

    def test_counts_and_sums_by_hour_and_group(self):
        def event(time: str, group: str | None, amount: float) -> str:
            groups = {name: group for name in aggregate.GROUP_BY if group is not None}
            return json.dumps({events.EVENT_TIME: time, **groups, **{name: amount for name in aggregate.MEASURES}})

        found = self.totals(
            [
                event("2024-03-01T09:00:00Z", "a", 1.5),
                event("2024-03-01T09:59:59Z", "a", 2),
                event("2024-03-01T10:00:00Z", "a", 4),
                event("2024-03-01T10:00:00Z", None, 8),
                "not an event",
            ]
        )
        a, none = {name: "a" for name in aggregate.GROUP_BY}, {}
        expected = [("2024-03-01T09", a, 2, 3.5), ("2024-03-01T10", a, 1, 4.0), ("2024-03-01T10", none, 1, 8.0)]
        if not aggregate.GROUP_BY:
            expected = [("2024-03-01T09", a, 2, 3.5), ("2024-03-01T10", a, 2, 12.0)]
        self.assertEqual(
            found,
            {
                json.dumps({"hour": hour, **group}, separators=(",", ":")): {
                    "hour": hour,
                    **group,
                    "events": count,
                    **{f"sum_{name}": total for name in aggregate.MEASURES},
                }
                for hour, group, count, total in expected
            },
        )


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
