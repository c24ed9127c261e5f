"""The one real return in the project: Essex's audit of 2019/20, packed from readable CSV and delivered."""

from __future__ import annotations

import csv
from pathlib import Path

from ingest.files import replacing
from ingest.synthetic.files import Cell, Sheet, record_arrivals, xlsx_bytes

SAMPLES_DIR = Path(__file__).resolve().parent.parent / "samples"
SOURCE_DIR = SAMPLES_DIR / "essex_2019_20"
PACKED_PATH = SAMPLES_DIR / "essex_vcop_2019_20.xlsx"
SENDER_CODE = "E23000028-lpb"
ARRIVED_AT = "2020-06-30T10:00:00Z"
_COUNTS = {"cases_stated", "base_stated"}


def packed_bytes(source_dir: Path = SOURCE_DIR) -> bytes:
    """Return the workbook made of cover.csv and answers.csv in `source_dir`: same source, same bytes.

    Printed values stay text, exactly as typed; an empty cell stays empty.
    """
    return xlsx_bytes({name: _sheet(source_dir / f"{name}.csv") for name in ("cover", "answers")})


def _sheet(path: Path) -> Sheet:
    with path.open(encoding="utf-8", newline="") as handle:
        header, *lines = csv.reader(handle)
    rows: list[list[Cell]] = [
        [
            int(text) if text and name in _COUNTS else text or None
            for name, text in zip(header, line, strict=True)
        ]
        for line in lines
    ]
    return Sheet(tuple(header), frozenset(), rows)


def deliver_essex(inbox: Path) -> Path:
    """Put the packed return into the sender's folder of the inbox, arrived in 2020. Returns its path."""
    path = inbox / SENDER_CODE / PACKED_PATH.name
    with replacing(path) as temporary:
        temporary.write_bytes(PACKED_PATH.read_bytes())
    record_arrivals(inbox, [(SENDER_CODE, path.name, ARRIVED_AT)])
    return path


def main() -> None:
    """Pack the source again into the committed workbook."""
    with replacing(PACKED_PATH) as temporary:
        temporary.write_bytes(packed_bytes())
