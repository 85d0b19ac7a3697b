"""Tests of the load, on a real Spark and a real PostgreSQL."""

import threading

import load
from attempt import Attempt
from database import Database, Problem
from testing import DatabaseTest

ROWS = "SELECT * FROM VALUES ('Taipei', 2, 30.00), ('Tainan', 1, 28.50) AS rows(city, amount, price)"


class LoadTest(DatabaseTest):
    def land(self, rows: str, day: str = "20240101") -> None:
        self.spark.sql(rows).write.parquet(f"{self.folder}/shop.sales/day={day}", "overwrite")

    def run_job(self, table: str = "sales", day: str = "20240101", job_id: str = "", attempt: int = 0) -> dict:
        words = ["--table", "shop.sales", "--partition", f"day={day}", "--database-table", f"{self.schema}.{table}"]
        environment = {"HIPPO_RUN_KEY": day, "HIPPO_JOB_ID": job_id, "HIPPO_ATTEMPT": str(attempt)}
        args = load.arguments(words)
        return load.run(self.spark, self.place, args, str(self.folder), Attempt.of(environment, day))

    def rows(self, table: str = "sales") -> list[tuple]:
        return sorted(self.sql(f"SELECT city, amount, price, day FROM {table}"))

    def tables(self) -> list[str]:
        names = self.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{self.schema}' ORDER BY 1")
        return [name for (name,) in names]

    def test_makes_the_table_and_replaces_its_partition_and_no_other(self):
        self.land(ROWS)
        self.land(ROWS, day="20240102")
        self.assertEqual(self.run_job()["rows"], 2)
        self.assertEqual(self.run_job(day="20240102")["replaced"], 0)
        self.land("SELECT 'Hualien' AS city, 3 AS amount, 1.25 AS price")
        self.assertEqual(self.run_job()["replaced"], 2)
        self.assertEqual(self.rows(), [
            ("Hualien", "3", "1.25", "20240101"),
            ("Tainan", "1", "28.50", "20240102"),
            ("Taipei", "2", "30.00", "20240102"),
        ])
        self.assertEqual(self.tables(), ["hippo_loads", "sales"])

    def test_keeps_the_types_keys_and_rights_of_a_table_that_is_there(self):
        self.sql("CREATE TABLE typed (id uuid PRIMARY KEY, doc jsonb, tags text[], price numeric(6, 2), at timestamptz,"
                 " bytes bytea, day date, note text DEFAULT 'none'); CREATE VIEW seen AS SELECT id FROM typed")
        self.land("SELECT '00000000-0000-0000-0000-00000000000a' AS id, '{\"a\": null}' AS doc, array('x', NULL) AS tags,"
                  " 1.5BD AS price, timestamp'2024-01-01 00:00:00Z' AS at, X'00ff' AS bytes", day="2024-01-01")
        for _ in range(2):
            self.run_job("typed", day="2024-01-01")
        self.assertEqual(
            self.sql("SELECT id, doc->'a', tags[2] IS NULL, price, at = '2024-01-01T00:00Z', bytes, day, note FROM typed"),
            [("00000000-0000-0000-0000-00000000000a", "null", "t", "1.50", "t", "\\x00ff", "2024-01-01", "none")],
        )
        self.assertEqual(self.sql("SELECT count(*) FROM seen"), [("1",)])

    def test_replaces_its_rows_whatever_the_type_of_a_level_is(self):
        levels = [("int", "01"), ("date", "20240101"), ("date", "2024-01-01"), ("char(9)", "01"), ("numeric", "1")]
        for kind, day in levels:
            with self.subTest(f"{kind} {day}"):
                self.sql("DROP TABLE IF EXISTS typed;"
                         f"CREATE TABLE typed (city text, amount int, price numeric, day {kind})")
                self.land(ROWS, day=day)
                self.assertEqual([self.run_job("typed", day=day)["replaced"] for _ in range(2)], [0, 2])
                self.assertEqual(self.sql("SELECT count(*) FROM typed"), [("2",)])

    def test_keeps_times_whatever_the_zone_of_java_is(self):
        self.set_java_zone("Europe/Berlin")
        self.sql("CREATE TABLE times (local timestamp, ntz timestamp, moment timestamptz, day text)")
        self.land("SELECT timestamp'2024-03-31 00:00:00Z' AS local, timestamp_ntz'2024-03-31 02:30:00' AS ntz,"
                  " timestamp'2024-03-31 00:00:00Z' AS moment")
        self.run_job("times")
        self.assertEqual(
            self.sql("SELECT local, ntz, moment FROM times"),
            [("2024-03-31 00:00:00", "2024-03-31 02:30:00", "2024-03-31 00:00:00+00")],
        )

    def test_reads_the_folder_that_spark_writes(self):
        self.spark.sql(f"SELECT *, '2024-01-01T09:00' AS day FROM ({ROWS})").write.partitionBy("day").parquet(
            f"{self.folder}/shop.sales"
        )
        self.assertEqual(self.run_job(day="2024-01-01T09:00")["rows"], 2)
        self.assertEqual({row[3] for row in self.rows()}, {"2024-01-01T09:00"})

    def test_needs_no_right_beyond_the_schema_and_the_table(self):
        if self.sql("SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user") != [("t",)]:
            self.skipTest("the user of $DATABASE_URL cannot make a role")
        loader = f"{self.schema}_loader"
        self.sql("CREATE TABLE sales (city text, amount int, price numeric, day text);"
                 f"CREATE ROLE {loader} LOGIN PASSWORD 'swordfish'; GRANT USAGE, CREATE ON SCHEMA {self.schema} TO {loader};"
                 f"GRANT SELECT, INSERT, DELETE ON sales TO {loader}")
        self.addCleanup(self.sql, f"DROP OWNED BY {loader}; DROP ROLE {loader}")
        self.land(ROWS)
        own, self.place = self.place, Database(f"postgres://{loader}:swordfish@{self.place.place.removeprefix('postgres://')}")
        self.addCleanup(setattr, self, "place", own)
        self.assertEqual(self.run_job()["rows"], 2)

    def test_readers_see_all_of_the_old_rows_or_all_of_the_new_ones(self):
        self.land("SELECT id AS amount, 'old' AS city, 1.0 AS price FROM range(2000)")
        self.run_job()
        seen, stop = set(), threading.Event()

        def look():
            with self.place.connect(self.spark._jvm) as session:
                while not stop.is_set():
                    seen.update(session.query(f"SELECT count(*), min(city), max(city) FROM {self.schema}.sales"))
                    session.commit()

        reader = threading.Thread(target=look)
        reader.start()
        try:
            for size, city in [(3000, "new"), (500, "newer")]:
                self.land(f"SELECT id AS amount, '{city}' AS city, 1.0 AS price FROM range({size})")
                self.run_job()
        finally:
            stop.set()
            reader.join()
        self.assertLessEqual(seen, {("2000", "old", "old"), ("3000", "new", "new"), ("500", "newer", "newer")})
        self.assertGreaterEqual(len(seen), 2)

    def test_an_older_attempt_that_comes_late_changes_nothing(self):
        self.land(ROWS)
        self.run_job(job_id="load_1000", attempt=2)
        with self.assertRaisesRegex(Problem, "load_1000, attempt 2, has loaded this partition since"):
            self.run_job(job_id="load_1000", attempt=1)
        with self.assertRaisesRegex(Problem, "load_1000, attempt 2"):
            self.run_job(job_id="load_999", attempt=5)
        self.assertEqual(self.run_job(job_id="load_1001", attempt=1)["replaced"], 2)
        self.assertEqual(len(self.rows()), 2)

    def test_a_failure_leaves_the_old_rows_and_no_staging_table(self):
        self.land(ROWS)
        self.run_job()
        self.sql("ALTER TABLE sales ADD CONSTRAINT small CHECK (amount < 5)")
        self.land("SELECT 'Hualien' AS city, 7 AS amount, 1.25 AS price")
        with self.assertRaisesRegex(Problem, 'violates check constraint "small"'):
            self.run_job()
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(self.tables(), ["hippo_loads", "sales"])

    def test_what_a_lost_attempt_has_staged_goes(self):
        self.land(ROWS)
        left = load.staging_prefix((self.schema, "sales"), "20240101") + "1000_1"
        self.sql(f"CREATE TABLE {left} (city text)")
        self.run_job(job_id="load_1000", attempt=2)
        self.assertEqual(self.tables(), ["hippo_loads", "sales"])

    def test_says_what_is_wrong_and_changes_nothing(self):
        self.land(ROWS)
        with self.assertRaisesRegex(Problem, "nothing to read in .*day=20991231"):
            self.run_job(day="20991231")
        self.sql("CREATE TABLE sales (city text, amount int, day text); INSERT INTO sales VALUES ('kept', 1, '20240101')")
        with self.assertRaisesRegex(Problem, "has no column price; it has: city, amount, day. Add it: ALTER TABLE"):
            self.run_job()
        self.assertEqual(self.sql("SELECT city FROM sales"), [("kept",)])
