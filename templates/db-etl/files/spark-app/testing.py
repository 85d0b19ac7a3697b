"""What the tests share: one Spark, and a schema of their own in the database of $DATABASE_URL."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from pyspark.sql import SparkSession

import database


class DatabaseTest(unittest.TestCase):
    """Each test begins with an empty schema and an empty folder."""

    schema = f"hippo_test_{os.getpid()}"

    @classmethod
    def setUpClass(cls):
        cls.spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 1).getOrCreate()
        cls.place = database.Database(os.environ.get("DATABASE_URL"))

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.sql(f"CREATE SCHEMA {self.schema}")
        self.addCleanup(self.sql, f"DROP SCHEMA {self.schema} CASCADE")

    def set_java_zone(self, name: str) -> None:
        """As -Duser.timezone does, until the end of the test."""
        zones = self.spark._jvm.java.util.TimeZone
        self.addCleanup(zones.setDefault, zones.getDefault())
        zones.setDefault(zones.getTimeZone(name))

    def sql(self, text: str) -> list[tuple]:
        """Runs statements in a transaction of their own, in the schema of this test."""
        with self.place.connect(self.spark._jvm) as session:
            answer = session.execute(f"SET search_path = {self.schema}; {text}")
            session.commit()
        return [] if answer is None else answer[1]
