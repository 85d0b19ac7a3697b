def level(text: str) -> tuple[str, str]:
    """Reads `name=value`. Spark would take `*` or `{` in a path as a pattern, and `/` as a folder."""
    match = re.fullmatch(r"(\w+)=([\w.:+ -]+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not level=value of plain characters")
    return match[1], match[2]


def path_of(table: str, partition: list[tuple[str, str]]) -> str:
    """A partition's folder. Hive and Spark write a colon in its name as %3A; of the others in `level` they escape none."""
    return "/".join([table, *(f"{name}={value.replace(':', '%3A')}" for name, value in partition)])
