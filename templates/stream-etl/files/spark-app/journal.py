"""The journal of an archive: numbered entries in a folder, each created once and never changed.

What the journal says has happened, and what it does not say has not: files that no entry names are rubbish. An entry is
created complete or not at all, and only if its number is free (link(2) fails on an existing name, on NFS too). So of two
processes that write to one journal the slower one finds its number taken, and stops: it is fenced.
"""

import json
import os
import re
import time
import uuid
from pathlib import Path

SNAPSHOT_EVERY = 200
KEEP_SECONDS = 86_400
"""How long entries stay that a snapshot has replaced. A frozen process that wakes later than that finds the snapshot."""

ENTRY = re.compile(r"(\d{12})\.json")
SNAPSHOT = re.compile(r"snapshot-(\d{12})\.json")


class Fenced(Exception):
    """Another process writes to this journal. Nothing of this one was written since."""


class Journal:
    def __init__(self, folder: Path):
        self.folder = folder
        self.last = 0

    def read(self) -> tuple[dict | None, list[dict]]:
        """The newest snapshot, if there is one, and the entries after it."""
        names = os.listdir(self.folder) if self.folder.exists() else []
        start = max(_numbers(SNAPSHOT, names), default=0)
        numbers = sorted(number for number in _numbers(ENTRY, names) if number > start)
        if numbers != list(range(start + 1, start + 1 + len(numbers))):
            raise ValueError(f"{self.folder} lacks entries after {start}: {numbers[:3]} …")
        self.last = start + len(numbers)
        snapshot = _load(self._snapshot(start)) if start > 0 else None
        return snapshot, [_load(self._entry(number)) for number in numbers]

    def append(self, entry: dict) -> None:
        """Writes the next entry. It raises Fenced if another process was faster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = self.last + 1
        if any(each >= number for each in _numbers(SNAPSHOT, os.listdir(self.folder))):
            raise Fenced(f"{self.folder} has a snapshot beyond entry {number}")
        draft = self._draft(entry)
        try:
            os.link(draft, self._entry(number))
        except FileExistsError:
            raise Fenced(f"another process has written {self._entry(number)}") from None
        finally:
            draft.unlink()
        sync(self.folder)
        self.last = number

    def is_snapshot_due(self) -> bool:
        return self.last % SNAPSHOT_EVERY == 0

    def write_snapshot(self, state: dict) -> None:
        """`state` is what the entries up to the last one amount to."""
        os.replace(self._draft(state), self._snapshot(self.last))
        sync(self.folder)
        for name in os.listdir(self.folder):
            match = ENTRY.fullmatch(name) or SNAPSHOT.fullmatch(name)
            path = self.folder / name
            is_of_no_use = name.startswith("draft-") or (match is not None and int(match[1]) < self.last)
            if is_of_no_use and time.time() - path.stat().st_mtime > KEEP_SECONDS:
                path.unlink()

    def _draft(self, content: dict) -> Path:
        path = self.folder / f"draft-{uuid.uuid4().hex}"
        try:
            with open(path, "x", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path

    def _entry(self, number: int) -> Path:
        return self.folder / f"{number:012}.json"

    def _snapshot(self, number: int) -> Path:
        return self.folder / f"snapshot-{number:012}.json"


def sync(path: Path) -> None:
    """Makes a file, or the names in a folder, survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _numbers(pattern: re.Pattern, names: list[str]) -> list[int]:
    return [int(match[1]) for match in map(pattern.fullmatch, names) if match]


def _load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
