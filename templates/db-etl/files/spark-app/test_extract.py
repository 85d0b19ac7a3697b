"""Tests of the extraction, on a real Spark and a real PostgreSQL."""

import datetime
import decimal
import json
import threading
from pathlib import Path
from unittest import mock

from py4j.protocol import Py4JJavaError

import extract
from attempt import Attempt
from database import Problem
from lake import Lake
from testing import DatabaseTest

ORDERS = """
CREATE TABLE orders (id bigint PRIMARY KEY, city text, changed timestamptz NOT NULL);
INSERT INTO orders SELECT n, 'Taipei', '2024-01-01T00:00:00Z'::timestamptz + n * interval '1 minute'
FROM generate_series(1, 100) n
"""
TYPES = """
CREATE TABLE kinds (
  price numeric(12, 2), exact numeric, whole int8, half float8, yes bool, word varchar(9), day date, local timestamp,
  moment timestamptz, bytes bytea, ints int4[], words text[], prices numeric(6, 2)[], id uuid, doc jsonb, span interval
);
INSERT INTO kinds VALUES (
  9999999999.99, 12345678901234567890.123456789012345678, 9223372036854775807, 0.5, true, 'é', '2024-02-29',
  '2024-03-31 02:30:00.123456',
  '2024-03-31T02:30:00.123456+02', '\\x00ff', '{1,NULL,3}', '{"a,b",NULL}', '{1.50}', '00000000-0000-0000-0000-00000000000a',
  '{"a": [1, null]}', '1 day 02:00:00'
), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""


def damage(file: Path, text: str) -> None:
    file.write_text(text)
    # Hadoop's checksum would find it, and other file systems have none.
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)


class ExtractTest(DatabaseTest):
    def run_job(
        self, table: str, *argv: str, day: str = "20240101", last: dict | None = None, job_id: str = "", attempt: int = 0
    ) -> dict:
        words = ["--database-table", f"{self.schema}.{table}", "--table", "shop.orders", "--partition", f"day={day}"]
        args = extract.arguments([*words, *argv])
        return extract.run(self.spark, self.place, args, str(self.folder), Attempt(day, job_id, attempt), last or {})

    def output(self, day: str = "20240101"):
        return self.spark.read.parquet(f"{self.folder}/shop.orders/day={day}")

    def ids(self, day: str = "20240101") -> set[int]:
        return {row.id for row in self.output(day).collect()}

    def left(self) -> list[str]:
        """The names of the files and folders that are no data."""
        folders = [self.folder / "_staging/shop.orders/day=20240101", self.folder / "_spans/shop.orders/day=20240101"]
        files = [file.name for folder in folders if folder.exists() for file in folder.iterdir()]
        return sorted(name for name in files if not name.endswith(".crc"))

    def test_copies_a_whole_table_by_several_reads_and_replaces_the_partition(self):
        self.sql(ORDERS)
        result = self.run_job("orders")
        self.assertEqual((result["rows"], result["reads"]), (100, 4))
        self.sql("DELETE FROM orders WHERE id > 10")
        self.assertEqual(self.run_job("orders")["rows"], 10)
        self.assertEqual(self.ids("20240101"), set(range(1, 11)))

    def test_all_reads_see_the_database_at_one_moment(self):
        self.sql("CREATE TABLE accounts (id int PRIMARY KEY, amount int);"
                 "INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 2000) n")
        stop = threading.Event()

        def move():
            # Each transaction moves an amount from one end of the table to the other: the sum is always the same.
            while not stop.is_set():
                self.sql("UPDATE accounts SET amount = amount + CASE WHEN id = 1 THEN -1 ELSE 1 END WHERE id IN (1, 2000)")

        mover = threading.Thread(target=move)
        mover.start()
        try:
            for _ in range(3):
                self.run_job("accounts")
                self.assertEqual(sum(row.amount for row in self.output().collect()), 200_000)
        finally:
            stop.set()
            mover.join()

    def test_keeps_types(self):
        self.sql(TYPES)
        self.run_job("kinds")
        rows = self.output()
        self.assertEqual(
            {name: kind for name, kind in rows.dtypes},
            {
                "price": "decimal(12,2)", "exact": "decimal(38,18)", "whole": "bigint", "half": "double", "yes": "boolean",
                "word": "string", "day": "date", "local": "timestamp_ntz", "moment": "timestamp", "bytes": "binary",
                "ints": "array<int>", "words": "array<string>", "prices": "array<decimal(6,2)>", "id": "string",
                "doc": "string", "span": "string",
            },
        )
        full = rows.where("whole IS NOT NULL").selectExpr("*", "unix_micros(moment) AS micros").first()
        self.assertEqual(full.price, decimal.Decimal("9999999999.99"))
        self.assertEqual(full.exact, decimal.Decimal("12345678901234567890.123456789012345678"))
        self.assertEqual((full.whole, full.half, full.yes, full.word), (9223372036854775807, 0.5, True, "é"))
        self.assertEqual(full.day, datetime.date(2024, 2, 29))
        self.assertEqual(full.local, datetime.datetime(2024, 3, 31, 2, 30, 0, 123456))
        self.assertEqual(full.micros, 1711845000123456)
        self.assertEqual((bytes(full.bytes), full.ints, full.words), (b"\x00\xff", [1, None, 3], ["a,b", None]))
        self.assertEqual(full.prices, [decimal.Decimal("1.50")])
        self.assertEqual((full.id, json.loads(full.doc)), ("00000000-0000-0000-0000-00000000000a", {"a": [1, None]}))
        self.assertEqual(full.span, "1 day 02:00:00")
        empty = rows.where("whole IS NULL").first()
        self.assertEqual(set(empty.asDict().values()), {None})

    def test_keeps_times_whatever_the_zone_of_java_is(self):
        self.set_java_zone("Europe/Berlin")
        self.sql("CREATE TABLE times AS SELECT id, timestamp '2024-03-31 02:30' AS local, '2024-03-31T02:30Z'::timestamptz"
                 " AS moment, tstzrange('2024-03-31T02:30Z', NULL) AS since FROM generate_series(1, 2) id")
        for reads in ("1", "2"):
            self.run_job("times", "--split-by", "id", "--reads", reads)
            row = self.output().selectExpr("local", "unix_seconds(moment) AS seconds", "since").first()
            self.assertEqual(row.local, datetime.datetime(2024, 3, 31, 2, 30))
            self.assertEqual((row.seconds, row.since), (1711852200, '["2024-03-31 02:30:00+00",)'))

    def test_names_the_column_of_a_nan(self):
        for kind in ("numeric(10, 2)", "numeric(10, 2)[]", "numeric"):
            value = "'{NaN}'" if "[" in kind else "'NaN'"
            self.sql(f"DROP TABLE IF EXISTS odd; CREATE TABLE odd (n {kind}, m numeric(9, 2));"
                     f"INSERT INTO odd VALUES ({value}, 1)")
            with self.subTest(kind), self.assertRaisesRegex(Problem, r"1 values of n \(.*do not fit decimal.*--as-text n"):
                self.run_job("odd")

    def test_a_split_column_with_infinity_is_read_by_one_connection(self):
        odd = [("date", "infinity"), ("timestamptz", "-infinity"), ("numeric", "NaN"), ("date", "0044-03-15 BC")]
        for kind, value in odd:
            self.sql(f"DROP TABLE IF EXISTS odd; CREATE TABLE odd (id int, at {kind});"
                     f"INSERT INTO odd VALUES (1, {'7' if kind == 'numeric' else repr('2024-01-01')}), (2, '{value}')")
            with self.subTest(value):
                self.assertEqual(self.run_job("odd", "--split-by", "at", "--as-text", "at")["reads"], 1)

    def test_writes_the_folder_that_spark_reads(self):
        self.sql(ORDERS)
        result = self.run_job("orders", day="2024-01-01T09:00")
        self.assertEqual(result["output"], f"{self.folder}/shop.orders/day=2024-01-01T09%3A00")
        self.assertEqual(result["partition"], {"day": "2024-01-01T09:00"})
        rows = self.spark.read.parquet(f"{self.folder}/shop.orders").where("day = timestamp'2024-01-01T09:00'")
        self.assertEqual(rows.count(), 100)

    def test_refuses_a_number_that_no_decimal_holds_unless_it_becomes_text(self):
        self.sql("CREATE TABLE wide (n numeric, many numeric[]); INSERT INTO wide VALUES (1e30, '{1}'), (2, '{2}')")
        with self.assertRaisesRegex(Problem, r"1 values of n \(numeric\) do not fit decimal\(38,18\).*--as-text n"):
            self.run_job("wide")
        self.assertFalse((self.folder / "shop.orders").exists())
        self.run_job("wide", "--as-text", "n")
        self.assertEqual({row.n for row in self.output().collect()}, {"1" + "0" * 30, "2"})

    def test_reads_only_what_is_new_and_goes_on_from_the_last_result(self):
        self.sql(ORDERS)
        first = self.run_job("orders", "--watermark", "changed", "--overlap", "0s", day="20240101")
        self.assertEqual((first["rows"], first["from"]), (100, None))
        self.sql("INSERT INTO orders VALUES (101, 'Tainan', '2024-01-02T00:00:00Z');"
                 "UPDATE orders SET changed = '2024-01-02T01:00:00Z' WHERE id = 7")
        second = self.run_job("orders", "--watermark", "changed", "--overlap", "0s", day="20240102", last=first)
        self.assertEqual((second["rows"], second["from"]), (2, first["watermark"]))
        self.assertEqual(self.ids("20240102"), {7, 101})
        third = self.run_job("orders", "--watermark", "changed", "--overlap", "0s", day="20240103", last=second)
        self.assertEqual((third["rows"], third["watermark"]), (0, second["watermark"]))
        self.assertEqual(self.output("20240103").columns, ["id", "city", "changed"])

    def test_a_run_that_runs_again_loses_no_row(self):
        self.sql(ORDERS)
        first = self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240101")
        self.sql("INSERT INTO orders SELECT n, 'Tainan', now() FROM generate_series(101, 150) n")
        # The attempt was lost before its success was known: its successor has the same last result.
        self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240102", last=first)
        self.sql("INSERT INTO orders SELECT n, 'Tainan', now() FROM generate_series(151, 160) n")
        second = self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240102", last=first)
        self.assertEqual(self.ids("20240102"), set(range(101, 161)))
        self.sql("INSERT INTO orders VALUES (161, 'Tainan', now())")
        third = self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240103", last=second)
        # An older window again: it has its own rows, and the watermark does not go back.
        again = self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240101", last=third)
        self.assertEqual(self.ids("20240101"), set(range(1, 101)))
        self.assertEqual(again["watermark"], "161")
        # The newest window again: it takes what has come since.
        self.sql("INSERT INTO orders VALUES (162, 'Tainan', now())")
        self.run_job("orders", "--watermark", "id", "--overlap", "0", day="20240103", last=again)
        self.assertEqual(self.ids("20240103"), {161, 162})

    def test_reads_back_by_the_overlap_for_what_was_committed_late(self):
        self.sql(ORDERS)
        first = self.run_job("orders", "--watermark", "id", day="20240101")
        self.sql("DELETE FROM orders WHERE id = 50; INSERT INTO orders VALUES (-5, 'late', now()), (101, 'new', now())")
        self.run_job("orders", "--watermark", "id", "--overlap", "2", day="20240102", last=first)
        self.assertEqual(self.ids("20240102"), {99, 100, 101})
        self.run_job("orders", "--watermark", "id", day="20240103", last=first)
        self.assertIn(-5, self.ids("20240103"))

    def test_a_watermark_far_ahead_of_the_clock_fails_the_run_and_loses_no_row(self):
        far = [("timestamptz", "2999-01-01"), ("timestamptz", "infinity"), ("timestamp", "2999-01-01"), ("date", "infinity")]
        for kind, value in [*far, ("numeric", "NaN"), ("numeric", "Infinity")]:
            plain = "n" if kind == "numeric" else "date '2024-01-01'"
            self.sql("DROP TABLE IF EXISTS odd;"
                     f"CREATE TABLE odd (id int, part int, at {kind} NOT NULL, PRIMARY KEY (part, id));"
                     f"INSERT INTO odd SELECT n, 5, {plain} FROM generate_series(1, 3) n;"
                     f"INSERT INTO odd VALUES (7, 5, '{value}')")
            text = rf"at is {value}.* in the row part=5, id=7: .*Correct it"
            with self.subTest(value), self.assertRaisesRegex(Problem, text):
                self.run_job("odd", "--watermark", "at", "--as-text", "at")
        self.assertFalse((self.folder / "shop.orders").exists())
        self.sql("UPDATE odd SET at = 4 WHERE id = 7")
        self.assertEqual(self.run_job("odd", "--watermark", "at")["rows"], 4)

    def test_a_watermark_somewhat_ahead_of_the_clock_does_not_hide_the_rows_before_it(self):
        for kind in ("timestamptz", "timestamp", "date"):
            self.sql(f"DROP TABLE IF EXISTS ahead; CREATE TABLE ahead (id int PRIMARY KEY, at {kind} NOT NULL);"
                     "INSERT INTO ahead VALUES (1, now()), (2, now() + interval '20 hours')")
            with self.subTest(kind):
                first = self.run_job("ahead", "--watermark", "at", day=f"{kind}1")
                self.assertEqual(self.ids(f"{kind}1"), {1, 2})
                self.sql("INSERT INTO ahead VALUES (3, now())")
                self.run_job("ahead", "--watermark", "at", day=f"{kind}2", last=first)
                self.assertLessEqual({2, 3}, self.ids(f"{kind}2"))

    def test_reads_all_rows_where_the_clock_was_ahead_at_the_last_run(self):
        self.sql(ORDERS)
        last = {"watermark_column": "changed", "watermark": "2999-01-01 00:00:00+00"}
        result = self.run_job("orders", "--watermark", "changed", last=last)
        self.assertEqual((result["rows"], result["from"], result["watermark"]), (100, None, "2024-01-01 01:40:00+00"))

    def test_an_older_attempt_that_ends_late_changes_nothing(self):
        self.sql(ORDERS)
        read = extract.read_table

        def freeze(*words):
            frame = read(*words)
            self.sql("INSERT INTO orders VALUES (101, 'Tainan', '2024-01-02T00:00Z')")
            with mock.patch("extract.read_table", read):
                self.run_job("orders", "--watermark", "changed", job_id="extract_1000", attempt=2)
            return frame

        with mock.patch("extract.read_table", freeze), self.assertRaisesRegex(Problem, "attempt 1000_2 has replaced"):
            self.run_job("orders", "--watermark", "changed", job_id="extract_1000", attempt=1)
        self.assertEqual(self.ids(), set(range(1, 102)))
        with self.assertRaisesRegex(Problem, "attempt 1000_2 has replaced"):
            self.run_job("orders", job_id="extract_999", attempt=9)
        self.assertEqual(self.left(), ["1000_2.json"])
        self.assertEqual(self.run_job("orders", job_id="extract_1001", attempt=1)["rows"], 101)
        # A person knows what they do.
        self.assertEqual(self.run_job("orders")["rows"], 101)

    def test_an_attempt_that_freezes_between_its_renames_changes_nothing(self):
        self.sql(ORDERS)
        self.run_job("orders", job_id="extract_1000", attempt=1)
        rename = Lake._rename

        def freeze(lake, path, to):
            if "_staging" in path:
                with mock.patch.object(Lake, "_rename", rename):
                    self.sql("DELETE FROM orders WHERE id > 10")
                    self.run_job("orders", job_id="extract_1000", attempt=3)
            rename(lake, path, to)

        with mock.patch.object(Lake, "_rename", freeze), self.assertRaises(Py4JJavaError):
            self.run_job("orders", job_id="extract_1000", attempt=2)
        self.assertEqual(self.ids(), set(range(1, 11)))
        self.assertEqual(self.left(), ["1000_3.json"])

    def test_a_start_puts_back_what_a_lost_attempt_has_renamed(self):
        self.sql(ORDERS)
        self.run_job("orders", job_id="extract_1000", attempt=1)
        partition, staging = self.folder / "shop.orders/day=20240101", self.folder / "_staging/shop.orders/day=20240101"
        partition.rename(staging / "replaced")
        lake = Lake(self.spark, str(self.folder), Attempt("", "extract_1000", 2))
        lake.begin("shop.orders/day=20240101")
        self.assertEqual(self.ids(), set(range(1, 101)))
        # Of one that was lost after both renames, only the old folder is left.
        (staging / "replaced").mkdir()
        (staging / "1000_1").mkdir()
        lake.begin("shop.orders/day=20240101")
        self.assertEqual(self.left(), ["1000_1.json"])
        self.assertEqual(len(self.ids()), 100)

    def test_a_note_is_whole_or_a_problem_that_names_its_file(self):
        self.sql(ORDERS)
        self.run_job("orders", "--watermark", "id", job_id="extract_1000", attempt=1)
        notes = self.folder / "_spans/shop.orders/day=20240101"
        # As an attempt leaves it that was killed while it wrote.
        (notes / "1000_2.draft").write_text("")
        self.assertEqual(self.run_job("orders", "--watermark", "id", job_id="extract_1000", attempt=3)["from"], None)
        self.assertEqual([file.name for file in notes.glob("*.json")], ["1000_3.json"])
        for text in ("", '{"watermark_col', "7"):
            damage(notes / "1000_3.json", text)
            with self.subTest(text), self.assertRaisesRegex(Problem, "1000_3.json .* is damaged. Restore it; or delete it"):
                self.run_job("orders", "--watermark", "id", job_id="extract_1000", attempt=4)
        self.assertEqual(len(self.ids()), 100)

    def test_reads_a_table_without_a_key_by_one_connection(self):
        self.sql("CREATE TABLE loose AS SELECT n, n % 5 AS part FROM generate_series(1, 50) n")
        self.assertEqual(self.run_job("loose")["reads"], 1)
        result = self.run_job("loose", "--split-by", "n", "--reads", "3")
        self.assertEqual((result["reads"], result["rows"]), (3, 50))

    def test_says_what_is_wrong_and_writes_nothing(self):
        self.sql(ORDERS + "; CREATE TABLE gaps (id int, changed timestamptz); INSERT INTO gaps VALUES (1, NULL)")
        table = [
            ("nowhere", [], "there is no table .*nowhere"),
            ("orders", ["--watermark", "changd"], "there is no such column; there are: id, city, changed"),
            ("orders", ["--watermark", "city"], "it is text, and must be a number or a time"),
            ("orders", ["--watermark", "changed", "--overlap", "7"], "changed is a time, so write 90s, 10m"),
            ("orders", ["--split-by", "city"], "it is text, and must be a number or a time"),
            ("orders", ["--as-text", "price"], "there is no such column"),
            ("gaps", ["--watermark", "changed"], "changed is null in some rows"),
        ]
        for name, argv, text in table:
            with self.subTest(text), self.assertRaisesRegex(Problem, text):
                self.run_job(name, *argv)
        self.assertFalse((self.folder / "shop.orders").exists())
