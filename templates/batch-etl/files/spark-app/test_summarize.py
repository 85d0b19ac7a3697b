"""Tests of the Spark job, on a real Spark; ./test.sh runs them."""

import contextlib
import io
import shutil
import tempfile
import unittest
from pathlib import Path

[% if input == 'files' %]from py4j.protocol import Py4JJavaError
[% endif %]from pyspark.sql import SparkSession

import summarize

[% if input == 'table' %]SALES = "city STRING, item STRING, amount INT, price DOUBLE"
ROWS = [("Taipei", "tea", 2, 30.0), ("Taipei", "rice", 4, None), ("Tainan", "tea", 1, 28.5)]
[% else %]SALES = "city,item,amount,price\nTaipei,tea,2,30\nTaipei,rice,4,\nTainan,tea,1,28.5\n"
[% endif %]

class SummarizeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
[%- if input == 'table' %]
        cls.home = Path(tempfile.mkdtemp())
        cls.spark = (
            SparkSession.builder.config("spark.sql.shuffle.partitions", 1)
            .config("spark.sql.warehouse.dir", f"{cls.home}/warehouse")
            .config("spark.hadoop.javax.jdo.option.ConnectionURL", f"jdbc:derby:{cls.home}/metastore;create=true")
            .enableHiveSupport()
            .getOrCreate()
        )
[%- else %]
        cls.spark = SparkSession.builder.config("spark.sql.shuffle.partitions", 1).getOrCreate()
[%- endif %]

    @classmethod
    def tearDownClass(cls):
        cls.spark.stop()
[%- if input == 'table' %]
        shutil.rmtree(cls.home)

    def setUp(self):
        self.spark.sql("CREATE DATABASE shop")
        self.addCleanup(self.spark.sql, "DROP DATABASE shop CASCADE")
        self.addCleanup(self.spark.catalog.clearCache)
        self.spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")

    def land(self, partition: str, columns: str, rows: list[tuple]) -> None:
        """Puts rows in place of a partition of shop.sales: yyyymm=202401/region=us."""
        frame = self.spark.createDataFrame(rows, columns)
        levels = [part.split("=") for part in partition.split("/") if part]
        for name, value in levels:
            frame = frame.selectExpr("*", f"'{value}' AS {name}")
        if self.spark.catalog.tableExists("shop.sales"):
            frame.write.insertInto("shop.sales", overwrite=True)
        else:
            frame.write.partitionBy(*[name for name, _ in levels]).saveAsTable("shop.sales")

    def run_job(self, *argv: str) -> dict:
        return summarize.run(self.spark, summarize.arguments(["--table", "shop.sales", *argv]))

    def output(self) -> list[tuple]:
        return sorted(tuple(row) for row in self.spark.table("shop.sales_summary").collect())

    def test_counts_rows_and_averages_each_measure_of_a_group(self):
        self.land("yyyymm=202401", SALES, ROWS)
        result = self.run_job("--partition", "yyyymm=202401", "--group-by", "city")
        self.assertEqual((result["rows"], result["groups"]), (3, 2))
        self.assertEqual(result["output"], "shop.sales_summary/yyyymm=202401")
        self.assertEqual(self.output(), [("Tainan", 1, 1.0, 28.5, "202401"), ("Taipei", 2, 3.0, 30.0, "202401")])

    def test_takes_all_rows_of_an_unpartitioned_table_as_one_group_when_none_is_named(self):
        self.land("", SALES, ROWS)
        self.run_job("--measure", "amount")
        self.assertEqual(self.output(), [(3, 7 / 3)])

    def test_running_again_replaces_its_partition_and_no_other(self):
        self.land("yyyymm=202401", SALES, ROWS)
        self.land("yyyymm=202402", SALES, ROWS)
        self.run_job("--partition", "yyyymm=202401", "--measure", "amount")
        self.run_job("--partition", "yyyymm=202402", "--measure", "amount")
        self.land("yyyymm=202401", SALES, [("Taipei", "tea", 10, 1.0)])
        self.run_job("--partition", "yyyymm=202401", "--measure", "amount")
        self.assertEqual(self.output(), [(1, 10.0, "202401"), (3, 7 / 3, "202402")])

    def test_reads_a_partition_of_several_levels(self):
        self.land("day=20240101/region=us", SALES, ROWS)
        self.land("day=20240101/region=eu", SALES, ROWS[:1])
        result = self.run_job("--partition", "day=20240101", "--partition", "region=us")
        self.assertEqual(result["partition"], {"day": "20240101", "region": "us"})
        self.assertEqual(result["rows"], 3)

    def test_finds_a_partition_whose_level_is_a_date_or_a_number(self):
        columns = "amount INT, dt DATE, hour INT"
        self.spark.sql(f"CREATE TABLE shop.sales ({columns}) USING parquet PARTITIONED BY (dt, hour)")
        self.spark.sql("INSERT INTO shop.sales VALUES (1, DATE '2024-01-01', 6), (2, DATE '2024-01-01', 7)")
        result = self.run_job("--partition", "dt=2024-01-01", "--partition", "hour=06")
        self.assertEqual((result["rows"], self.output()), (1, [(1, 1.0, "2024-01-01", "06")]))

    def test_reads_no_partition_but_its_own(self):
        self.land("yyyymm=202401", SALES, ROWS)
        self.land("yyyymm=202402", SALES, ROWS)
        frame = summarize.read_partition(self.spark, "shop.sales", [("yyyymm", "202401")], summarize.columns_of(None))
        self.assertEqual({Path(file).parent.name for file in frame.inputFiles()}, {"yyyymm=202401"})

    def test_says_what_is_wrong_with_the_data_and_writes_nothing(self):
        with self.assertRaisesRegex(summarize.DataProblem, "no table shop.sales in the metastore"):
            self.run_job()
        self.land("yyyymm=202401", SALES, ROWS)
        table = [
            (["--partition", "yyyymm=209912"], "no rows in shop.sales/yyyymm=209912"),
            (["--partition", "region=us"], "shop.sales is not partitioned by region; it is by: yyyymm"),
            (["--partition", "yyyymm=202401", "--group-by", "colour"], "no column colour; there are: city, item"),
            (["--partition", "yyyymm=202401", "--measure", "item"], "not numeric: item; numeric are: amount, price"),
        ]
        for argv, text in table:
            with self.subTest(text), self.assertRaisesRegex(summarize.DataProblem, text):
                self.run_job(*argv)
        self.assertFalse(self.spark.catalog.tableExists("shop.sales_summary"))

    def test_refuses_to_write_into_a_table_of_other_columns(self):
        self.land("yyyymm=202401", SALES, ROWS)
        self.run_job("--partition", "yyyymm=202401", "--measure", "amount")
        with self.assertRaisesRegex(summarize.DataProblem, "has the columns rows, mean_amount, yyyymm"):
            self.run_job("--partition", "yyyymm=202401", "--measure", "price")
        self.assertEqual(self.output(), [(3, 7 / 3, "202401")])

    def test_names_each_column_that_is_not_as_expected(self):
        self.land("yyyymm=202401", SALES, ROWS)
        month = ["--partition", "yyyymm=202401"]
        table = [
            ("total DOUBLE, amount INT", r"no column total \(expected: DOUBLE\); not in --schema: city STRING, item"),
            ("amount STRING, price DOUBLE", "column amount: expected STRING, found INT; .*in shop.sales/yyyymm=202401"),
        ]
        for schema, text in table:
            with self.subTest(text), self.assertRaisesRegex(summarize.DataProblem, text):
                self.run_job(*month, "--schema", schema)
        self.assertFalse(self.spark.catalog.tableExists("shop.sales_summary"))
        self.assertEqual(self.run_job(*month, "--schema", "CITY string, item string, amount int, price double")["rows"], 3)
[%- else %]

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

    def test_reads_and_writes_folders_as_spark_names_them(self):
        self.land("at=2024-01-01T09%3A00", SALES)
        result = self.run_job("--partition", "at=2024-01-01T09:00", "--measure", "amount")
        self.assertEqual(result["partition"], {"at": "2024-01-01T09:00"})
        self.assertEqual(result["output"], f"{self.folder}/output/shop.sales_summary/at=2024-01-01T09%3A00")
        self.assertEqual(self.spark.read.parquet(result["output"]).count(), 1)

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

    def test_names_each_column_that_is_not_as_expected(self):
        self.land("yyyymm=202401", SALES)
        self.land("yyyymm=202402", "city,amount\nTaipei,2\nTaipei,two\nTaipei,\nTainan,three\n")
        table = [
            ("202401", "city STRING, total DOUBLE", r"no column total \(expected: DOUBLE\); not in --schema: item"),
            ("202402", "city STRING, amount INT", r"column amount: expected INT, found 'two' \(in 2 of 4 rows\); in .*02"),
            ("202402", "city INT, amount STRING", r"column city: expected INT, found 'Taipei' \(in 4 of 4 rows\)"),
            ("202402", "city INT, amount DATE", "column city: expected INT.*column amount: expected DATE, found '2'"),
            ("202401", "amount", "--schema 'amount' is not a list such as"),
        ]
        for month, schema, text in table:
            with self.subTest(text), self.assertRaisesRegex(summarize.DataProblem, text):
                self.run_job("--partition", f"yyyymm={month}", "--schema", schema)
        self.assertFalse((self.folder / "output").exists())

    def test_reads_expected_columns_as_what_they_are_and_goes_on_with_new_ones(self):
        self.land("yyyymm=202401", "City,amount,new\n007,1,x\n7,2,\n")
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            self.run_job("--partition", "yyyymm=202401", "--group-by", "city", "--schema", "city STRING, amount DOUBLE")
        self.assertEqual(self.output(), [("007", 1, 1.0, 202401), ("7", 1, 2.0, 202401)])
        self.assertIn("columns that are not in --schema: new STRING; in ", errors.getvalue())

    def test_refuses_files_of_one_partition_with_different_columns(self):
        self.land("yyyymm=202401", SALES)
        other = self.folder / "input" / "shop.sales" / "yyyymm=202401" / "part-1.csv"
        other.write_text("city,item,price,amount\nTaipei,tea,30,2\n")
        with self.assertRaises(Py4JJavaError) as caught:
            self.run_job("--partition", "yyyymm=202401", "--schema", "amount INT, price DOUBLE")
        problem = summarize.storage_problem(caught.exception, "")
        self.assertRegex(problem, "part-1.csv.*Expected: amount but found: price")

    def test_says_where_it_cannot_write(self):
        self.land("yyyymm=202401", SALES)
        (self.folder / "output").write_text("a file, and no folder")
        with self.assertRaises(Py4JJavaError) as caught:
            self.run_job("--partition", "yyyymm=202401")
        self.assertRegex(summarize.storage_problem(caught.exception, "cannot write there"), "^cannot write there: .*output")
[%- endif %]

    def test_refuses_a_partition_that_would_read_other_files(self):
        for text in ["yyyymm", "yyyymm=", "=202401", "yyyymm=*", "yyyymm=2024{01,02}", "yyyymm=../../secret"]:
            silence = contextlib.redirect_stderr(io.StringIO())
            with self.subTest(text), silence, self.assertRaises(SystemExit):
                summarize.arguments(["--table", "shop.sales", "--partition", text])
