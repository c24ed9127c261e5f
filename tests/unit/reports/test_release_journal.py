"""The journal of releases: a changed, removed or cut off line is noticed, and states follow from the events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reports.release.journal import (
    APPROVED,
    AUDITED,
    BUILT,
    PUBLISHED,
    REFUSED,
    SUPERSEDED,
    WITHDRAWN,
    Entry,
    Journal,
    JournalError,
    current_of,
    published_of,
)
from reports.release.versions import Version

AT = "2026-12-17T09:30:00+00:00"


def entry(event: str, version: str = "1.0.0", **details: Any) -> Entry:
    return Entry(event, "2025-26-Q1", version, AT, details)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "releases" / "journal.jsonl", tmp_path / "heads" / "journal.json")
    made.append([entry(BUILT, edition=1), entry(AUDITED, passed=True)])
    made.append([entry(APPROVED, role="head of statistics")])
    return made


def test_entries_come_back_as_they_were_written(journal: Journal) -> None:
    entries = journal.read()
    assert [(each.sequence, each.event) for each in entries] == [(1, BUILT), (2, AUDITED), (3, APPROVED)]
    assert entries[1].previous_hash == entries[0].hash
    assert journal.path.stat().st_mode & 0o777 == 0o600


def _edit(journal: Journal, number: int, edit: Any) -> None:
    lines = journal.path.read_text().splitlines()
    values = json.loads(lines[number - 1])
    edit(values)
    lines[number - 1] = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    journal.path.write_text("\n".join(lines) + "\n")


def _truncate(journal: Journal, keep: int) -> None:
    lines = journal.path.read_text().splitlines()
    journal.path.write_text("".join(f"{line}\n" for line in lines[:keep]))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda j: _edit(j, 3, lambda v: v["details"].update(role="nobody")), "line 3: it was changed"),
        (lambda j: _edit(j, 1, lambda v: v.update(event="lost")), "line 1: its event is unknown"),
        (lambda j: j.path.write_text("".join(j.path.read_text().splitlines(True)[1:])), "does not follow"),
        (lambda j: _truncate(j, 2), "1 of 3 entries are missing"),
        (lambda j: j.path.unlink(), "3 of 3 entries are missing"),
        (lambda j: j.path.write_bytes(b"\xff\n" + j.path.read_bytes()), "line 1: it is not an entry"),
        (lambda j: j.head.write_text("{"), "cannot be read"),
    ],
)
def test_every_damage_is_noticed_and_nothing_is_appended(journal: Journal, damage: Any, said: str) -> None:
    damage(journal)
    before = journal.path.read_bytes() if journal.path.exists() else None
    with pytest.raises(JournalError, match=said):
        journal.read()
    with pytest.raises(JournalError):
        journal.append([entry(PUBLISHED)])
    assert (journal.path.read_bytes() if journal.path.exists() else None) == before


def test_an_exchanged_journal_is_noticed(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "other.jsonl", tmp_path / "other.json")
    other.append([entry(BUILT, edition=2), entry(AUDITED, passed=True), entry(APPROVED, role="x")])
    journal.path.write_bytes(other.path.read_bytes())
    with pytest.raises(JournalError, match="is not the entry that"):
        journal.read()


def test_a_line_cut_short_by_a_kill_was_never_noted(journal: Journal) -> None:
    whole = journal.path.read_bytes()
    with journal.path.open("ab") as stream:
        stream.write(b'{"event":"publ')
    assert len(journal.read()) == 3
    [added] = journal.append([entry(PUBLISHED)])
    assert added.sequence == 4
    assert journal.path.read_bytes().startswith(whole)


def test_a_head_kept_behind_by_a_kill_catches_up(journal: Journal) -> None:
    behind = journal.head.read_bytes()
    journal.append([entry(PUBLISHED)])
    journal.head.write_bytes(behind)
    assert len(journal.read()) == 4
    journal.append([entry(WITHDRAWN)])
    assert json.loads(journal.head.read_bytes())["lines"] == 5


KEY = ("2025-26-Q1", Version(1, 0, 0))


def test_building_anew_takes_audit_and_approval_away(journal: Journal) -> None:
    assert journal.states()[KEY].state == APPROVED
    journal.append([entry(BUILT, edition=1)])
    assert journal.states()[KEY].state == BUILT
    journal.append([entry(AUDITED, passed=False)])
    assert journal.states()[KEY].state == REFUSED


def test_a_later_audit_takes_the_approval_away(journal: Journal) -> None:
    journal.append([entry(AUDITED, passed=True)])
    assert journal.states()[KEY].state == AUDITED


def test_what_was_public_once_stays_known_whatever_is_written_later(journal: Journal) -> None:
    journal.append([entry(PUBLISHED)])
    assert current_of(journal.states().values(), "2025-26-Q1") == journal.states()[KEY]
    journal.append([entry(BUILT, edition=1), entry(AUDITED, passed=False)])
    assert journal.states()[KEY].state == PUBLISHED
    journal.append([entry(SUPERSEDED, by="1.1.0"), entry(WITHDRAWN, role="x", reason="y")])
    state = journal.states()[KEY]
    assert (state.state, state.was_published, state.is_current) == (WITHDRAWN, True, False)
    assert current_of(journal.states().values(), "2025-26-Q1") is None
    assert [each.version for each in published_of(journal.states().values(), "2025-26-Q1")] == [KEY[1]]
