"""Partitions as arguments of the jobs."""

import argparse
import re


def level(text: str) -> tuple[str, str]:
    """Reads `name=value`. Spark would take `*` or `{` in a path as a pattern, and `/` as a folder."""
    match = re.fullmatch(r"(\w+)=([\w.:+ -]+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not level=value of plain characters")
    return match[1], match[2]
