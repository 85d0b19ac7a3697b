"""What the tests share."""

import os
import tempfile
import unittest
from pathlib import Path

from pyspark.sql import SparkSession

import builder


class SparkTest(unittest.TestCase):
    """A test with a Spark, which all tests share, and with a folder of its own that also has its tables."""

    spark: SparkSession

    @classmethod
    def setUpClass(cls):
        # Of small data, compiling takes longer than interpreting.
        quick = {"spark.sql.codegen.wholeStage": "false", "spark.sql.shuffle.partitions": "1"}
        cls.spark = builder.session(quick)

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def land(self, table: str, csv: str) -> str:
        """Writes a table into the test's folder, where the programs then look for it."""
        before = os.environ.get("HIPPO_INPUT_DIR")
        os.environ["HIPPO_INPUT_DIR"] = str(self.folder / "input")
        if before is None:
            self.addCleanup(os.environ.pop, "HIPPO_INPUT_DIR", None)
        else:
            self.addCleanup(os.environ.__setitem__, "HIPPO_INPUT_DIR", before)
        path = self.folder / "input" / table
        path.mkdir(parents=True, exist_ok=True)
        (path / "part-0.csv").write_text(csv)
        return table
