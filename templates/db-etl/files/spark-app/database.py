"""The PostgreSQL of $DATABASE_URL: for Spark's reads and writes, and for statements, by the same JDBC driver."""

import contextlib
import re
import sys
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

# What this program ends with; anything else that fails is 1.
WRONG_SETTING = 2
UNREACHABLE = 3
# The driver takes Java's zone for that of its connections.
IN_UTC = "SET TIME ZONE 'UTC'"


class Problem(Exception):
    """Something that a person must mend; the text says what. `exit_code` is what the program ends with."""

    def __init__(self, text: str, exit_code: int = 1):
        super().__init__(text)
        self.exit_code = exit_code


def quoted(*names: str) -> str:
    """Names as SQL has them: "public"."orders"."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def use_utc(spark: SparkSession) -> None:
    """The driver shifts timestamps by Java's zone. start-spark.sh sets that for executors, too; an option of Java wins."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    zones = spark._jvm.java.util.TimeZone
    zones.setDefault(zones.getTimeZone("UTC"))


def table_name(text: str) -> tuple[str, str]:
    """Reads `schema.table`."""
    schema, dot, table = text.partition(".")
    if not (schema and dot and table):
        raise ValueError(f"{text!r} is not schema.table")
    return schema, table


class Database:
    """Where the database is. Its URL, which has the password, is printed nowhere."""

    def __init__(self, url: str | None):
        if not url:
            raise Problem("$DATABASE_URL is not set: set it, or start a PostgreSQL: hippo up", WRONG_SETTING)
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError:
            raise Problem("$DATABASE_URL is not a URL: a / in the password is written %2F", WRONG_SETTING) from None
        if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or len(parts.path) < 2:
            raise Problem("$DATABASE_URL is not postgres://user:password@host:5432/database", WRONG_SETTING)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        settings = {**dict(parse_qsl(parts.query)), "stringtype": "unspecified", "ApplicationName": "hippo"}
        self.place = f"postgres://{host}:{port}{parts.path}"
        self.url = f"jdbc:postgresql://{host}:{port}{parts.path}?{urlencode(settings)}"
        self.user = unquote(parts.username or "postgres")
        self.password = unquote(parts.password or "")

    @property
    def options(self) -> dict[str, str]:
        """The options of Spark's data source jdbc."""
        return {"url": self.url, "user": self.user, "password": self.password, "driver": "org.postgresql.Driver"}

    def connect(self, jvm) -> "Session":
        """Opens a connection in Spark's own Java: `spark._jvm`."""
        try:
            driver = jvm.org.postgresql.Driver()
        except TypeError:
            raise Problem("Spark has no JDBC driver of PostgreSQL: run hippo up, or set SPARK_JARS", WRONG_SETTING) from None
        settings = jvm.java.util.Properties()
        settings.setProperty("user", self.user)
        settings.setProperty("password", self.password)
        settings.setProperty("connectTimeout", "10")
        try:
            return Session(driver.connect(self.url, settings))
        except Py4JJavaError as error:
            raise problem_of(error, self.place) from None


def problem_of(error: Py4JJavaError, place: str = "the database") -> Exception:
    """What an error of the driver says, or of the files; an error of another kind stays as it is."""
    thrown, last = error.java_exception, error.java_exception
    while thrown is not None and not is_sql(thrown):
        thrown, last = thrown.getCause(), thrown
    if thrown is None:
        if re.match(r"(java\.(io|net|nio)|org\.apache\.hadoop)\.", last.getClass().getName()):
            return Problem(f"cannot read or write the files of the table: {' '.join(str(last.getMessage()).split())}")
        return error
    state = thrown.getSQLState() or ""
    text = " ".join((thrown.getMessage() or "").split())
    if state.startswith("28"):
        return Problem(f"{place} refuses the user or the password of $DATABASE_URL: {text}", UNREACHABLE)
    if state.startswith("08") or state in ("57P01", "57P03", "53300"):
        return Problem(f"{place} cannot be reached: {text}", UNREACHABLE)
    if state == "3D000":
        return Problem(f"{place}: {text}", WRONG_SETTING)
    return Problem(text)


def is_sql(thrown) -> bool:
    return hasattr(thrown, "getSQLState") and re.search(r"SQL|PSQL|Batch", thrown.getClass().getName()) is not None


class Session:
    """One connection, whose statements are one transaction until `commit`. Values are texts, and None is NULL."""

    def __init__(self, connection):
        self.connection = connection
        connection.setAutoCommit(False)
        self.execute(f"{IN_UTC}; SET datestyle = 'ISO, YMD'; SET idle_in_transaction_session_timeout = 0")
        self.commit()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_) -> None:
        # One that is gone cannot be closed: what was not committed is not there.
        with contextlib.suppress(Py4JJavaError):
            self.connection.close()

    def query(self, sql: str, *values: str) -> list[tuple[str | None, ...]]:
        """Runs one statement, with the values of its parameters."""
        try:
            statement = self.connection.prepareStatement(sql)
            for index, value in enumerate(values, 1):
                statement.setString(index, value)
            rows = rows_of(statement.getResultSet()) if statement.execute() else []
            statement.close()
            return rows
        except Py4JJavaError as error:
            raise problem_of(error) from None

    def value(self, sql: str, *values: str) -> str | None:
        """The first column of the first row."""
        rows = self.query(sql, *values)
        return rows[0][0] if rows else None

    def execute(self, sql: str) -> tuple[list[str], list[tuple[str | None, ...]]] | None:
        """Runs statements. Returns the columns and rows of the last one that has any."""
        found = None
        try:
            statement = self.connection.createStatement()
            has_rows = statement.execute(sql)
            while has_rows or statement.getUpdateCount() != -1:
                if has_rows:
                    results = statement.getResultSet()
                    meta = results.getMetaData()
                    names = [meta.getColumnLabel(index + 1) for index in range(meta.getColumnCount())]
                    found = names, rows_of(results)
                has_rows = statement.getMoreResults()
            statement.close()
            return found
        except Py4JJavaError as error:
            raise problem_of(error) from None

    def commit(self) -> None:
        try:
            self.connection.commit()
        except Py4JJavaError as error:
            raise problem_of(error) from None

    def rollback(self) -> None:
        """Undoes what was not committed. Of a connection that is gone, the database does that itself."""
        with contextlib.suppress(Py4JJavaError):
            self.connection.rollback()

    def columns(self, schema: str, table: str) -> list["Column"]:
        """The columns of a table or view, in their order; empty where there is none."""
        return [
            Column(name, type_name, base, int(typmod or -1), int(dimensions or 0), not_null == "t")
            for name, type_name, base, typmod, dimensions, not_null in self.query(COLUMNS, schema, table)
        ]

    def require_columns(self, schema: str, table: str) -> list["Column"]:
        columns = self.columns(schema, table)
        if columns:
            return columns
        others = [name for (name,) in self.query(TABLES)]
        raise Problem(f"there is no table {schema}.{table}; there are: {', '.join(others[:10]) or 'none'}", WRONG_SETTING)


class Column:
    def __init__(self, name: str, type_name: str, base: str, typmod: int, dimensions: int, not_null: bool):
        self.name = name
        # As it is declared: numeric(10,2), timestamp with time zone[].
        self.type_name = type_name
        # Without length, precision and brackets: numeric, timestamptz.
        self.base = base
        self.typmod = typmod
        # Of an array, as they are declared; 0 for any other type.
        self.dimensions = dimensions
        self.is_array = dimensions > 0
        self.not_null = not_null

    @property
    def precision(self) -> tuple[int, int] | None:
        """Of a numeric with precision and scale."""
        if self.base != "numeric" or self.typmod < 4:
            return None
        packed = self.typmod - 4
        scale = packed & 0x7FF
        return packed >> 16, scale - 2048 if scale >= 1024 else scale


COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(e.typname, t.typname), a.atttypmod,
  CASE WHEN t.typcategory = 'A' THEN greatest(a.attndims, 1) ELSE 0 END, a.attnotnull
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE n.nspname = ? AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped
  AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
ORDER BY a.attnum
"""

TABLES = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1
"""


def rows_of(results) -> list[tuple[str | None, ...]]:
    count = results.getMetaData().getColumnCount()
    rows = []
    while results.next():
        rows.append(tuple(results.getString(index + 1) for index in range(count)))
    return rows


def run(name: str, work) -> None:
    """Runs the app. A problem is printed in one line, and says what the program ends with."""
    try:
        work()
    except Problem as problem:
        end(name, problem)
    except Py4JJavaError as error:
        problem = problem_of(error)
        if not isinstance(problem, Problem):
            raise
        end(name, problem)


def end(name: str, problem: Problem) -> None:
    print(f"{name}: {problem}", file=sys.stderr)
    sys.exit(problem.exit_code)
