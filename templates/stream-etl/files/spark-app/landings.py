"""What is staged, what has landed, and what is announced: the part of the archive that knows neither Spark nor Kafka.

A batch writes its records to the staging folder, one folder for each hour. Then the journal gets an entry of the batch: the
files, and up to which offset the topic is read. When an hour closes, its staged files are compacted, and the journal gets an
entry of the landing. Then the files are put into their place, and the landing is announced. A process that starts repeats
what the one before may have left undone after an entry: it places the last landing, announces all, and removes rubbish.
"""

import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from closing import Hours, hour_start
from journal import Fenced, Journal, sync

KEEP_LANDINGS = 2000
"""So many of the newest landings are remembered, and announced again at each start."""

HOUR_COLUMN = "event_hour"
"""The column by which Spark puts staged records into folders."""

Levels = list[tuple[str, str]]


class Table(Protocol):
    """Where hours land: a folder of Parquet files, or a Delta table."""

    def prepare(self, staged: list[Path], folder: Path, number: int, is_first: bool) -> list[str]:
        """Compacts staged files into a few files of the folder, and returns their names."""

    def place(self, landing: dict, folder: Path, staged: list[Path]) -> None:
        """Puts the files of a landing into their place. To repeat it changes nothing."""


def partition_of(hour: str, levels: Levels) -> dict[str, str]:
    return {name: hour_start(hour).strftime(form) for name, form in levels}


class ParquetTable:
    """A folder for each hour. The first landing of an hour is one rename of a folder, a later one adds one file to it."""

    def __init__(self, folder: Path, levels: Levels, compact: Callable[[list[Path], Path, bool], None]):
        self.folder = folder
        self.levels = levels
        self.compact = compact

    def path(self, hour: str) -> Path:
        values = partition_of(hour, self.levels).items()
        # Hive and Spark write a colon in a folder's name as %3A.
        return self.folder.joinpath(*(f"{name}={value.replace(':', '%3A')}" for name, value in values))

    def prepare(self, staged: list[Path], folder: Path, number: int, is_first: bool) -> list[str]:
        written = folder.with_name(f"{folder.name}-written")
        # Readers see one rename at a time, so what is added to a folder that is in its place must be one file.
        self.compact(staged, written, not is_first)
        folder.mkdir(parents=True)
        names = []
        for index, source in enumerate(sorted(written.glob("*.parquet"))):
            name = f"part-{number:06}-{index}.parquet"
            sync(source)
            os.rename(source, folder / name)
            names.append(name)
        sync(folder)
        shutil.rmtree(written)
        return names

    def place(self, landing: dict, folder: Path, staged: list[Path]) -> None:
        target = self.path(landing["hour"])
        if not folder.exists():
            return
        make_folders(target.parent)
        if target.exists():
            for name in landing["files"]:
                if (folder / name).exists():
                    os.rename(folder / name, target / name)
        else:
            os.rename(folder, target)
        sync(target)
        sync(target.parent)


def make_folders(folder: Path) -> None:
    """Makes a folder and those above it, so that they survive a power failure."""
    if folder.exists():
        return
    make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


class Landings:
    """One process at a time may write. `open` fences the one before: from then on the journal refuses its entries."""

    def __init__(self, work: Path, name: str, levels: Levels, table: Table, events: Path | None):
        self.work = work
        self.name = name
        self.levels = levels
        self.table = table
        self.events = events
        self.journal = Journal(work / "journal")
        self.lock = threading.RLock()
        self.closing: set[str] = set()
        self._reset({})

    def _reset(self, state: dict) -> None:
        self.archive_id: str | None = state.get("archive_id")
        """Made with the journal. An archive that begins anew counts its landings from 1 again, and must not repeat ids."""
        self.epoch: int = state.get("epoch", 0)
        self.topic_id: str | None = state.get("topic_id")
        self.positions: dict[str, int] = state.get("positions", {})
        """The next offset to read, by partition."""
        self.latest: dict[str, float] = state.get("latest", {})
        """The greatest event time, by partition."""
        self.risen_at: dict[str, float] = state.get("risen_at", {})
        """When that last became greater, by partition."""
        self.staged: dict[str, list[dict]] = state.get("staged", {})
        """By hour: what has not landed yet."""
        self.landings: list[dict] = state.get("landings", [])
        self.closed = Hours(state.get("closed", []))

    def _state(self) -> dict:
        return {
            "archive_id": self.archive_id,
            "epoch": self.epoch,
            "topic_id": self.topic_id,
            "positions": self.positions,
            "latest": self.latest,
            "risen_at": self.risen_at,
            "staged": self.staged,
            "landings": self.landings,
            "closed": self.closed.ranges,
        }

    def _apply(self, entry: dict) -> None:
        match entry["kind"]:
            case "owner":
                self.archive_id = entry["archive_id"]
                self.epoch = entry["epoch"]
                if entry["topic_id"] != self.topic_id:
                    self.topic_id, self.positions, self.latest, self.risen_at = entry["topic_id"], {}, {}, {}
            case "batch":
                self.positions |= entry["positions"]
                for partition, latest in entry["latest"].items():
                    if partition not in self.latest or latest > self.latest[partition]:
                        self.latest[partition] = latest
                        self.risen_at[partition] = entry["at"]
                for part in entry["parts"]:
                    self.staged.setdefault(part["hour"], []).append({**part, "at": entry["at"]})
            case "landing":
                hour = entry["hour"]
                left = [part for part in self.staged[hour] if part["path"] not in entry["from"]]
                self.staged[hour] = left
                if not left:
                    del self.staged[hour]
                self.landings = [*self.landings, entry][-KEEP_LANDINGS:]
                self.closed.add(hour)

    def _append(self, entry: dict) -> None:
        with self.lock:
            self.journal.append(entry)
            self._apply(entry)
            if self.journal.is_snapshot_due():
                self.journal.write_snapshot(self._state())

    def open(self, epoch: int | None, topic_id: str) -> None:
        """Reads the journal, fences the process before, and completes what that one has begun.

        :param epoch: of the hippo's owner; None: run by hand
        """
        self._load()
        # Of another topic of that name, in another Kafka perhaps, epochs cannot be compared.
        if epoch is not None and epoch < self.epoch and topic_id == self.topic_id:
            raise Fenced(f"the owner with epoch {self.epoch} has written to {self.journal.folder}; this one has {epoch}")
        # Listed before the former process is fenced: so nothing is among them that a later process than this one writes.
        former = self._folders()
        archive_id = self.archive_id or uuid.uuid4().hex[:8]
        owner = {"epoch": self.epoch if epoch is None else epoch, "topic_id": topic_id, "archive_id": archive_id}
        self._append({"kind": "owner", **owner})
        if self.landings:
            self._place(self.landings[-1])
        self._sweep(former)
        for landing in self.landings:
            self._announce(landing)

    def _load(self) -> None:
        snapshot, entries = self.journal.read()
        self._reset(snapshot or {})
        for entry in entries:
            self._apply(entry)

    def is_closed(self, hour: str) -> bool:
        """The hour has landed, or is about to: what comes for it now is late."""
        return hour in self.closed or hour in self.closing

    def new_batch(self, batch: int) -> Path:
        """A folder that no other batch, attempt or process writes to."""
        return self.work / "staging" / f"{self.epoch}-{batch}-{uuid.uuid4().hex[:8]}"

    def batch(self, folder: Path, rows: dict[str, int], positions: dict[str, int], latest: dict[str, float]) -> None:
        """Counts a batch as read: from here on its records are never read again.

        :param rows: by hour; the files are in `folder/event_hour=…`
        :param latest: the greatest event time of each partition that the batch has events of
        """
        parts = [
            {"hour": hour, "path": f"staging/{folder.name}/{HOUR_COLUMN}={hour}", "rows": count}
            for hour, count in rows.items()
        ]
        for part in parts:
            for file in (self.work / part["path"]).iterdir():
                sync(file)
            sync(self.work / part["path"])
        if parts:
            sync(folder)
            sync(folder.parent)
        self._append({"kind": "batch", "at": time.time(), "positions": positions, "latest": latest, "parts": parts})

    def land(self, hour: str) -> dict:
        """Lands what is staged of an hour. Batches go on meanwhile: what they stage of this hour lands later."""
        with self.lock:
            parts = list(self.staged[hour])
            number = self.landings[-1]["number"] + 1 if self.landings else 1
            is_first = hour not in self.closed
            self.closing.add(hour)
        try:
            folder = self.work / "compacted" / f"{number}-{uuid.uuid4().hex[:8]}"
            files = self.table.prepare([self.work / part["path"] for part in parts], folder, number, is_first)
            landing = {
                "kind": "landing",
                "number": number,
                "hour": hour,
                "first": is_first,
                "rows": sum(part["rows"] for part in parts),
                "at": time.time(),
                "folder": f"compacted/{folder.name}",
                "files": files,
                "from": [part["path"] for part in parts],
            }
            self._append(landing)
            self._place(landing)
            self._announce(landing)
            self._remove(landing)
            return landing
        finally:
            self.closing.discard(hour)

    def _place(self, landing: dict) -> None:
        self.table.place(landing, self.work / landing["folder"], [self.work / path for path in landing["from"]])

    def _announce(self, landing: dict) -> None:
        if self.events is None:
            return
        line = {
            "id": f"{self.archive_id}/{landing['hour']}/{landing['number']}",
            "table": self.name,
            "partition": partition_of(landing["hour"], self.levels),
            "landed_at": int(landing["at"]),
            "rows": landing["rows"],
            **({} if landing["first"] else {"method": "append"}),
        }
        with open(self.events, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _remove(self, landing: dict) -> None:
        for path in landing["from"]:
            shutil.rmtree(self.work / path, ignore_errors=True)
            batch = (self.work / path).parent
            if not any(batch.glob(f"{HOUR_COLUMN}=*")):
                shutil.rmtree(batch, ignore_errors=True)
        shutil.rmtree(self.work / landing["folder"], ignore_errors=True)

    def _folders(self) -> list[Path]:
        return [
            *(self.work / "staging").glob(f"*/{HOUR_COLUMN}=*"),
            *(self.work / "staging").glob("*"),
            *(self.work / "compacted").glob("*"),
        ]

    def _sweep(self, folders: list[Path]) -> None:
        """Removes what no entry needs: of batches that were not counted, and of landings that are complete."""
        needed = {self.work / part["path"] for parts in self.staged.values() for part in parts}
        batches = {path.parent for path in needed}
        for folder in folders:
            if folder not in needed and folder not in batches:
                shutil.rmtree(folder, ignore_errors=True)
