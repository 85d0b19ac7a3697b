"""Tests of the extraction, on a real Spark and a real PostgreSQL."""

import datetime
import decimal
import json
import threading

import extract
from database import Problem
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


class ExtractTest(DatabaseTest):
    def run_job(self, table: str, *argv: str, day: str = "20240101", last: dict | None = None) -> dict:
        words = ["--database-table", f"{self.schema}.{table}", "--table", "shop.orders", "--partition", f"day={day}"]
        args = extract.arguments([*words, *argv])
        return extract.run(self.spark, self.place, args, str(self.folder), last or {})

    def output(self, day: str = "20240101"):
        return self.spark.read.parquet(f"{self.folder}/shop.orders/day={day}")

    def ids(self, day: str) -> set[int]:
        return {row.id for row in self.output(day).collect()}

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
