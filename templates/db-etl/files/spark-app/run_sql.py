"""Runs SQL on the database, and prints what it answers: ./sql.sh 'SELECT 1', ./sql.sh FILE."""

import os
import sys
from pathlib import Path

from pyspark.java_gateway import launch_gateway

import database


def table_of(names: list[str], rows: list[tuple]) -> str:
    """Columns below one another; NULL is empty."""
    texts = [names, *[["" if value is None else value for value in row] for row in rows]]
    widths = [max(len(row[index]) for row in texts) for index in range(len(names))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts)


def main() -> None:
    if len(sys.argv) < 2:
        raise database.Problem("needs a file or statements: ./sql.sh 'SELECT 1'", database.WRONG_SETTING)
    place = database.Database(os.environ.get("DATABASE_URL"))
    # spark-submit has started a Java that has the driver; no Spark is needed in it.
    with place.connect(launch_gateway().jvm) as session:
        for argument in sys.argv[1:]:
            if argument.endswith(".sql") and not Path(argument).is_file():
                raise database.Problem(f"there is no file {argument}", database.WRONG_SETTING)
            answer = session.execute(Path(argument).read_text("utf-8") if argument.endswith(".sql") else argument)
            if answer is not None:
                print(table_of(*answer))
        session.commit()


if __name__ == "__main__":
    database.run("sql", main)
