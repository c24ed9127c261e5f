"""`python -m quality.false_flags` prints the tables; with `--write` they replace those in docs/methods.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from quality.false_flags.inputs import Country, Rules
from quality.false_flags.study import Study, report

PAGE = Path(__file__).resolve().parents[2] / "docs" / "methods.md"
BEGIN = "<!-- false flags: written by python -m quality.false_flags --write -->"
END = "<!-- end of false flags -->"


def written_into(page: str, tables: str) -> str:
    """Return the page with what stands between the two markers replaced."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks the markers {BEGIN} and {END}")
    return f"{before}{begin}\n{tables.strip()}\n{end}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m quality.false_flags", description=__doc__)
    parser.add_argument("--histories", type=int, default=200, help="histories to draw (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same tables (default: 1)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/methods.md")
    options = parser.parse_args(arguments)
    rules = Rules.load()
    tables = report(Study(Country.load(rules), rules, options.histories, options.seed))
    print(tables)
    if options.write:
        PAGE.write_text(written_into(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
        print(f"Written into {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
