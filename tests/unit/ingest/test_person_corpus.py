"""The screen for personal data, measured: what it finds of planted cases, and what it wrongly stops."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from ingest.acceptance.person import screen

CORPUS = Path(__file__).parent / "person_corpus"
KINDS = {
    "email_address": "PERSON-001",
    "phone_number": "PERSON-002",
    "national_insurance_number": "PERSON-003",
    "nhs_number": "PERSON-004",
    "postcode": "PERSON-005",
    "date_of_birth": "PERSON-006",
    "reference": "PERSON-007",
    "name_with_title": "PERSON-008",
}
FLOOR = dict.fromkeys(KINDS, 0.95) | {"name_with_title": 0.90}
MOST_FALSE_ALARMS = 0.01
MARK = re.compile(r"\\(?:([nt])|u([0-9a-f]{4}))")


def read(name: str) -> list[str]:
    """Return the texts of a file of the corpus, its marks turned into the characters they stand for."""
    lines = (CORPUS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [
        MARK.sub(lambda m: {"n": "\n", "t": "\t"}.get(m[1]) or chr(int(m[2], 16)), line)
        for line in lines
        if line and not line.startswith("# ")
    ]


def test_the_screen_finds_planted_cases_and_lets_ordinary_text_pass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ordinary = read("ordinary")
    start = time.perf_counter()
    alarms = {text: codes for text in ordinary if (codes := screen(text))}
    spent = time.perf_counter() - start
    missed = {
        kind: [text for text in read(f"planted_{kind}") if code not in screen(text)]
        for kind, code in KINDS.items()
    }
    planted = {kind: len(read(f"planted_{kind}")) for kind in KINDS}
    recall = {kind: 1 - len(missed[kind]) / planted[kind] for kind in KINDS}
    with capsys.disabled():
        print(f"\n{'screen for persons':<28}{'cases':>6}{'found':>7}{'recall':>8}{'false alarms':>14}")
        for kind, code in KINDS.items():
            wrong = sum(code in codes for codes in alarms.values())
            found = planted[kind] - len(missed[kind])
            print(
                f"{kind.replace('_', ' '):<28}{planted[kind]:>6}{found:>7}{recall[kind]:>8.1%}"
                f"{wrong / len(ordinary):>14.2%}"
            )
        print(
            f"{len(alarms)} of {len(ordinary)} ordinary lines stopped ({len(alarms) / len(ordinary):.2%}), "
            f"{1e6 * spent / len(ordinary):.0f} microseconds a line"
        )
    assert min(planted.values()) >= 60 and len(ordinary) >= 600
    assert {kind: missed[kind] for kind in KINDS if recall[kind] < FLOOR[kind]} == {}
    assert alarms == {} or len(alarms) / len(ordinary) <= MOST_FALSE_ALARMS, alarms
