"""Tests of when an hour closes, without Spark."""

import unittest

from closing import Hours, Partition, hour_end, hour_name, is_due, is_relanding_due

NINE = "2024-03-01T09"
END = hour_end(NINE)
LATENESS, GRACE = 600, 60


def partition(latest: float | None = None, quiet: float = 0, unread: int | None = 0, now: float = END) -> Partition:
    return Partition(latest=latest, last_rise=now - quiet, unread=unread)


class ClosingTest(unittest.TestCase):
    def due(self, *partitions: Partition, now: float = END) -> bool:
        return is_due(NINE, partitions, now, LATENESS, GRACE)

    def test_an_hour_is_named_by_its_start_in_utc(self):
        self.assertEqual(hour_name(END - 1), NINE)
        self.assertEqual(hour_name(END), "2024-03-01T10")

    def test_it_closes_when_each_partition_is_past_its_end_by_the_lateness(self):
        past, almost = partition(latest=END + LATENESS), partition(latest=END + LATENESS - 1)
        self.assertTrue(self.due(past, past))
        self.assertFalse(self.due(past, almost))

    def test_an_idle_partition_holds_nothing_up(self):
        past = partition(latest=END + LATENESS)
        self.assertTrue(self.due(past, partition(latest=END - 1, quiet=GRACE)))
        self.assertTrue(self.due(past, partition(latest=None, quiet=GRACE)))
        self.assertFalse(self.due(past, partition(latest=END - 1, quiet=GRACE - 1)))

    def test_a_backlog_closes_nothing_early(self):
        past = partition(latest=END + LATENESS)
        self.assertFalse(self.due(past, partition(latest=END - 1, quiet=10 * GRACE, unread=1)))

    def test_without_an_answer_of_kafka_nothing_closes_by_the_clock(self):
        past, unknown = partition(latest=END + LATENESS, unread=None), partition(quiet=10 * GRACE, unread=None)
        self.assertTrue(self.due(past, past))
        self.assertFalse(self.due(past, unknown))

    def test_on_a_quiet_topic_the_last_hour_closes_by_the_clock(self):
        for now, is_closed in [(END - 1, False), (END + LATENESS - 1, False), (END + LATENESS, True)]:
            with self.subTest(now):
                quiet = partition(latest=END - 5, quiet=GRACE, now=now)
                self.assertEqual(self.due(quiet, quiet, now=now), is_closed)

    def test_a_topic_of_which_nothing_is_known_closes_nothing(self):
        self.assertFalse(self.due(now=END + 10 * LATENESS))

    def test_late_events_wait_for_each_other(self):
        self.assertFalse(is_relanding_due(100, 100 + GRACE - 1, GRACE))
        self.assertTrue(is_relanding_due(100, 100 + GRACE, GRACE))


class HoursTest(unittest.TestCase):
    def test_keeps_hours_as_ranges_in_any_order(self):
        hours = Hours()
        for each in [10, 12, 11, 8, 10]:
            hours.add(f"1970-01-01T{each:02}")
        self.assertEqual(hours.ranges, [[8, 8], [10, 12]])
        found = [number for number in range(24) if f"1970-01-01T{number:02}" in Hours(hours.ranges)]
        self.assertEqual(found, [8, 10, 11, 12])


if __name__ == "__main__":
    unittest.main(verbosity=2)
