"""Tests of the Spark job, on a real Spark; ./test.sh runs them."""

import contextlib
import io
import shutil
import tempfile
import unittest
from pathlib import Path

from pyspark.sql import SparkSession

import summarize

SALES = "city,item,amount,price\nTaipei,tea,2,30\nTaipei,rice,4,\nTainan,tea,1,28.5\n"


class SummarizeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 1).getOrCreate()

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def land(self, partition: str, text: str) -> None:
        path = self.folder / "input" / "shop.sales" / partition
        path.mkdir(parents=True, exist_ok=True)
        (path / "part-0.csv").write_text(text)

    def run_job(self, *argv: str) -> dict:
        args = summarize.arguments(["--table", "shop.sales", *argv])
        return summarize.run(self.spark, args, f"{self.folder}/input", f"{self.folder}/output")

    def output(self) -> list[tuple]:
        frame = self.spark.read.parquet(f"{self.folder}/output/shop.sales_summary")
        return sorted(tuple(row) for row in frame.collect())

    def test_counts_rows_and_averages_each_measure_of_a_group(self):
        self.land("yyyymm=202401", SALES)
        result = self.run_job("--partition", "yyyymm=202401", "--group-by", "city")
        self.assertEqual((result["rows"], result["groups"]), (3, 2))
        self.assertEqual(self.output(), [("Tainan", 1, 1.0, 28.5, 202401), ("Taipei", 2, 3.0, 30.0, 202401)])

    def test_averages_only_the_measures_asked_for(self):
        self.land("yyyymm=202401", SALES)
        self.run_job("--partition", "yyyymm=202401", "--group-by", "item", "--measure", "amount")
        self.assertEqual(self.output(), [("rice", 1, 4.0, 202401), ("tea", 2, 1.5, 202401)])

    def test_takes_all_rows_as_one_group_when_none_is_named(self):
        self.land("", SALES)
        result = self.run_job("--measure", "amount")
        self.assertEqual(self.output(), [(3, 7 / 3)])
        self.assertEqual(result["output"], f"{self.folder}/output/shop.sales_summary")

    def test_running_again_replaces_its_partition_and_no_other(self):
        self.land("yyyymm=202401", SALES)
        self.land("yyyymm=202402", SALES)
        self.run_job("--partition", "yyyymm=202401", "--measure", "amount")
        self.run_job("--partition", "yyyymm=202402", "--measure", "amount")
        self.land("yyyymm=202401", "city,amount\nTaipei,10\n")
        self.run_job("--partition", "yyyymm=202401", "--measure", "amount")
        self.assertEqual(self.output(), [(1, 10.0, 202401), (3, 7 / 3, 202402)])

    def test_reads_a_partition_of_several_levels(self):
        self.land("day=20240101/region=us", SALES)
        self.land("day=20240101/region=eu", SALES)
        result = self.run_job("--partition", "day=20240101", "--partition", "region=us")
        self.assertEqual(result["partition"], {"day": "20240101", "region": "us"})
        self.assertEqual(result["rows"], 3)

    def test_says_what_is_wrong_with_the_data_and_writes_nothing(self):
        self.land("yyyymm=202401", SALES)
        self.land("yyyymm=202402", "city,amount\n")
        table = [
            (["--partition", "yyyymm=209912"], "nothing to read in"),
            (["--partition", "yyyymm=202402"], "no rows in"),
            (["--partition", "yyyymm=202401", "--group-by", "colour"], "no column colour; there are: city, item"),
            (["--partition", "yyyymm=202401", "--measure", "item"], "not numeric: item; numeric are: amount, price"),
        ]
        for argv, text in table:
            with self.subTest(text), self.assertRaisesRegex(summarize.DataProblem, text):
                self.run_job(*argv)
        self.assertFalse((self.folder / "output").exists())

    def test_refuses_a_partition_that_would_read_other_files(self):
        for text in ["yyyymm", "yyyymm=", "=202401", "yyyymm=*", "yyyymm=2024{01,02}", "yyyymm=../../secret"]:
            silence = contextlib.redirect_stderr(io.StringIO())
            with self.subTest(text), silence, self.assertRaises(SystemExit):
                summarize.arguments(["--table", "shop.sales", "--partition", text])
