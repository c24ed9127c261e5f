"""What a draft is audited with: everything that is out, what was withheld of it, and what held of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.clock import FixedClock
from orchestration.project import Project
from orchestration.releasing.drafting import (
    STAYS,
    Before,
    before,
    rows_bytes,
    stays_withheld,
    with_earlier,
)
from orchestration.releasing.promoting import AUDIT, LEDGER, RELATIONS, SUPPRESSIONS, TRUTH, Releases
from quality.disclosure.knowledge import relations_of
from quality.disclosure.ledger import LedgerRow, ledger_bytes
from quality.disclosure.mend import Suppression, suppressions_bytes
from reports.files import publish_folder
from reports.release.journal import AUDITED, BUILT, PUBLISHED

Q1, Q2 = "2025-26-Q1", "2025-26-Q2"
TRUTH_TYPES = {"cell_id": "string", "base_count": "int64", "met_count": "int64", "is_revised": "bool"}
TERM_TYPES = {
    "relation_id": "string", "cell_id": "string", "measure": "string", "coefficient": "int32", "kind": "string",
}  # fmt: skip
SMALL, LARGE = (
    "statistic|police|E1|m|2025-26-Q1|census|all_cases",
    "statistic|police|E2|m|2025-26-Q1|census|all",
)


def adds_up(kind: str) -> list[dict[str, object]]:
    return [
        {"relation_id": "r", "cell_id": cell, "measure": "base", "coefficient": number, "kind": kind}
        for cell, number in ((SMALL, 1), (LARGE, -1))
    ]


def row(cell: str, form: str, measure: str = "base") -> LedgerRow:
    return LedgerRow(f"{Q1}/v1.0.0", "local_compliance", cell, f"{measure}_column", cell, measure, form)


def published(root: Path) -> Releases:
    """A first version of Q1 that is out: a small cell withheld by rule 1, a rate withheld by the audit."""
    clock = FixedClock(datetime(2025, 12, 18, 9, 30, tzinfo=ZoneInfo("Europe/London")))
    releases = Releases(Project(data_root=root, clock=clock))
    releases.project.root.create()
    ledger = ledger_bytes([row(SMALL, "suppressed"), row(LARGE, "rounded"), row(LARGE, "rounded", "met")])
    report = b"{}"
    record = {
        LEDGER: ledger,
        TRUTH: rows_bytes(
            [
                {"cell_id": SMALL, "base_count": 5, "met_count": 2, "is_revised": False},
                {"cell_id": LARGE, "base_count": 40, "met_count": 20, "is_revised": False},
            ],
            TRUTH_TYPES,
        ),
        RELATIONS: rows_bytes(adds_up("at_most_zero"), TERM_TYPES),
        SUPPRESSIONS: suppressions_bytes([Suppression(LARGE, 2, "exposed")]),
        AUDIT: report,
    }
    publish_folder(releases.record(Q1, "1.0.0"), record)
    from reports.release.encoding import sha256

    sums = {"sums_sha256": "s", "ledger_sha256": sha256(ledger)}
    releases.note(
        releases.entry(
            BUILT, Q1, "1.0.0", edition=1, issued_on="2025-09-18", reason="first", sums_sha256="s", cells=2,
            cells_published=1,
        ),
        releases.entry(AUDITED, Q1, "1.0.0", passed=True, audit_sha256=sha256(report), knew={}, **sums),
        releases.entry(PUBLISHED, Q1, "1.0.0", **sums),
    )  # fmt: skip
    return releases


def known(releases: Releases, period: str) -> Before:
    return before(releases, period, date(2025, 12, 18))


def test_a_cell_once_withheld_stays_withheld_in_every_version_of_its_quarter(tmp_path: Path) -> None:
    releases = published(tmp_path / "data")
    audit = Suppression(LARGE, 2, "exposed")
    assert known(releases, Q1).suppressions == (Suppression(SMALL, 3, STAYS), audit)
    # another quarter's release has no figure of it
    assert known(releases, Q2).suppressions == (audit,)


@pytest.mark.parametrize(
    ("met_count", "given", "level"),
    [
        (20, [("base", "rounded"), ("met", "rounded"), ("rate", "percent")], None),
        (36, [("base", "rounded"), ("rate", "open_band_high")], 1),
        (14, [("base", "rounded"), ("rate", "closed_band")], 1),
        (4, [("base", "rounded")], 2),
        (4, [("base", "suppressed")], 3),
        (4, [], 3),
        # a count is its own base, and all there is of it
        (None, [("base", "rounded")], None),
    ],
)
def test_what_a_version_did_not_give_no_later_one_gives(
    met_count: int | None, given: list[tuple[str, str]], level: int | None
) -> None:
    ledger = [row(LARGE, form, measure) for measure, form in given]
    truth = [{"cell_id": LARGE, "base_count": 40, "met_count": met_count}]
    expected = [] if level is None else [Suppression(LARGE, level, STAYS)]
    assert list(stays_withheld(ledger, truth)) == expected


def test_a_definition_that_held_of_what_is_out_is_still_known(tmp_path: Path) -> None:
    earlier = known(published(tmp_path / "data"), Q1).relations
    (held,) = relations_of(adds_up("at_most_zero"))
    assert earlier == {held: f"{Q1}/v1.0.0"}
    # revised figures no longer satisfy it, or satisfy it otherwise
    new, older = f"{Q1}/v1.1.0", replace(held, relation_id=f"r in {Q1}/v1.0.0")
    assert relations_of(with_earlier([], earlier, new)) == [older]
    exact = relations_of(with_earlier(adds_up("zero"), earlier, new))
    assert exact == [*relations_of(adds_up("zero")), older]
    # what is news may tell of cells that the new version does not touch
    assert [found.since for found in exact] == [new, None]
    (same,) = relations_of(with_earlier(adds_up("at_most_zero"), earlier, new))
    assert (same, same.since) == (held, None)
