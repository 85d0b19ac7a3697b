"""Tests of writing and removing versions: in a folder by this machine's own calls, and by Hadoop's as on HDFS and S3."""

import unittest
from pathlib import Path

from py4j.protocol import Py4JJavaError

from testing import SparkTest
from version import HadoopPlace, LocalPlace, WriteProblem, place_of

ONE, TWO, THREE = "20240101T000000Z-00000a", "20240102T000000Z-00000b", "20240103T000000Z-00000c"


class VersionTest(SparkTest):
    def places(self):
        yield "local", LocalPlace(self.folder / "local")
        yield "hdfs", HadoopPlace(self.spark, f"file://{self.folder}/hdfs", renames=True)
        yield "s3a", HadoopPlace(self.spark, f"file://{self.folder}/s3a", renames=False)

    def draft(self, place, version: str) -> Path:
        """What a builder has written when it is killed right before the end. Gives the folder of its files."""
        place.prepare(version)
        pipeline = Path(place.staging(version).removeprefix("file://")) / "pipeline"
        pipeline.mkdir()
        (pipeline / "part-0").write_text("stage")
        files = self.folder / f"files-{version}"
        files.mkdir(exist_ok=True)
        (files / "coefficients.json").write_text("{}")
        return files

    def served(self, name: str) -> list[str]:
        """The versions that are there for the API."""
        return sorted(path.parent.name for path in (self.folder / name).glob("[0-9]*/manifest.json"))

    def names(self, name: str) -> list[str]:
        return sorted(path.name for path in (self.folder / name).iterdir() if not path.name.endswith(".crc"))

    def test_a_version_is_there_with_all_its_files_once_it_is_published(self):
        for name, place in self.places():
            with self.subTest(name):
                files = self.draft(place, ONE)
                (Path(place.staging(ONE).removeprefix("file://")) / "checkpoints").mkdir()
                self.assertEqual(self.served(name), [])
                place.publish(ONE, files, b'{"format": "hippo-model"}')
                self.assertEqual(self.served(name), [ONE])
                self.assertEqual(self.names(name), [ONE])
                self.assertEqual(self.names(f"{name}/{ONE}"), ["coefficients.json", "manifest.json", "pipeline"])
                self.assertEqual((self.folder / name / ONE / "manifest.json").read_bytes(), b'{"format": "hippo-model"}')

    def test_what_a_killed_builder_has_left_is_not_served_and_goes_with_the_next_build(self):
        for name, place in self.places():
            with self.subTest(name):
                place.publish(ONE, self.draft(place, ONE), b"{}")
                self.draft(place, TWO)
                self.assertEqual(self.served(name), [ONE])
                place.publish(THREE, self.draft(place, THREE), b"{}")
                self.assertEqual(self.names(name), [ONE, THREE])

    def test_a_builder_that_wakes_after_its_draft_was_removed_publishes_nothing(self):
        for name, place in self.places():
            if name == "s3a":
                continue
            with self.subTest(name):
                files = self.draft(place, ONE)
                self.draft(place, TWO)
                with self.assertRaises((OSError, Py4JJavaError)):
                    place.publish(ONE, files, b"{}") if name == "local" else place._context.rename(
                        place._path(place.staging(ONE)), place._path(f"{place.location}/{ONE}"), place._no_options
                    )
                self.assertEqual(self.served(name), [])

    def test_a_version_that_is_there_is_never_replaced(self):
        for name, place in self.places():
            if name == "s3a":
                continue
            with self.subTest(name):
                place.publish(ONE, self.draft(place, ONE), b"{}")
                with self.assertRaises((OSError, Py4JJavaError)):
                    place.publish(ONE, self.draft(place, ONE), b"other")
                self.assertEqual((self.folder / name / ONE / "manifest.json").read_bytes(), b"{}")

    def test_a_failed_build_discards_its_draft_and_no_version(self):
        for name, place in self.places():
            with self.subTest(name):
                place.publish(ONE, self.draft(place, ONE), b"{}")
                self.draft(place, TWO)
                place.discard(TWO)
                place.discard(ONE)
                self.assertEqual(self.names(name), [ONE])

    def test_removes_a_version_and_one_that_is_gone_already(self):
        for name, place in self.places():
            with self.subTest(name):
                place.publish(ONE, self.draft(place, ONE), b"{}")
                place.remove(ONE)
                place.remove(TWO)
                self.assertEqual(self.names(name), [])

    def test_only_the_name_of_a_version_is_removed_or_written(self):
        for name, place in self.places():
            for wrong in ("..", "", "data", "../data", f"{ONE}/..", f"{ONE}\n"):
                with self.subTest(f"{name} {wrong!r}"), self.assertRaises(WriteProblem):
                    place.remove(wrong)

    def test_a_location_is_a_folder_or_a_uri(self):
        self.assertEqual(place_of(self.spark, f"file://{self.folder}/a%20b").folder, self.folder.resolve() / "a b")
        self.assertEqual(place_of(self.spark, str(self.folder)).folder, self.folder.resolve())
        with self.assertRaisesRegex(WriteProblem, "ftp://host/models is neither a folder nor a URI"):
            place_of(self.spark, "ftp://host/models")


if __name__ == "__main__":
    unittest.main(verbosity=2)
