"""Tests of what survives a kill, without Spark: python3 -m unittest. A file here has a line for each record."""

import json
import os
import shutil
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

from journal import Fenced
from landings import Landings, ParquetTable

LEVELS = [("dt", "%Y-%m-%d"), ("hour", "%H")]
NINE, TEN = "2024-03-01T09", "2024-03-01T10"
CHANGES = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.scandir", "shutil.rmtree"}

# What arrives, by batch: offset and hour. The last batch is late for nine o'clock.
BATCHES = [[(0, NINE), (1, NINE)], [(2, NINE), (3, TEN)], [(4, TEN)], [(5, NINE), (6, TEN)]]


def compact(staged: list[Path], target: Path, single: bool) -> None:
    target.mkdir(parents=True)
    lines = [line for path in staged for file in sorted(path.glob("*.txt")) for line in file.read_text().splitlines()]
    count = 1 if single else 2
    for index in range(count):
        (target / f"{index}.parquet").write_text("".join(f"{line}\n" for line in lines[index::count]))


def landings(root: Path, events: Path | None = None) -> Landings:
    return Landings(root / "work", "shop.events", LEVELS, ParquetTable(root / "table", LEVELS, compact), events)


def stage(archive: Landings, number: int, records: list[tuple[int, str]]) -> None:
    """What a batch does: a repeated one has nothing that was not read."""
    fresh = [(offset, hour) for offset, hour in records if offset >= archive.positions.get("0", 0)]
    if not fresh:
        return
    folder = archive.new_batch(number)
    rows: dict[str, int] = {}
    for offset, hour in fresh:
        path = folder / f"event_hour={hour}"
        path.mkdir(parents=True, exist_ok=True)
        with open(path / "part.txt", "a") as file:
            file.write(f"{offset} {hour}\n")
        rows[hour] = rows.get(hour, 0) + 1
    archive.batch(folder, rows, {"0": fresh[-1][0] + 1}, {"0": 1.0})


def run_all(root: Path, events: Path) -> None:
    """A whole life: batches, a closed hour, a late record, and both hours at last. Like Spark it repeats old batches."""
    archive = landings(root, events)
    archive.open(7, "topic")
    for number, records in enumerate(BATCHES):
        stage(archive, number, records)
        if number == 1 and NINE not in archive.closed:
            archive.land(NINE)
    for hour in sorted(archive.staged):
        archive.land(hour)


def records_in(folder: Path) -> list[str]:
    return sorted(line for file in folder.rglob("*.parquet") for line in file.read_text().splitlines())


ALL = sorted(f"{offset} {hour}" for records in BATCHES for offset, hour in records)


class LandingsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A killed process loses nothing that it has written; only a power failure does.
        patch = unittest.mock.patch("os.fsync")
        patch.start()
        cls.addClassCleanup(patch.stop)

    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)

    def events(self, path: Path) -> list[dict]:
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def check(self, root: Path, announced: list[dict]) -> None:
        self.assertEqual(records_in(root / "table"), ALL)
        by_id = {event["id"]: event for event in announced}
        self.assertTrue(all(by_id[event["id"]] == event for event in announced), "an id with two contents")
        self.assertEqual(sum(event["rows"] for event in by_id.values()), len(ALL))
        left = [path for path in (root / "work").rglob("*") if "journal" not in path.parts and path.is_file()]
        self.assertEqual(left, [])

    def test_each_record_lands_once_and_each_landing_is_announced(self):
        run_all(self.root, self.root / "events")
        events = self.events(self.root / "events")
        self.check(self.root, events)
        archives, numbers = zip(*(event["id"].split("/", 1) for event in events), strict=True)
        self.assertEqual(len(set(archives)), 1)
        self.assertEqual(numbers, (f"{NINE}/1", f"{NINE}/2", f"{TEN}/3"))
        self.assertEqual([event.get("method") for event in events], [None, "append", None])
        self.assertEqual(events[0]["partition"], {"dt": "2024-03-01", "hour": "09"})
        nine = sorted(path.name for path in (self.root / "table/dt=2024-03-01/hour=09").iterdir())
        self.assertEqual(nine, ["part-000001-0.parquet", "part-000001-1.parquet", "part-000002-0.parquet"])

    def test_an_hour_has_the_folder_that_hive_and_spark_give_it(self):
        table = ParquetTable(self.root, [("at", "%Y-%m-%dT%H:00")], compact)
        self.assertEqual(table.path(NINE), self.root / "at=2024-03-01T09%3A00")

    def test_a_kill_before_any_file_operation_loses_and_doubles_nothing(self):
        kills = 0
        for at in range(10_000):
            root = self.root / str(at)
            root.mkdir()
            if not killed_at(at, root):
                break
            kills += 1
            run_all(root, root / "events-2")
            self.check(root, [*self.events(root / "events-1"), *self.events(root / "events-2")])
            # What was in its place before the kill stays there.
            shutil.rmtree(root)
        self.assertGreater(kills, 100)

    def test_a_second_kill_while_the_first_is_made_good_changes_nothing(self):
        for at in range(0, 10_000, 23):
            root = self.root / str(at)
            root.mkdir()
            if not killed_at(at, root):
                return
            for again in range(7, 10_000, 31):
                if not killed_at(again, root):
                    break
            run_all(root, root / "events-2")
            self.check(root, [*self.events(root / "events-1"), *self.events(root / "events-2")])
            shutil.rmtree(root)

    def test_a_start_announces_again_what_has_landed(self):
        run_all(self.root, self.root / "events")
        archive = landings(self.root, self.root / "again")
        archive.open(8, "topic")
        self.assertEqual(self.events(self.root / "again"), self.events(self.root / "events"))

    def test_a_former_owner_cannot_count_a_batch_or_land_an_hour(self):
        former = landings(self.root)
        former.open(7, "topic")
        stage(former, 0, BATCHES[0])
        later = landings(self.root)
        later.open(8, "topic")
        with self.assertRaises(Fenced):
            stage(former, 1, BATCHES[1])
        with self.assertRaises(Fenced):
            former.land(NINE)
        stage(later, 1, BATCHES[1])
        later.land(NINE)
        self.assertEqual(len(records_in(self.root / "table")), 3)

    def test_a_former_owner_that_wakes_at_any_operation_damages_nothing(self):
        for at in range(10_000):
            root = self.root / str(at)
            root.mkdir()
            if not frozen_at(at, root):
                return
            self.check(root, [*self.events(root / "events-1"), *self.events(root / "events-2")])
            shutil.rmtree(root)

    def test_an_archive_that_begins_anew_repeats_no_id(self):
        ids = set()
        for name in ["lost", "new"]:
            run_all(self.root / name, self.root / name / "events")
            ids |= {event["id"] for event in self.events(self.root / name / "events")}
        self.assertEqual(len(ids), 6)

    def test_only_a_later_event_tells_that_a_partition_goes_on(self):
        archive = landings(self.root)
        archive.open(7, "topic")
        for number, latest in enumerate([{"0": 100.0}, {}, {"0": 90.0}, {"0": 110.0}]):
            with unittest.mock.patch("time.time", return_value=1000.0 + number):
                archive.batch(archive.new_batch(number), {}, {"0": number + 1}, latest)
            self.assertEqual(archive.risen_at, {"0": 1003.0 if number == 3 else 1000.0})

    def test_an_older_owner_is_refused_and_told_why(self):
        landings(self.root).open(8, "topic")
        with self.assertRaisesRegex(Fenced, "the owner with epoch 8 has written to .*journal; this one has 7"):
            landings(self.root).open(7, "topic")

    def test_a_topic_that_was_created_again_is_read_from_its_beginning(self):
        archive = landings(self.root)
        archive.open(7, "topic")
        stage(archive, 0, BATCHES[0])
        archive = landings(self.root)
        archive.open(3, "another topic of that name")
        self.assertEqual((archive.positions, archive.risen_at), ({}, {}))
        self.assertEqual(list(archive.staged), [NINE])

    def test_a_snapshot_is_what_the_entries_amount_to(self):
        archive = landings(self.root)
        archive.open(7, "topic")
        offset = 0
        while archive.journal.last < 401:
            stage(archive, offset, [(offset, NINE)])
            offset += 1
        again = landings(self.root)
        again.open(8, "topic")
        self.assertEqual(again.positions, {"0": offset})
        self.assertEqual(again.staged, archive.staged)
        again.land(NINE)
        self.assertEqual(len(records_in(self.root / "table")), offset)


def killed_at(operation: int, root: Path) -> bool:
    """Lives a whole life in another process, killed right before its n-th file operation; False: it has fewer."""
    child = os.fork()
    if child == 0:
        before_each_operation(operation, lambda: os._exit(9))
        try:
            run_all(root, root / "events-1")
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def frozen_at(operation: int, root: Path) -> bool:
    """The same, but it is frozen there, and wakes after another owner has done all; False: it has fewer."""
    child = os.fork()
    if child == 0:
        os.close(2)
        before_each_operation(operation, lambda: os.kill(os.getpid(), 19))
        try:
            run_all(root, root / "events-1")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return False
    try:
        run_all(root, root / "events-2")
    finally:
        os.kill(child, 18)
        os.waitpid(child, 0)
    # It may have left what it was about to write: the next start removes that.
    archive = landings(root)
    archive.open(7, "topic")
    return True


def before_each_operation(operation: int, act) -> None:
    count = 0

    def hook(event: str, _args: tuple) -> None:
        nonlocal count
        if event in CHANGES:
            count += 1
            if count == operation + 1:
                act()

    sys.addaudithook(hook)


if __name__ == "__main__":
    unittest.main(verbosity=2)
