"""Checks JUnit XML files: junitparser reads them, and the totals they state are those of the cases in them."""

import sys

from junitparser import JUnitXml, TestSuite


def faults(path):
    """What is wrong with the file, in words."""
    read = JUnitXml.fromfile(path)
    found = [] if sum(1 for suite in suites(read) for _ in suite) else ["no test case"]
    for suite in suites(read):
        stated = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        counted = (suite.tests, suite.failures, suite.errors, suite.skipped)
        if stated != counted:
            found.append(f"suite {suite.name}: tests, failures, errors, skipped are {stated}, counted {counted}")
    return found


def suites(read):
    """The suites of a file, which may also be a single one."""
    return [read] if isinstance(read, TestSuite) else list(read)


wrong = [f"{path}: {fault}" for path in sys.argv[1:] for fault in faults(path)]
print("\n".join(wrong))
sys.exit(bool(wrong) or len(sys.argv) < 2)
