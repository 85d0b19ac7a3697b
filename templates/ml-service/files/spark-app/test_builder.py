"""Tests of a whole build of the sample: from the order to the version's folder and the result."""

import hashlib
import json
import unittest
from pathlib import Path

import algorithm
import builder
from table import DataProblem
from testing import SparkTest

ONE, TWO = "20240101T000000Z-00000a", "20240102T000000Z-00000b"
SAMPLE = builder.PROJECT / "data" / "input" / "[= table =]" / "part-0.csv"


class BuilderTest(SparkTest):
    def order(self, version: str, **more) -> builder.Order:
        file = self.folder / "model.json"
        location = (self.folder / "models").as_uri()
        file.write_text(json.dumps({"model": "[= model =]", "version": version, "location": location, **more}))
        return builder.read_order(str(file))

    def build(self, order: builder.Order, csv: str) -> dict:
        return builder.build(self.spark, order, self.land("[= table =]", csv))

    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "models").glob("*"))

    def test_a_version_is_a_folder_with_a_manifest_that_names_its_files(self):
        result = self.build(self.order(ONE), SAMPLE.read_text())
        folder = self.folder / "models" / ONE
        content = (folder / "manifest.json").read_bytes()
        manifest = json.loads(content)
        self.assertEqual(result["manifest_sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual((result["version"], result["metrics"]), (ONE, manifest["metrics"]))
        self.assertEqual(result["rows"], manifest["training"]["rows"])
        self.assertEqual(manifest["params"], vars(algorithm.Params()))
        for name, said in manifest["files"].items():
            data = (folder / name).read_bytes()
            self.assertEqual(said, {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        beside = {"manifest.json", builder.PREDICTIONS, builder.PIPELINE}
        self.assertEqual({path.name for path in folder.iterdir()}, {*manifest["files"], *beside})

        # The next one removes what is out of use, but not what serves.
        older = self.order(TWO, parent=ONE, serving={"version": ONE}, retired=[ONE, "20230101T000000Z-000000"])
        removed = builder.remove_retired(builder.place_of(self.spark, older.location), older)
        self.assertEqual(removed, ["20230101T000000Z-000000"])
        self.assertEqual(self.versions(), [ONE])

    def test_a_build_that_fails_leaves_nothing(self):
        with self.assertRaises(DataProblem):
            self.build(self.order(ONE), "what\n1\n")
        self.assertEqual(self.versions(), [])

    def test_an_error_within_the_training_leaves_nothing(self):
        order = self.order(ONE)
        order = builder.Order(**{**vars(order), "params": algorithm.Params(reg_param=-1)})
        with self.assertRaisesRegex(Exception, "regParam"):
            self.build(order, SAMPLE.read_text())
        self.assertEqual(self.versions(), [])

    def test_refuses_an_order_that_it_cannot_do(self):
        with self.assertRaisesRegex(builder.OrderProblem, "no parameter colour; it has: .*reg_param"):
            self.order(ONE, params={"colour": 1})
        with self.assertRaisesRegex(builder.WriteProblem, "is not the name of a version"):
            self.order("../other")
        with self.assertRaisesRegex(builder.OrderProblem, "hippo model build [= model =]"):
            builder.read_order(None)

    def test_says_which_commit_it_was(self):
        self.assertRegex(builder.git_revision() or "none", r"^(none|[0-9a-f]{40}(-dirty)?)$")

    def test_a_result_is_whole_or_not_there(self):
        file = Path(self.folder / "result.json")
        with self.assertRaises(ValueError):
            builder.write_json({"loss": float("nan")}, file)
        self.assertFalse(file.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
