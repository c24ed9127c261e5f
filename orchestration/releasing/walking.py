"""A walk over everything that is public: every file and every figure against what was approved.

Belongs here: comparing the public tree with journal and ledgers, as somebody would who trusts neither the
program that published nor the checksums beside the files. Does not: making the tree.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestration.releasing.drafting import rules_of
from orchestration.releasing.promoting import LEDGER, Releases, public_faults
from quality.disclosure.errors import DisclosureError
from quality.disclosure.ledger import LedgerRow, ledger_of, read_ledger
from quality.disclosure.rules import Rules
from reports.files import cell_text
from reports.release.journal import PUBLISHED, WITHDRAWN


def walk(releases: Releases) -> list[str]:
    """What is public and was not approved, file by file and figure by figure, a sentence each."""
    return [*public_faults(releases), *figure_faults(releases)]


def figure_faults(releases: Releases) -> list[str]:
    """Figures of the public tables that are not those of the ledger that was approved, and the other way.

    The figures are read out of the files anew. A CSV must say, cell by cell, what the Parquet beside it says.
    """
    tree = releases.public.current()
    if tree is None:
        return []
    rules, _ = rules_of(releases.project.seeds_folder)
    states = sorted(
        (state for state in releases.journal.states().values() if state.was_published),
        key=lambda state: state.events[PUBLISHED].sequence,
    )
    faults: list[str] = []
    earlier: list[LedgerRow] = []
    for state in states:
        approved = read_ledger(releases.record(state.period_code, state.version) / LEDGER)
        folder = tree / "releases" / state.release_id
        if state.state != WITHDRAWN:
            faults += _against_ledger(folder, state.release_id, approved, earlier, rules)
            faults += _csv_faults(folder)
        earlier += approved
    return faults


def _against_ledger(
    folder: Path,
    release_id: str,
    approved: Sequence[LedgerRow],
    earlier: Sequence[LedgerRow],
    rules: Mapping[int, Rules],
) -> list[str]:
    try:
        found = ledger_of(folder, release_id=release_id, rules=rules, earlier=earlier)
    except DisclosureError as error:
        return [f"{release_id}: its figures cannot be read: {error}"]
    present, expected = set(found), set(approved)
    faults = [
        f"{row.place}: {_said(row)} was never approved." for row in sorted(present - expected, key=_key)
    ]
    return faults + [
        f"{row.place}: {_said(row)} was approved and is not there."
        for row in sorted(expected - present, key=_key)
    ]


def _csv_faults(folder: Path) -> list[str]:
    import pyarrow.parquet as pq

    faults = []
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path)
        columns = [[cell_text(value) for value in column.to_pylist()] for column in table.columns]
        expected = [list(table.column_names), *(list(row) for row in zip(*columns, strict=True))]
        with path.with_suffix(".csv").open(newline="", encoding="utf-8") as stream:
            lines = list(csv.reader(stream))
        faults += [
            f"{path.with_suffix('.csv')}, line {number}: it does not say what {path.name} says."
            for number, (line, row) in enumerate(zip(lines, expected, strict=False), 1)
            if line != row
        ]
        if len(lines) != len(expected):
            faults.append(f"{path.with_suffix('.csv')} has {len(lines)} lines; {path.name} {len(expected)}.")
    return faults


def _said(row: LedgerRow) -> str:
    return str(row.text if row.value is None else row.value)


def _key(row: LedgerRow) -> tuple[str, ...]:
    return (*row.identity, row.form)
