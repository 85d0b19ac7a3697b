"""Runs the tests of this folder, test_*.py, in one Spark: ./test.sh starts it by spark-submit, as the app itself is started.

./test.sh NAME … runs only the files whose names contain one of the words.
"""

import sys
import unittest
from pathlib import Path


def main() -> None:
    folder = Path(__file__).resolve().parent
    # py4j leaves its sockets to the garbage collector.
    loader = unittest.TestLoader()
    patterns = [f"test_*{word}*.py" for word in sys.argv[1:]] or ["test_*.py"]
    suites = [loader.discover(str(folder), pattern) for pattern in patterns]
    result = unittest.TextTestRunner(verbosity=2, warnings="ignore").run(unittest.TestSuite(suites))
    # Fewer tests than one would also be "successful".
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
