#!/usr/bin/python3
"""compare_junit.py NATIVE OTHER: two JUnit files of CPython's regrtest. Prints, one a line, each test whose result differs:
"NAME NATIVE_RESULT OTHER_RESULT"; a test that is in one file only has the result "absent". Exit status: 0 none differs, 1 some do, 2 a
file cannot be read or has no tests."""

import sys
import xml.etree.ElementTree


def results(file_name):
    found = {}
    for case in xml.etree.ElementTree.parse(file_name).iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        # The same test of a base class may run twice under one name: what is worst of it counts.
        found.setdefault(case.get("name"), set()).update(kinds or {"ok"})
    return {name: "+".join(sorted(kinds)) for name, kinds in found.items()}


def main():
    try:
        native, other = results(sys.argv[1]), results(sys.argv[2])
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        print(f"compare_junit.py: {error}", file=sys.stderr)
        sys.exit(2)
    if not native:
        print(f"compare_junit.py: {sys.argv[1]} has no tests", file=sys.stderr)
        sys.exit(2)
    differing = [name for name in sorted(native.keys() | other.keys()) if native.get(name) != other.get(name)]
    for name in differing:
        print(name, native.get(name, "absent"), other.get(name, "absent"))
    sys.exit(1 if differing else 0)


main()
