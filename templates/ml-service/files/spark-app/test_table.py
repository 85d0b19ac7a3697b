"""Tests of reading and checking a table."""

import unittest

from table import DataProblem, is_held_out, read_table
from testing import SparkTest

SCHEMA = "width DOUBLE, name STRING"


class TableTest(SparkTest):
    def read(self, csv: str):
        return read_table(self.spark, self.land("lab.things", csv), SCHEMA)

    def test_gives_the_columns_of_the_schema_in_their_types(self):
        table = self.read("other,name,width\n1,a,2\n1,b,3.5\n")
        self.assertEqual(sorted(map(tuple, table.rows.collect())), [(2.0, "a"), (3.5, "b")])
        self.assertEqual(table.incomplete, 0)

    def test_reads_all_partitions(self):
        self.land("lab.things/dt=2024-01-01", "name,width\na,1\n")
        self.land("lab.things/dt=2024-01-02", "name,width\nb,2\n")
        self.assertEqual(read_table(self.spark, "lab.things", SCHEMA).rows.count(), 2)

    def test_names_the_column_that_is_not_as_expected(self):
        problems = {
            "name,breadth\na,1\n": r"no column width \(expected: DOUBLE\); there are: name, breadth; in .*lab\.things",
            "name,width\na,1\nb,wide\n": r"column width: expected DOUBLE, found 'wide' \(in 1 of 2 rows\)",
            "name,width\n": r"no rows in .*lab\.things",
        }
        for csv, said in problems.items():
            with self.subTest(said), self.assertRaisesRegex(DataProblem, said):
                self.read(csv)
        with self.assertRaisesRegex(DataProblem, "nothing to read in .*lab.missing"):
            read_table(self.spark, "lab.missing", SCHEMA)

    def test_leaves_out_the_rows_that_lack_a_value_if_they_are_few(self):
        rows = "".join(f"n{number},{number}\n" for number in range(60))
        table = self.read(f"name,width\n{rows},5\nx,\ny,NaN\n")
        self.assertEqual((table.rows.count(), table.incomplete), (60, 3))
        with self.assertRaisesRegex(DataProblem, r"2 of 4 rows lack a value; by column: width \(1\), name \(1\)"):
            self.read("name,width\na,1\nb,2\nc,\n,4\n")

    def test_a_row_stays_on_its_side_when_the_table_grows(self):
        held_out = []
        for count in (100, 300):
            table = self.land(f"lab.first_{count}", "".join(["name,width\n", *(f"n{n},{n}\n" for n in range(count))]))
            rows = read_table(self.spark, table, SCHEMA).rows.where(is_held_out("name", "width"))
            held_out.append({row["name"] for row in rows.collect()})
        self.assertEqual(held_out[0], {name for name in held_out[1] if int(name[1:]) < 100})
        self.assertTrue(10 <= len(held_out[0]) <= 30, held_out[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
