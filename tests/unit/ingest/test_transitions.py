"""Decisions against the log of their cases: legal histories, spoilt ones, and the same answer everywhere."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from return_files import ReturnFile
from test_receive import deliver

from ingest import receive as receiving
from ingest.acceptance import RULES, Context, Judgement, Verdict, check_file, judge
from ingest.acceptance.transitions import (
    START,
    ReturnDecisions,
    case_id_of,
    cases_of,
    decisions_of_receipt,
    logged,
    recipients_of,
)
from ingest.clock import FixedClock
from ingest.erasure import erase
from ingest.form import Forms
from ingest.limits import Limits
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.receipts import Ledger
from ingest.receive import Judged, ReceiveSummary, Ticket, receive
from ingest.reference import SEEDS_DIR, Reference

Spoil = Callable[[ReturnFile], Any]
Place = tuple[str | None, int | None, str | None]
BOARD = "programme-board"
NOW = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
FORCE, REVIEWER, PRISON = "E23000028-police", "E23000028-lpb", "E23000028-prisons"  # Essex
FIRST, SECOND, THIRD = "2026-27-Q1", "2026-27-Q2", "2026-27-Q3"


def hashed(words: str) -> str:
    return hashlib.md5(words.encode()).hexdigest()[:16]


A, B = hashed("police|E23000028|3|2025-26-Q2"), hashed("prisons|E23000028|11|2025-26-Q2")

# A history by hand: case A as far as a notice, its plan and its end; case B a data error.
HISTORY: dict[str, list[tuple[str, str, str, str]]] = {
    FIRST: [
        (A, "data_check", "secretariat", "2026-04-01"),
        (A, "confirmed", "programme_board", "2026-04-10"),
        (A, "local_action", "programme_board", "2026-04-20"),
        (A, "escalated_to_board", "programme_board", "2026-05-01"),
        (A, "escalated_to_taskforce", "programme_board", "2026-05-11"),
        (B, "data_check", "secretariat", "2026-04-01"),
        (B, "data_error", "programme_board", "2026-04-09"),
    ],
    SECOND: [
        (A, "commissioner_consulted", "both_ministers", "2026-07-20"),
        (A, "notice_agreed", "both_ministers", "2026-08-03"),
        (A, "notice_published", "secretariat", "2026-08-10"),
        (A, "plan_due", "secretariat", "2026-08-11"),
    ],
    THIRD: [
        (A, "plan_published", "secretariat", "2026-10-14"),
        (A, "update_due", "secretariat", "2026-10-15"),
        (A, "closed", "both_ministers", "2026-11-20"),
    ],
}
NOTICE = {
    "notice_id": "N2026-01", "case_ids": A, "recipient_code": REVIEWER, "copied_to": FORCE,
    "summary": "Crime reports were not confirmed in writing.", "request": "A plan with dates.",
    "vc_consulted_on": "2026-07-20", "sos_agreed_on": "2026-08-01", "ag_agreed_on": "2026-08-03",
    "published_on": "2026-08-10", "plan_due": "2026-10-15", "update_due": "2026-12-18",
}  # fmt: skip


def nothing(file: ReturnFile) -> None:
    pass


def record_meetings(file: ReturnFile) -> ReturnFile:
    """Let each forum have met on every day it decided on: these tests are about what was decided."""
    met = {
        (row["decided_by_role"], row["decided_on"])
        for row in file["decisions"]
        if row["decided_by_role"] in ("programme_board", "taskforce") and row["decided_on"][:2] == "20"
    }
    file["meetings"][:] = [
        {
            "forum": forum, "meeting_on": day, "reviewed_period_code": "2025-26-Q3", "cases_considered": "2",
            "summary": "Cases were considered.",
        }
        for forum, day in sorted(met)
    ]  # fmt: skip
    file.cover.pop("nil_meetings_reason", None)
    if not met:
        file.cover["nil_meetings_reason"] = "Neither forum met."
    return file


def decisions(
    forms: Forms, period: str, rows: Sequence[tuple[str, str, str, str]] | None = None
) -> ReturnFile:
    form = forms.get("decisions", 2)
    assert form is not None
    cover = {"kind": "decisions", "form_version": "2", "sender_code": BOARD, "period_code": period}
    file = ReturnFile(form, cover)
    for case_id, state, role, day in HISTORY[period] if rows is None else rows:
        file["decisions"].append(
            {
                "case_id": case_id, "to_state": state, "decided_by_role": role, "decided_on": day,
                "reason": "As the paper says.",
            }
        )  # fmt: skip
    if period != FIRST and rows is None:
        file["notices"].append(dict(NOTICE))
    else:
        file.cover["nil_notices_reason"] = "No notice has been agreed."
    return record_meetings(file)


Decide = Callable[[ReturnFile], Judgement]


@pytest.fixture
def decide(tmp_path: Path, reference: Reference, forms: Forms) -> Decide:
    def judge_it(file: ReturnFile) -> Judgement:
        if file["notices"]:
            file.cover.pop("nil_notices_reason", None)
        return judge(record_meetings(file).zip(tmp_path / "r.zip"), Context(reference, forms, NOW, BOARD))

    return judge_it


def judged_after(
    decide: Decide, reference: Reference, files: Sequence[ReturnFile], file: ReturnFile
) -> Verdict:
    """The verdict on a return where others stand already."""
    standing = [decided for each in files if (decided := decide(each).decisions) is not None]
    judgement = decide(file)
    return logged(judgement.verdict, judgement.decisions, standing, reference)


def places(verdict: Verdict, rule: str) -> list[Place]:
    return [(p.sheet, p.row_number, p.column_name) for p in verdict.problems if p.rule_code == rule]


# --- legal -------------------------------------------------------------------------------------------------


def test_a_history_that_follows_the_steps_is_accepted(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    standing: list[ReturnFile] = []
    for period in HISTORY:
        file = decisions(forms, period)
        assert judged_after(decide, reference, standing, file).problems == ()
        standing.append(file)
    # each sent again as it is, with all the others there
    for file in standing:
        assert judged_after(decide, reference, standing, file).problems == ()


def test_a_case_may_step_back_close_early_and_be_opened_again(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    first = decisions(
        forms,
        FIRST,
        [
            *HISTORY[FIRST][:5],
            (A, "commissioner_consulted", "secretary_of_state", "2026-05-20"),
            (A, "local_action", "taskforce", "2026-05-26"),
            (A, "closed", "programme_board", "2026-06-01"),
            (A, "reopened", "secretariat", "2026-06-08"),
            (A, "data_check", "secretariat", "2026-06-08"),  # two on one day: the upper row comes first
        ],
    )
    assert judged_after(decide, reference, [], first).problems == ()


# --- spoilt ------------------------------------------------------------------------------------------------


def on(sheet: str, place: int = 0, **values: str) -> Spoil:
    return lambda file: file[sheet][place].update(values)


def without(sheet: str, place: int) -> Spoil:
    return lambda file: file[sheet].pop(place)


def add(sheet: str, **values: str) -> Spoil:
    return lambda file: file[sheet].append(file[sheet][0] | values)


def both(*spoils: Spoil) -> Spoil:
    return lambda file: [spoil(file) for spoil in spoils]


def no_notice(file: ReturnFile) -> None:
    file["notices"].clear()
    file.cover["nil_notices_reason"] = "None yet."


TO_ANOTHER = on("notices", recipient_code="E23000011-lpb", copied_to="E23000011-police")

# (rule, quarter of the return, what is spoilt, every rule that then speaks, places, part of what is found)
CASES: list[tuple[str, str, Spoil, set[str], list[Place], str]] = [
    ("SHAPE-031", FIRST, on("decisions", 1, decided_on="2026-04-25"), set(), [("decisions", 4, "decided_on")],
     "2026-04-20"),
    ("SHAPE-032", FIRST, without("decisions", 1), set(), [("decisions", 3, "to_state")],
     "local_action; the case has been data_check since 2026-04-01"),
    ("SHAPE-032", FIRST, without("decisions", 5), set(), [("decisions", 7, "to_state")],
     "data_error; the case is detected, with no decision so far"),
    # what ended as a data error goes no further
    ("SHAPE-032", SECOND, add("decisions", case_id=B, to_state="local_action", decided_by_role="programme_board"),
     set(), [("decisions", 6, "to_state")], "local_action; the case has been data_error since 2026-04-09"),
    ("SHAPE-032", THIRD, on("decisions", 2, to_state="local_action", decided_by_role="taskforce"), set(),
     [("decisions", 4, "to_state")], "local_action; the case has been update_due since 2026-10-15"),
    # a resubmission that makes what a later return decided impossible
    ("SHAPE-032", SECOND, without("decisions", 3), set(), [("decisions", None, None)],
     "row 2 of the return for 2026-27-Q3: plan_published; the case has been notice_published since 2026-08-10"),
    ("IDENTITY-015", SECOND, on("decisions", 1, decided_by_role="secretary_of_state"), set(),
     [("decisions", 3, "decided_by_role")], "secretary_of_state for notice_agreed from commissioner_consulted"),
    ("IDENTITY-015", SECOND, on("decisions", 1, decided_by_role="taskforce"), set(),
     [("decisions", 3, "decided_by_role")], "taskforce for notice_agreed"),
    ("IDENTITY-015", THIRD, on("decisions", 2, decided_by_role="programme_board"), set(),
     [("decisions", 4, "decided_by_role")], "programme_board for closed from update_due"),
    ("SHAPE-033", SECOND, no_notice, set(), [("decisions", 4, "to_state")], "no notice names the case"),
    ("SHAPE-034", SECOND, both(on("notices", case_ids=f"{A};{B}"), add("notices", notice_id="N2", case_ids=B,
     recipient_code=PRISON, copied_to="", published_on="")), set(), [("notices", 2, "published_on")],
     f"case {B} has no decision notice_agreed by then"),
    ("SHAPE-034", SECOND, on("notices", published_on="2026-08-02", ag_agreed_on="2026-08-01"), set(),
     [("notices", 2, "published_on")], "2026-08-02"),
    ("SHAPE-035", SECOND, on("notices", vc_consulted_on="2026-07-21"), set(), [("notices", 2, "vc_consulted_on")],
     "2026-07-21"),
    ("SHAPE-035", SECOND, on("notices", sos_agreed_on="2026-08-04"), set(), [("notices", 2, "sos_agreed_on")],
     "2026-08-04"),
    ("SHAPE-035", SECOND, on("notices", ag_agreed_on="2026-08-02"), set(), [("notices", 2, "ag_agreed_on")],
     "2026-08-02"),
    ("SHAPE-035", SECOND, on("notices", published_on="2026-08-11"), set(), [("notices", 2, "published_on")],
     "2026-08-11"),
    ("SHAPE-035", THIRD, on("notices", published_on="2026-08-11"), set(), [("notices", 2, "published_on")],
     "2026-08-11"),
    ("SHAPE-036", FIRST, both(lambda file: file["notices"].append(dict(NOTICE) | {"published_on": "",
     "sos_agreed_on": "", "ag_agreed_on": "", "vc_consulted_on": ""}), TO_ANOTHER), set(),
     [("notices", 2, "recipient_code")], f"E23000011-lpb for case {A}"),
    ("SHAPE-036", FIRST, lambda file: file["notices"].append({"notice_id": "N1", "case_ids": f"{A}; {B}",
     "recipient_code": PRISON, "summary": "No releases were told.", "request": "A plan."}), set(),
     [("notices", 2, "recipient_code")], f"{PRISON} for case {A}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "quarter", "spoil", "others", "where", "found"),
    CASES,
    ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)],
)
def test_a_return_that_breaks_the_log(
    forms: Forms,
    reference: Reference,
    decide: Decide,
    rule: str,
    quarter: str,
    spoil: Spoil,
    others: set[str],
    where: list[Place],
    found: str,
) -> None:
    # Of the first quarter nothing stands yet; of the later ones all three do, the good one of its own too.
    standing = [] if quarter == FIRST else [decisions(forms, period) for period in HISTORY]
    file = decisions(forms, quarter)
    assert judged_after(decide, reference, standing, file).problems == ()
    spoil(file)
    assert decide(file).verdict.problems == ()  # nothing but the log tells it
    verdict = judged_after(decide, reference, standing, file)
    assert set(verdict.counts) == {rule} | others
    assert places(verdict, rule) == where
    assert found in verdict.problems[0].found
    assert verdict.outcome == "rejected" and RULES[rule].severity == "error"


def test_what_may_follow_is_said(forms: Forms, reference: Reference, decide: Decide) -> None:
    file = decisions(
        forms, FIRST, [*HISTORY[FIRST][:3], (A, "notice_agreed", "both_ministers", "2026-05-01")]
    )
    (problem,) = judged_after(decide, reference, [], file).problems
    assert problem.expected == "escalated_to_board or closed"
    file = decisions(forms, FIRST, [(A, "closed", "both_ministers", "2026-05-01")])
    (problem,) = judged_after(decide, reference, [], file).problems
    assert problem.expected == "data_check"
    file = decisions(forms, FIRST, [*HISTORY[FIRST][5:], (B, "reopened", "secretariat", "2026-05-01")])
    (problem,) = judged_after(decide, reference, [], file).problems
    assert problem.expected == "nothing: the case has ended"


def test_a_joint_notice_has_a_row_for_each_recipient(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    file = decisions(forms, FIRST)
    draft = {"summary": "Victims were not told.", "request": "A plan.", "case_ids": f"{A}; {B}"}
    file["notices"].append({"notice_id": "N1", "recipient_code": REVIEWER, "copied_to": FORCE, **draft})
    file["notices"].append({"notice_id": "N2", "recipient_code": PRISON, **draft})
    assert judged_after(decide, reference, [], file).problems == ()


def test_a_gap_that_was_there_keeps_out_no_return_that_mends_another(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    first, second, third = (decisions(forms, period) for period in HISTORY)
    # The first two were erased: the third stands without them, and each may be sent again in turn.
    assert judged_after(decide, reference, [third], first).problems == ()
    assert judged_after(decide, reference, [first, third], second).problems == ()
    assert set(judged_after(decide, reference, [third], second).counts) == {"SHAPE-032"}


def test_taking_decisions_back_is_seen_though_the_case_is_no_longer_named(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    standing = [decisions(forms, period) for period in HISTORY]
    only_b = decisions(forms, FIRST, HISTORY[FIRST][5:])
    verdict = judged_after(decide, reference, standing, only_b)
    assert set(verdict.counts) == {"SHAPE-032"}
    assert (
        f"the return for {SECOND}: commissioner_consulted; the case is detected" in verdict.problems[0].found
    )
    assert judged_after(decide, reference, standing[:1], only_b).problems == ()


def test_a_row_that_cannot_be_read_makes_no_others_wrong(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    file = decisions(forms, FIRST)
    file["decisions"][1]["decided_on"] = "soon"
    assert set(judged_after(decide, reference, [], file).counts) == {"SHAPE-003"}


# --- the steps there are -----------------------------------------------------------------------------------


def test_every_step_joins_states_there_are_and_roles_the_form_knows(
    reference: Reference, forms: Forms
) -> None:
    with (SEEDS_DIR / "case_states.csv").open(encoding="utf-8") as stream:
        states = {row["state"]: row for row in csv.DictReader(stream)}
    form = forms.get("decisions", 2)
    assert form is not None
    sheet = form.sheet("decisions")
    decided = {state for state, row in states.items() if row["set_by"] == "decision"}
    assert decided == set(sheet.column("to_state").codes)
    assert {state for state, row in states.items() if row["set_by"] == "statistics"} == {
        START, "eligible_to_close"
    }  # fmt: skip
    steps = reference.case_transitions
    assert {step.to_state for step in steps} == decided
    assert {step.from_state for step in steps} == decided - {"data_error"} | {START}
    assert {role for step in steps for role in step.roles} == set(sheet.column("decided_by_role").codes)
    assert {step.to_state for step in steps if step.needs} == {"notice_published"}
    assert {step.needs for step in steps} == {"", "notice"}


def test_who_may_close_and_agree(reference: Reference) -> None:
    roles = {(step.from_state, step.to_state): set(step.roles) for step in reference.case_transitions}
    assert {to for (_, to), who in roles.items() if who == {"both_ministers"}} == {"notice_agreed", "closed"}
    closing = {state: who for (state, to), who in roles.items() if to == "closed"}
    board, ministers = {"programme_board"}, {"both_ministers"}
    assert closing == {
        "local_action": board,
        "escalated_to_board": board,
        "escalated_to_taskforce": ministers | {"taskforce"},
        "commissioner_consulted": ministers | {"taskforce"},
        "notice_agreed": ministers | {"taskforce"},
        "notice_published": ministers,
        "plan_due": ministers,
        "plan_published": ministers,
        "update_due": ministers,
    }


def test_a_number_is_found_by_what_it_stands_for(reference: Reference) -> None:
    # read off a built warehouse: oversight_persistence, case of the British Transport Police, right 4
    assert case_id_of("btp", "NAT", 4, "2025-26-Q1") == "5c30e058b9ad4c57"
    through = Period.parse("2026-27-Q2")
    team = hashed("yjs|E23000004|11|2026-27-Q2")
    city_prison = hashed("prisons|E23000034|11|2025-26-Q1")  # the City of London has none
    later = hashed("police|E23000028|3|2026-27-Q3")
    found = cases_of(reference, {"5c30e058b9ad4c57", A, team, city_prison, later}, through)
    assert {case: key[:3] for case, key in found.items()} == {
        "5c30e058b9ad4c57": ("btp", "NAT", 4),
        A: ("police", "E23000028", 3),
        team: ("yjs", "E23000004", 11),
    }
    receive = {case: recipients_of(reference, key, through) for case, key in found.items()}
    assert receive["5c30e058b9ad4c57"] == {"BTPA"} and receive[A] == {REVIEWER}
    assert len(receive[team]) > 1 and all(code.startswith("yjs-") for code in receive[team])


# --- receiving and checking --------------------------------------------------------------------------------


@pytest.fixture
def receive_here(
    monkeypatch: pytest.MonkeyPatch, reference: Reference, forms: Forms
) -> Callable[[DataRoot], ReceiveSummary]:
    """Receive what lies in the inbox, judging in this process instead of in a child."""

    def judge_all(
        root: DataRoot,
        tickets: Sequence[Ticket],
        reference: Reference,
        forms: Forms,
        limits: Limits,
        workers: int,
    ) -> Iterator[tuple[Ticket, Judged]]:
        monkeypatch.setattr(receiving, "_setting", receiving._Setting(root, reference, forms, limits))
        for ticket in tickets:
            yield ticket, receiving.judge_one(root.holding / ticket.name / ticket.held_as, ticket)

    monkeypatch.setattr(receiving, "_judge_all", judge_all)
    return partial(receive, reference=reference, forms=forms, clock=CLOCK, settle_seconds=0)


ARRIVED = {FIRST: "2026-07-01T09:00:00Z", SECOND: "2026-10-01T09:00:00Z", THIRD: "2026-12-01T09:00:00Z"}


def send(root: DataRoot, forms: Forms, period: str, spoil: Spoil = nothing, at: str | None = None) -> None:
    file = decisions(forms, period)
    spoil(file)
    record_meetings(file)
    name = f"{period} {at or 'first'}.zip".replace(":", "")
    deliver(root, file, BOARD, name, at or ARRIVED[period])


def told(root: DataRoot) -> list[tuple[str | None, str, list[str]]]:
    receipts = Ledger(root.receipts).read()
    return [(r.period_code, r.outcome, list(r.problem_counts)) for r in receipts]


def test_the_log_is_made_of_what_came_before_in_this_run_or_earlier(
    root: DataRoot,
    tmp_path: Path,
    forms: Forms,
    receive_here: Callable[[DataRoot], ReceiveSummary],
) -> None:
    sent: list[tuple[str, Spoil, str | None]] = [
        (FIRST, nothing, None),
        (SECOND, without("decisions", 1), None),  # lacks the agreement: rejected, and so not in the log
        (SECOND, nothing, "2026-10-02T09:00:00Z"),
        (THIRD, nothing, None),
        (SECOND, without("decisions", 3), "2026-12-02T09:00:00Z"),  # would undo the third
    ]
    for period, spoil, at in sent:
        send(root, forms, period, spoil, at)
    summary = receive_here(root)
    assert (summary.accepted, summary.rejected) == (3, 2)
    assert told(root) == [
        (FIRST, "accepted", []),
        (SECOND, "rejected", ["SHAPE-032", "SHAPE-034"]),
        (SECOND, "accepted", []),
        (THIRD, "accepted", []),
        (SECOND, "rejected", ["SHAPE-032"]),
    ]
    # what was parsed before the log spoke is gone again
    for receipt in Ledger(root.receipts).read():
        assert root.raw_return(receipt.sha256).exists() is receipt.is_accepted
    at_once = root.receipts.read_bytes()
    for forgotten in (False, True):
        other = DataRoot(tmp_path / f"other-{forgotten}").create()
        for period, spoil, at in sent:
            send(other, forms, period, spoil, at)
            receive_here(other)
            if forgotten:  # raw is derived: what was parsed may be gone, the archive is not
                shutil.rmtree(other.raw)
        assert other.receipts.read_bytes() == at_once


@pytest.mark.parametrize("step", ["_with_log", "_settle", "_receipt"])
@pytest.mark.parametrize("files_before", [0, 1, 2])
def test_a_kill_changes_no_receipt(
    root: DataRoot,
    tmp_path: Path,
    forms: Forms,
    receive_here: Callable[[DataRoot], ReceiveSummary],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    files_before: int,
) -> None:
    class Killed(BaseException):
        pass

    undisturbed = DataRoot(tmp_path / "undisturbed").create()
    for each in (root, undisturbed):
        send(each, forms, FIRST)
        send(each, forms, SECOND, without("decisions", 1))
        send(each, forms, THIRD)
    receive_here(undisturbed)
    calls = 0
    original = getattr(receiving, step)

    def kill(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == files_before + 1:
            raise Killed
        return original(*given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(receiving, step, kill)
        with pytest.raises(Killed):
            receive_here(root)
    receive_here(root)
    assert root.receipts.read_bytes() == undisturbed.receipts.read_bytes()
    assert {p.name for p in root.raw_returns.rglob("*.*")} == {
        p.name for p in undisturbed.raw_returns.rglob("*.*")
    }


SPOILT: list[tuple[str, Spoil]] = [
    *((case[1], case[2]) for case in CASES if case[1] == SECOND),
    (SECOND, nothing),
    (SECOND, on("decisions", case_id="0a1b2c3d4e5f6a7b")),
]


@pytest.mark.parametrize(("period", "spoil"), SPOILT)
def test_checking_says_what_receiving_says(
    root: DataRoot,
    tmp_path: Path,
    reference: Reference,
    forms: Forms,
    receive_here: Callable[[DataRoot], ReceiveSummary],
    period: str,
    spoil: Spoil,
) -> None:
    for each in HISTORY:
        send(root, forms, each)
    receive_here(root)
    before = {path: path.read_bytes() for path in root.path.rglob("*") if path.is_file()}
    file = decisions(forms, period)
    spoil(file)
    path = record_meetings(file).zip(tmp_path / "again.zip")
    clock = FixedClock(datetime(2026, 12, 5, 9, tzinfo=UTC))
    checked = check_file(path, BOARD, reference, forms, clock, root=root)
    assert check_file(path, None, reference, forms, clock, root=root).counts == checked.counts
    assert {path: path.read_bytes() for path in root.path.rglob("*") if path.is_file()} == before
    send(root, forms, period, spoil, at="2026-12-05T09:00:00Z")
    receive_here(root)
    receipt = Ledger(root.receipts).read()[-1]
    if receipt.outcome == "duplicate":
        assert checked.problems == ()
    else:
        assert (receipt.outcome, receipt.problem_counts) == (checked.outcome, checked.counts)
        assert receipt.problems == checked.problems


def test_without_a_data_root_nothing_is_said_of_the_log(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    path = decisions(forms, THIRD).zip(tmp_path / "third.zip")
    assert check_file(path, BOARD, reference, forms, CLOCK).problems == ()


def test_what_was_erased_is_not_in_the_log(
    root: DataRoot,
    tmp_path: Path,
    reference: Reference,
    forms: Forms,
    receive_here: Callable[[DataRoot], ReceiveSummary],
) -> None:
    send(root, forms, FIRST)
    receive_here(root)
    path = decisions(forms, SECOND).zip(tmp_path / "second.zip")
    assert check_file(path, BOARD, reference, forms, CLOCK, root=root).problems == ()
    (receipt,) = Ledger(root.receipts).read()
    erase(root, receipt.receipt_id, role="secretariat", reason="Sent by mistake.", clock=CLOCK)
    assert set(check_file(path, BOARD, reference, forms, CLOCK, root=root).counts) == {"SHAPE-032"}


def test_what_a_return_decides_survives_its_file(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    receive_here: Callable[[DataRoot], ReceiveSummary],
) -> None:
    send(root, forms, FIRST)
    send(root, forms, SECOND)
    receive_here(root)
    receipt = Ledger(root.receipts).read()[1]
    kept = decisions_of_receipt(root, receipt, reference, forms)
    assert kept is not None and ReturnDecisions.from_json(kept.to_json()).decisions == kept.decisions
    for text in ("", "{}", '{"format": 0}', "[1]"):
        (root.raw_return(receipt.sha256) / "decisions.json").write_text(text)
        assert decisions_of_receipt(root, receipt, reference, forms) == kept
    shutil.rmtree(root.raw)
    assert decisions_of_receipt(root, receipt, reference, forms) == kept


def test_a_return_of_a_thousand_rows_is_judged_against_ten_years_in_a_second(
    forms: Forms, reference: Reference, decide: Decide
) -> None:
    places = [
        (row.pfa_code, right) for row in reference.areas if row.pfa_code != "NAT" for right in range(1, 13)
    ]
    rows: list[tuple[str, str, str, str]] = []
    for kind in ("police", "cps"):
        for area, right in places:
            if len(rows) < 1000:
                rows.append(
                    (hashed(f"{kind}|{area}|{right}|2025-26-Q2"), "data_check", "secretariat", "2026-04-01")
                )
    decided = decide(decisions(forms, FIRST, rows)).decisions
    assert decided is not None and len(decided.decisions) == 1000
    years = [
        ReturnDecisions(BOARD, period, decided.decisions[:10], ()) for period in ("2034-35-Q4", "2035-36-Q1")
    ] * 20
    start = process_time()
    verdict = decide(decisions(forms, FIRST, rows)).verdict
    logged(verdict, decided, years, reference)
    cases_of(reference, {"0" * 16}, Period.parse("2035-36-Q4"))
    assert process_time() - start < 1
