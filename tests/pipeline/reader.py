"""An analyst in a second process: python reader.py SERVING STOP FOUND. Part of test_serving_reader.py, not a test.

Reads the serving copy again and again until the file STOP is there, and writes to FOUND one line a reading: the
copy it read, its figures and how they compare between the DuckDB file and Parquet. Any failure ends it with 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

FIGURES = "select count(*), sum(met_count), max(period_code) from "


def main() -> None:
    """Read until told to stop."""
    current, stop, found = map(Path, sys.argv[1:4])
    with found.open("w", encoding="utf-8") as stream:
        while not stop.exists():
            # the link is followed once, as every reader should who wants figures of one build
            copy = current.resolve(strict=True)
            with duckdb.connect(str(copy / "victims_code.duckdb"), read_only=True) as con:
                figures = con.execute(FIGURES + "marts.local_area_compliance").fetchone()
            parquet = copy / "marts" / "local_area_compliance.parquet"
            same = duckdb.sql(f"{FIGURES} read_parquet('{parquet}')").fetchone()
            print(json.dumps([copy.name, list(figures or ()), list(same or ())]), file=stream, flush=True)


if __name__ == "__main__":
    main()
