"""Folders of Parquet that are replaced as a whole, wherever Spark can write.

<path>                                what readers read
_staging/<path>/<second>_<attempt>    what an attempt writes, until it renames it to <path>
_staging/<path>/replaced              what was in <path> before; it is there only during those renames
_spans/<path>/<second>_<attempt>.json the note of an attempt, the newest of which counts
"""

import contextlib
import json
import re

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from attempt import Attempt
from database import Problem

Order = tuple[int, int]


class Lake:
    def __init__(self, spark: SparkSession, root: str, attempt: Attempt):
        self.spark = spark
        self.root = root
        self.attempt = attempt

    def begin(self, path: str) -> dict:
        """Removes what lost attempts have left. Returns what the newest of them has noted; {} where none has."""
        notes = self._orders(f"_spans/{path}", ".json")
        if not self.attempt.job_id:
            self.attempt.number = 1 + max((number for second, number in notes if second == 0), default=0)
        self._require_newest(path)
        # Without its folder, an older attempt that is still at work cannot rename it any more.
        for order in self._orders(f"_staging/{path}"):
            if order <= self.attempt.order:
                self._remove(f"_staging/{path}/{name_of(order)}")
        self._settle(path)
        if not notes:
            return {}
        file = f"_spans/{path}/{name_of(max(notes))}.json"
        try:
            note = json.loads(self._read(file))
        except ValueError:
            note = None
        if not isinstance(note, dict):
            raise Problem(
                f"{self.root}/{file} says which rows the partition has, and is damaged."
                " Restore it; or delete it, then the partition is replaced by the rows that are new since the last success"
            )
        return note

    def note(self, path: str, content: dict) -> None:
        """Notes what this attempt is about to write. The file appears whole or not at all."""
        older = [order for order in self._orders(f"_spans/{path}", ".json") if order < self.attempt.order]
        draft = f"_spans/{path}/{name_of(self.attempt.order)}.draft"
        try:
            self._write(draft, json.dumps(content))
            self._rename(draft, f"_spans/{path}/{name_of(self.attempt.order)}.json")
        except Py4JJavaError:
            self._try_to_remove(draft)
            raise
        for order in older:
            self._remove(f"_spans/{path}/{name_of(order)}.json")

    def replace(self, frame: DataFrame, path: str) -> int:
        """Writes a folder of Parquet beside, then puts it in the place of the one that is there. Returns how many rows."""
        staging = f"_staging/{path}/{name_of(self.attempt.order)}"
        try:
            frame.write.parquet(f"{self.root}/{staging}")
            rows = self.spark.read.parquet(f"{self.root}/{staging}").count()
            self._require_newest(path)
            self._swap(staging, path)
        except BaseException:
            self._try_to_remove(staging)
            raise
        return rows

    def _swap(self, staging: str, path: str) -> None:
        if self._exists(path):
            self._rename(path, f"_staging/{path}/replaced")
        try:
            self._rename(staging, path)
        finally:
            self._settle(path)

    def _settle(self, path: str) -> None:
        """Finishes the renames of an attempt, or undoes them: the new folder is in its place, or the old one again."""
        replaced = f"_staging/{path}/replaced"
        if self._exists(path):
            self._remove(replaced)
        elif self._exists(replaced):
            self._rename(replaced, path)

    def _require_newest(self, path: str) -> None:
        newest = max(self._orders(f"_spans/{path}", ".json"), default=(0, 0))
        if self.attempt.job_id and newest > self.attempt.order:
            raise Problem(f"the attempt {name_of(newest)} has replaced {path} since, or is about to: nothing is changed")

    def _orders(self, folder: str, ending: str = "") -> list[Order]:
        """The attempts that have a file or folder there."""
        files, jpath = self._at(folder)
        names = [found.getPath().getName() for found in files.listStatus(jpath)] if files.exists(jpath) else []
        matches = [re.fullmatch(rf"(\d+)_(\d+){re.escape(ending)}", name) for name in names]
        return [(int(match[1]), int(match[2])) for match in matches if match is not None]

    def _at(self, path: str):
        jpath = self.spark._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{path}")
        return jpath.getFileSystem(self.spark._jsc.hadoopConfiguration()), jpath

    def _exists(self, path: str) -> bool:
        files, jpath = self._at(path)
        return files.exists(jpath)

    def _remove(self, path: str) -> None:
        files, jpath = self._at(path)
        files.delete(jpath, True)

    def _try_to_remove(self, path: str) -> None:
        with contextlib.suppress(Py4JJavaError):
            self._remove(path)

    def _rename(self, path: str, to: str) -> None:
        """Fails where the other is there. `FileSystem.rename` would put a folder into it."""
        files, source = self._at(path)
        target = self._at(to)[1]
        files.mkdirs(target.getParent())
        hadoop = self.spark._jvm.org.apache.hadoop.fs
        context = hadoop.FileContext.getFileContext(files.getUri(), self.spark._jsc.hadoopConfiguration())
        context.rename(source, target, self.spark.sparkContext._gateway.new_array(hadoop.Options.Rename, 0))

    def _read(self, path: str) -> str:
        files, jpath = self._at(path)
        stream = files.open(jpath)
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def _write(self, path: str, text: str) -> None:
        files, jpath = self._at(path)
        stream = files.create(jpath, True)
        try:
            stream.write(bytearray(text.encode("utf-8")))
        finally:
            stream.close()


def name_of(order: Order) -> str:
    return f"{order[0]}_{order[1]}"
