"""Tests of the connection and of what its errors say."""

import unittest

import database
from database import Database, Problem, table_name
from testing import DatabaseTest


class UrlTest(unittest.TestCase):
    def test_a_url_becomes_that_of_jdbc_and_the_password_is_not_in_it(self):
        place = Database("postgres://ann:p%2Fw%40d@db.example.com/shop?sslmode=require")
        self.assertEqual(place.place, "postgres://db.example.com:5432/shop")
        self.assertTrue(place.url.startswith("jdbc:postgresql://db.example.com:5432/shop?sslmode=require&"))
        self.assertEqual((place.user, place.password), ("ann", "p/w@d"))
        self.assertNotIn("p/w", place.url + place.place)

    def test_what_is_no_url_of_a_database_is_a_wrong_setting(self):
        for url in (None, "", "mysql://db/shop", "postgres://db", "postgres://ann:a/b@db:5432/shop"):
            with self.subTest(url), self.assertRaisesRegex(Problem, "DATABASE_URL") as raised:
                Database(url)
            self.assertEqual(raised.exception.exit_code, database.WRONG_SETTING)

    def test_a_table_has_a_schema(self):
        self.assertEqual(table_name("public.orders"), ("public", "orders"))
        for text in ("orders", ".orders", "public."):
            with self.subTest(text), self.assertRaises(ValueError):
                table_name(text)


class ConnectionTest(DatabaseTest):
    def test_a_database_that_is_away_or_refuses_is_named_without_the_password(self):
        own = f"{self.place.user}:{self.place.password}"
        host = self.place.place.removeprefix("postgres://")
        table = [
            ("postgres://ann:swordfish@127.0.0.1:1/shop", "127.0.0.1:1/shop cannot be reached", database.UNREACHABLE),
            (f"postgres://{self.place.user}:swordfish@{host}", "refuses the user or the password", database.UNREACHABLE),
            (f"postgres://{own}@{host}_none", 'database ".*_none" does not exist', database.WRONG_SETTING),
        ]
        for url, text, exit_code in table:
            with self.subTest(text), self.assertRaisesRegex(Problem, text) as raised:
                Database(url).connect(self.spark._jvm)
            self.assertEqual(raised.exception.exit_code, exit_code)
            self.assertNotIn("swordfish", str(raised.exception))
            self.assertNotIn(self.place.password, str(raised.exception))

    def test_statements_are_one_transaction_and_answer_with_texts(self):
        with self.place.connect(self.spark._jvm) as session:
            session.execute(f"CREATE TABLE {self.schema}.t (a int, b text); INSERT INTO {self.schema}.t VALUES (1, NULL)")
            self.assertEqual(session.query(f"SELECT a, b FROM {self.schema}.t WHERE a = ?", "1"), [("1", None)])
        self.assertEqual(self.sql("SELECT to_regclass('t')"), [(None,)])


if __name__ == "__main__":
    unittest.main()
