"""Writes a version of a model whole or not at all, and removes versions that are out of use.

A version is the folder <location>/<version>/ with a manifest.json in it. A folder without that file is not a version: a
builder that was killed has left it, and the next one removes it. On disks and HDFS a version is written beside its place and
then renamed. An object store cannot rename a folder: there the manifest is written last.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

MANIFEST = "manifest.json"
VERSION = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
STAGING = ".staging-"
CHECKPOINTS = "checkpoints"
"""Within a draft: what Spark keeps of a long training. It does not become a part of the version."""


class WriteProblem(Exception):
    """A version cannot be written; the text says why."""


def place_of(spark: SparkSession, location: str) -> "LocalPlace | HadoopPlace":
    """:param location: of a model's versions: a folder, or a URI of file, hdfs, s3a or s3"""
    scheme = urlsplit(location).scheme
    if scheme in ("", "file"):
        return LocalPlace(Path(unquote(urlsplit(location).path) if scheme else location))
    if scheme == "hdfs":
        return HadoopPlace(spark, location, renames=True)
    if scheme in ("s3a", "s3"):
        return HadoopPlace(spark, re.sub("^s3:", "s3a:", location), renames=False)
    raise WriteProblem(f"{location} is neither a folder nor a URI of hdfs:// or s3a://")


def checked(version: str) -> str:
    """A name that is a version's and nothing else: what is removed by it lies in the location."""
    if VERSION.fullmatch(version) is None:
        raise WriteProblem(f"{version!r} is not the name of a version, such as 20261128T234539Z-d2680d")
    return version


class LocalPlace:
    """A folder of this machine, or one that it mounts."""

    def __init__(self, folder: Path):
        self.folder = folder.resolve()

    def staging(self, version: str) -> str:
        """Where Spark may write before the version is there, as a URI."""
        return f"file://{self._staging(version)}"

    def prepare(self, version: str) -> None:
        """Makes an empty draft, and removes those of builders that were killed. One builder of a model runs at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(f"{STAGING}*"):
            shutil.rmtree(left)
        self._staging(version).mkdir()

    def publish(self, version: str, files: Path, manifest: bytes) -> None:
        """Puts the files and the manifest into the draft, and the draft in its place."""
        draft = self._staging(version)
        shutil.rmtree(draft / CHECKPOINTS, ignore_errors=True)
        for file in files.iterdir():
            shutil.copyfile(file, draft / file.name)
        (draft / MANIFEST).write_bytes(manifest)
        for path in [*draft.rglob("*"), draft]:
            sync(path)
        # Never in place of a version that is there: that folder is not empty, and then rename(2) fails.
        os.rename(draft, self._place(version))
        sync(self.folder)

    def discard(self, version: str) -> None:
        """Removes the draft of a build that has failed."""
        shutil.rmtree(self._staging(version), ignore_errors=True)

    def remove(self, version: str) -> None:
        place = self._place(version)
        # From here on it is not a version, even if the removal is interrupted.
        (place / MANIFEST).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(place)

    def _staging(self, version: str) -> Path:
        return self.folder / f"{STAGING}{checked(version)}"

    def _place(self, version: str) -> Path:
        return self.folder / checked(version)


class HadoopPlace:
    """A folder on HDFS, or below a prefix of S3, through the file systems that Spark itself uses."""

    def __init__(self, spark: SparkSession, location: str, renames: bool):
        """:param renames: whether a folder can be renamed at once"""
        self.location = location.rstrip("/")
        self.renames = renames
        self._hadoop = spark._jvm.org.apache.hadoop
        configuration = spark._jsc.hadoopConfiguration()
        self._system = self._path(self.location).getFileSystem(configuration)
        self._context = self._hadoop.fs.FileContext.getFileContext(self._system.getUri(), configuration) if renames else None
        self._no_options = spark.sparkContext._gateway.new_array(self._hadoop.fs.Options.Rename, 0)

    def staging(self, version: str) -> str:
        return f"{self.location}/{STAGING if self.renames else ''}{checked(version)}"

    def prepare(self, version: str) -> None:
        root = self._path(self.location)
        self._system.mkdirs(root)
        for status in self._system.listStatus(root):
            name = status.getPath().getName()
            is_draft = name.startswith(STAGING) if self.renames else self._is_draft(name)
            if is_draft:
                self._system.delete(status.getPath(), True)
        self._system.mkdirs(self._path(self.staging(version)))

    def publish(self, version: str, files: Path, manifest: bytes) -> None:
        draft = self.staging(version)
        self._system.delete(self._path(f"{draft}/{CHECKPOINTS}"), True)
        for file in files.iterdir():
            self._system.copyFromLocalFile(False, True, self._path(f"file://{file}"), self._path(f"{draft}/{file.name}"))
        out = self._system.create(self._path(f"{draft}/{MANIFEST}"), False)
        out.write(manifest)
        # On S3 the manifest is there when the stream is closed, whole.
        out.close()
        if self._context is not None:
            # Unlike FileSystem.rename this fails if the version is there.
            self._context.rename(self._path(draft), self._path(f"{self.location}/{version}"), self._no_options)

    def discard(self, version: str) -> None:
        if self.renames or self._is_draft(version):
            self._system.delete(self._path(self.staging(version)), True)

    def remove(self, version: str) -> None:
        place = f"{self.location}/{checked(version)}"
        self._system.delete(self._path(f"{place}/{MANIFEST}"), False)
        self._system.delete(self._path(place), True)

    def _is_draft(self, name: str) -> bool:
        has_manifest = self._system.exists(self._path(f"{self.location}/{name}/{MANIFEST}"))
        return VERSION.fullmatch(name) is not None and not has_manifest

    def _path(self, uri: str):
        return self._hadoop.fs.Path(uri)


def sync(path: Path) -> None:
    """Makes a file, or the names in a folder, survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage_problem(error: Py4JJavaError) -> str | None:
    """What Hadoop says of a file that it cannot read or write. None: the error is another one."""
    kind, said, cause = "", "", error.java_exception
    while cause is not None:
        kind, said = cause.getClass().getName(), f"{cause.getClass().getSimpleName()}: {cause.getMessage()}"
        cause = cause.getCause()
    is_storage = re.match(r"(java\.(io|net|nio)|org\.apache\.hadoop|software\.amazon)\.", kind) is not None
    return " ".join(said.split()) if is_storage else None
