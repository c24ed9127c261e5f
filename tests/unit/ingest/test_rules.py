"""Every acceptance rule: a return that keeps it, and one that breaks it in one place."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from return_files import (
    AREA,
    COUNT,
    IN_TIME,
    LEGACY_SENDER,
    PROPORTION,
    SENDER,
    ReturnFile,
    breakdown,
    legacy_audit,
    quarterly,
    write_xlsx,
    write_zip,
)
from test_comparison import CASES as COMPARED
from test_readers import SHEET, patched
from test_rules_of_entries import CASES as ENTRIES
from test_transitions import CASES as DECIDED

from ingest.acceptance import RULES, Context, Verdict, compared, judge
from ingest.acceptance.judge import judge_fault
from ingest.form import Forms
from ingest.limits import Limits
from ingest.period import Period
from ingest.readers import Fault, inspect
from ingest.reference import Reference

Judged = Callable[..., Verdict]


def codes(verdict: Verdict) -> set[str]:
    return set(verdict.counts)


def places(verdict: Verdict, code: str) -> list[tuple[str | None, int | None, str | None]]:
    return [(p.sheet, p.row_number, p.column_name) for p in verdict.problems if p.rule_code == code]


# --- the returns that keep every rule ----------------------------------------------------------------------


def test_a_good_return_has_no_problem_in_either_format(good: ReturnFile, judged: Judged) -> None:
    for xlsx in (False, True):
        verdict = judged(good, SENDER, xlsx=xlsx)
        assert verdict.outcome == "accepted"
        assert verdict.problems == ()
        assert verdict.rows_read == verdict.rows_accepted == {"metrics": 3, "feedback": 6, "delivery": 6}
        assert (verdict.kind, verdict.form_version, verdict.period_code) == ("quarterly", 1, "2025-26-Q1")


def test_a_good_return_with_breakdowns_has_no_problem(good: ReturnFile, judged: Judged) -> None:
    total = good.row("metrics", metric_id=PROPORTION)  # 30 met, 10 not met
    for group, met in {"VAP": 12, "THE": 8, "DRU": 0, "WEA": 0, "MIS": 0, "UNK": 10}.items():
        good["metrics"].append(
            breakdown(total, "crime_type", group, met=str(met), not_met="10" if met == 12 else "0")
        )
    for value, met in {"F": 20, "M": 9, "NS": 1}.items():
        good["metrics"].append(
            breakdown(total, "sex", value, met=str(met), not_met="10" if met == 20 else "0")
        )
    assert judged(good, SENDER).problems == ()


def test_a_sender_of_several_bodies_is_judged_on_all_of_them(
    reference: Reference, forms: Forms, judged: Judged
) -> None:
    for sender in ("cps-london-north", "prob-london", "BTP", "E23000028-police"):
        assert sender in reference.codes("senders")
        assert judged(quarterly(reference, forms, sender), sender).problems == ()


def test_a_good_audit_has_no_problem(reference: Reference, forms: Forms, judged: Judged) -> None:
    verdict = judged(legacy_audit(reference, forms), LEGACY_SENDER)
    assert verdict.problems == ()
    assert verdict.outcome == "accepted"


# --- one spoilt place a rule -------------------------------------------------------------------------------

Spoil = Callable[[ReturnFile], Any]


def on_cover(**values: Any) -> Spoil:
    return lambda file: file.cover.update(values)


def on_metric(metric: str, **values: Any) -> Spoil:
    return lambda file: file.row("metrics", metric_id=metric).update(values)


def on(sheet: str, **values: Any) -> Spoil:
    return lambda file: file[sheet][0].update(values)


def part(by: str, value: str, **values: Any) -> Spoil:
    return lambda file: file["metrics"].append(
        breakdown(file.row("metrics", metric_id=PROPORTION), by, value, **values)
    )


def all_of(*spoils: Spoil) -> Spoil:
    def spoil(file: ReturnFile) -> None:
        for one in spoils:
            one(file)

    return spoil


def every_optional_group(file: ReturnFile) -> None:
    for group in ("DRU", "WEA", "MIS"):
        part("crime_type", group, met="1", not_met="1")(file)


def twice(sheet: str) -> Spoil:
    return lambda file: file[sheet].append(dict(file[sheet][0]))


def header(sheet: str, old: str, *new: str) -> Spoil:
    def spoil(file: ReturnFile) -> None:
        place = file.headers[sheet].index(old)
        file.headers[sheet][place : place + 1] = list(new)

    return spoil


def drop(sheet: str, **where: Any) -> Spoil:
    return lambda file: file[sheet].remove(file.row(sheet, **where))


# (rule, what is spoilt, every rule that then speaks, the places the rule names)
QUARTERLY: list[tuple[str, Spoil, set[str], list[tuple[str | None, int | None, str | None]]]] = [
    ("IDENTITY-001", on_cover(kind="monthly"), {"IDENTITY-001"}, [("cover", 2, "kind")]),
    ("IDENTITY-002", on_cover(form_version="9"), {"IDENTITY-002"}, [("cover", 3, "form_version")]),
    ("IDENTITY-002", on_cover(form_version="first"), {"IDENTITY-002"}, [("cover", 3, "form_version")]),
    (
        "IDENTITY-003",
        on_cover(period_code="2023-24-Q4"),
        {"IDENTITY-003", "IDENTITY-005", "IDENTITY-008", "IDENTITY-011", "SHAPE-011"},
        [("cover", 3, "form_version")],
    ),
    (
        "IDENTITY-004",
        on_cover(sender_code="yjs-barnet"),
        {"IDENTITY-004", "IDENTITY-009", "FIGURES-008"},
        [("cover", 4, "sender_code")],
    ),
    (
        "IDENTITY-005",
        on_cover(sender_code="E23000011-lpb"),
        {"IDENTITY-004", "IDENTITY-005"},
        [("cover", 4, "sender_code")],
    ),
    (
        "IDENTITY-006",
        on_cover(period_code="2024-25-FY"),
        {"IDENTITY-006", "IDENTITY-008"},
        [("cover", 5, "period_code")],
    ),
    ("IDENTITY-006", on_cover(period_code="Spring"), {"IDENTITY-006"}, [("cover", 5, "period_code")]),
    (
        "IDENTITY-007",
        on_cover(period_code="3025-26-Q1"),
        {"IDENTITY-007", "IDENTITY-003"},
        [("cover", 5, "period_code")],
    ),
    ("IDENTITY-007", on_cover(period_code="2025-26-Q2"), {"IDENTITY-007"}, [("cover", 5, "period_code")]),
    (
        "IDENTITY-008",
        on_cover(period_code="2024-25-Q4"),
        {"IDENTITY-008", "IDENTITY-011"},
        [("cover", 5, "period_code")],
    ),
    (
        "IDENTITY-009",
        on("delivery", body_code="E23000011-police"),
        {"IDENTITY-009", "FIGURES-008"},
        [("delivery", 2, "body_code")],
    ),
    (
        "IDENTITY-010",
        on("delivery", pfa_code="E23000012"),
        {"IDENTITY-010", "FIGURES-008"},
        [("delivery", 2, "pfa_code")],
    ),
    ("SHAPE-001", lambda f: f.sheets.pop("delivery"), {"SHAPE-001"}, [("delivery", None, None)]),
    ("SHAPE-002", header("metrics", "unknown"), {"SHAPE-002"}, [("metrics", 1, "unknown")]),
    ("SHAPE-002", header("delivery", "grade"), {"SHAPE-002"}, [("delivery", 1, "grade")]),
    ("SHAPE-003", on_metric(COUNT, count="some"), {"SHAPE-003"}, [("metrics", 2, "count")]),
    (
        "SHAPE-003",
        on("delivery", next_step="x", next_step_due="30/6/25"),
        {"SHAPE-003"},
        [("delivery", 2, "next_step_due")],
    ),
    ("SHAPE-004", on("metrics", collection_mode="cenus"), {"SHAPE-004"}, [("metrics", 2, "collection_mode")]),
    ("IDENTITY-004", on_cover(sender_code="yjs-atlantis"), {"IDENTITY-004"}, [("cover", 4, "sender_code")]),
    ("SHAPE-005", twice("delivery"), {"SHAPE-005"}, [("delivery", 8, None)]),
    ("SHAPE-006", on("feedback", survey_mode=""), {"SHAPE-006"}, [("feedback", 2, "survey_mode")]),
    ("SHAPE-006", on("metrics", sampling_frame=""), {"SHAPE-006"}, [("metrics", 2, "sampling_frame")]),
    ("SHAPE-006", on("delivery", next_step="Review."), {"SHAPE-006"}, [("delivery", 2, "next_step_due")]),
    ("SHAPE-006", on_cover(period_code=""), {"SHAPE-006"}, [("cover", 5, "period_code")]),
    (
        "SHAPE-006",
        lambda f: f["metrics"].append({"note": "All figures were taken from the crime system."}),
        {"SHAPE-006"},
        [("metrics", 5, None)],
    ),
    ("SHAPE-007", header("metrics", "note", "note", "comment"), {"SHAPE-007"}, [("metrics", 1, "column V")]),
    ("SHAPE-007", on_cover(telephone="none"), {"SHAPE-007"}, [("cover", 6, "field")]),
    (
        "SHAPE-008",
        lambda f: part("crime_type", "VAP", characteristic="sex", characteristic_value="F")(f),
        {"SHAPE-008"},
        [("metrics", 5, "characteristic")],
    ),
    ("SHAPE-009", part("sex", "W"), {"SHAPE-009"}, [("metrics", 5, "characteristic_value")]),
    (
        "SHAPE-010",
        on_metric(COUNT, metric_id="r10_s01_expenses_paid_n"),
        {"SHAPE-010", "FIGURES-008"},
        [("metrics", 2, "metric_id")],
    ),
    (
        "SHAPE-011",
        on_metric(PROPORTION, metric_id="x_s01_bereaved_meeting"),
        {"SHAPE-011", "FIGURES-008"},
        [("metrics", 3, "metric_id")],
    ),
    (
        "SHAPE-012",
        lambda f: (f.sheets.update(extra=[]), f.headers.update(extra=["a"])),
        {"SHAPE-012"},
        [(None, None, None)],
    ),
    ("SHAPE-013", header("metrics", "note", "note", "met"), {"SHAPE-013"}, [("metrics", 1, "column V")]),
    (
        "SHAPE-014",
        lambda f: (
            header("delivery", "next_step_due", "next_step_due", "")(f),
            f["delivery"][1].update({"": "?"}),
        ),
        {"SHAPE-014"},
        [("delivery", 3, "column I")],
    ),
    ("SHAPE-015", part("crime_type", "FRA"), {"SHAPE-015"}, [("metrics", 5, "crime_type")]),
    ("FIGURES-001", on_metric(PROPORTION, met="-1"), {"FIGURES-001"}, [("metrics", 3, "met")]),
    ("FIGURES-002", on_metric(PROPORTION, met="0.75"), {"FIGURES-002"}, [("metrics", 3, "met")]),
    ("FIGURES-003", on_metric(PROPORTION, met="75%"), {"FIGURES-003"}, [("metrics", 3, "met")]),
    (
        "FIGURES-004",
        all_of(part("sex", "F", met="20", not_met="5"), part("sex", "M", met="11", not_met="5")),
        {"FIGURES-004"},
        [("metrics", 3, "met")],
    ),
    (
        "FIGURES-004",
        part("crime_type", "VAP", met="31", not_met="1"),
        {"FIGURES-004"},
        [("metrics", 3, "met")],
    ),
    ("FIGURES-005", part("sex", "F", met="30", not_met="9"), {"FIGURES-005"}, [("metrics", 3, "not_met")]),
    ("FIGURES-005", every_optional_group, {"FIGURES-005"}, [("metrics", 3, "met")]),
    ("FIGURES-006", on_metric(COUNT, met="3"), {"FIGURES-006"}, [("metrics", 2, "met")]),
    ("FIGURES-007", on("feedback", yes="3"), {"FIGURES-007"}, [("feedback", 2, "yes")]),
    (
        "FIGURES-007",
        on("feedback", response_set="yes_no"),
        {"FIGURES-007"},
        [("feedback", 2, "response_set")],
    ),
    ("FIGURES-008", drop("metrics", metric_id=COUNT), {"FIGURES-008"}, [("metrics", None, "metric_id")]),
    (
        "FIGURES-008",
        drop("feedback", question_id="r01_f01"),
        {"FIGURES-008"},
        [("feedback", None, "question_id")],
    ),
    ("FIGURES-008", drop("delivery", item_id="r01_d01"), {"FIGURES-008"}, [("delivery", None, "item_id")]),
    (
        "FIGURES-009",
        on_metric(PROPORTION, not_collected_reason="No system."),
        {"FIGURES-009"},
        [("metrics", 3, "met")],
    ),
    (
        "FIGURES-009",
        all_of(
            on_metric(PROPORTION, not_collected_reason="No system.", met="", not_met=""),
            part("sex", "F", met="1", not_met="1", not_collected_reason=""),
        ),
        {"FIGURES-009"},
        [("metrics", 5, "met")],
    ),
    (
        "FIGURES-010",
        on("metrics", cases_from="2025-06-30", cases_to="2025-04-01"),
        {"FIGURES-010"},
        [("metrics", 2, "cases_to")],
    ),
    ("FIGURES-011", on_metric(PROPORTION, not_met=""), {"FIGURES-011"}, [("metrics", 3, "not_met")]),
    ("FIGURES-011", on("feedback", poor=""), {"FIGURES-011"}, [("feedback", 2, "poor")]),
    (
        "FIGURES-011",
        on_metric(PROPORTION, met="", not_met="", collection_mode="", sampling_frame=""),
        {"FIGURES-011"},
        [("metrics", 3, "met")],
    ),
    ("FIGURES-012", on_metric(PROPORTION, crime_type="VAP"), {"FIGURES-012"}, [("metrics", 3, "crime_type")]),
    (
        "FIGURES-017",
        on_cover(nil_feedback_reason="A survey is held."),
        {"FIGURES-017"},
        [("feedback", 2, None)],
    ),
    ("PERSON-001", on("metrics", note="Ask jo.bloggs@example.org"), {"PERSON-001"}, [("metrics", 2, "note")]),
    ("PERSON-002", on("metrics", note="Ring 07700 900123"), {"PERSON-002"}, [("metrics", 2, "note")]),
    ("PERSON-003", on("metrics", note="AB 12 34 56 C"), {"PERSON-003"}, [("metrics", 2, "note")]),
    ("PERSON-004", on("delivery", evidence="943 476 5919"), {"PERSON-004"}, [("delivery", 2, "evidence")]),
    (
        "PERSON-005",
        on("delivery", evidence="Lives at SW1A 1AA"),
        {"PERSON-005"},
        [("delivery", 2, "evidence")],
    ),
    ("PERSON-006", on("feedback", note="date of birth given"), {"PERSON-006"}, [("feedback", 2, "note")]),
    ("PERSON-007", on("feedback", note="Custody record 12345/25"), {"PERSON-007"}, [("feedback", 2, "note")]),
    ("PERSON-008", on("feedback", note="Told by Mrs Bloggs"), {"PERSON-008"}, [("feedback", 2, "note")]),
]


@pytest.mark.parametrize(
    ("rule", "spoil", "spoken", "where"),
    QUARTERLY,
    ids=[f"{case[0]}-{n}" for n, case in enumerate(QUARTERLY)],
)
def test_a_quarterly_return_that_breaks_a_rule(
    good: ReturnFile, judged: Judged, rule: str, spoil: Spoil, spoken: set[str], where: list[Any]
) -> None:
    assert rule not in codes(judged(good, SENDER, name="good"))
    spoil(good)
    verdict = judged(good, SENDER, name="spoilt")
    assert codes(verdict) == spoken
    assert places(verdict, rule)[: len(where)] == where
    severity = RULES[rule].severity
    assert verdict.is_accepted == all(RULES[code].severity == "warning" for code in codes(verdict))
    if severity == "error":
        assert verdict.outcome == ("quarantined" if RULES[rule].quarantines else "rejected")


def test_no_broken_return_makes_the_comparison_fail(
    tmp_path: Path, reference: Reference, forms: Forms
) -> None:
    rules = reference.acceptance_on(Period.parse("2025-26-Q1").last_day)
    context = Context(reference, forms, IN_TIME, SENDER)
    before = judge(quarterly(reference, forms).zip(tmp_path / "before.zip"), context).figures
    assert before is not None
    for number, (_, spoil, _, _) in enumerate(QUARTERLY):
        file = quarterly(reference, forms)
        spoil(file)
        judgement = judge(file.zip(tmp_path / f"{number}.zip"), context)
        verdict = compared(judgement.verdict, judgement.figures, before, rules)
        old, new = dict(judgement.verdict.counts), dict(verdict.counts)
        assert {code: new[code] for code in old} == old
        assert {RULES[code].stage for code in new.keys() - old.keys()} <= {"comparison"}


def answers(**values: Any) -> Spoil:
    return on("answers", **values)


def printed(period: str, *values: str) -> Spoil:
    def spoil(file: ReturnFile) -> None:
        rows = [row for row in file["answers"] if row["period_code"] == period]
        for row, value in zip(rows, values, strict=True):
            row["printed_value"] = value

    return spoil


AUDIT: list[tuple[str, Spoil, set[str], list[tuple[str | None, int | None, str | None]]]] = [
    ("IDENTITY-012", answers(period_code="2020-21-Q1"), {"IDENTITY-012", "FIGURES-013"}, [("answers", 2, "period_code")]),
    ("SHAPE-016", answers(response_id="declined"), {"SHAPE-016", "FIGURES-013"}, [("answers", 2, "response_id")]),
    ("FIGURES-013", printed("2019-20-H1", "33%", "67%", "50%"), {"FIGURES-013", "FIGURES-014"}, [("answers", 2, "printed_value")]),
    ("FIGURES-013", printed("2019-20-H1", "10%", "20%", "40%"), {"FIGURES-013"}, [("answers", 2, "printed_value")]),
    ("FIGURES-014", printed("2019-20-Q3", "33%", "67%", "40%"), {"FIGURES-013", "FIGURES-014"}, [("answers", 2, "printed_value")]),
    ("FIGURES-015", printed("2019-20-Q3", "0%", "0%", "0"), {"FIGURES-015"}, [("answers", 5, "printed_value")]),
    ("FIGURES-016", answers(cases_stated="31", base_stated="30"), {"FIGURES-016"}, [("answers", 2, "cases_stated")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spoil", "spoken", "where"), AUDIT)
def test_an_audit_that_breaks_a_rule(
    reference: Reference,
    forms: Forms,
    judged: Judged,
    rule: str,
    spoil: Spoil,
    spoken: set[str],
    where: list[Any],
) -> None:
    file = legacy_audit(reference, forms)
    assert rule not in codes(judged(file, LEGACY_SENDER, name="good"))
    spoil(file)
    verdict = judged(file, LEGACY_SENDER)
    assert codes(verdict) == spoken
    assert places(verdict, rule)[: len(where)] == where


def test_the_shares_of_essex_are_told_in_their_own_numbers(
    reference: Reference, forms: Forms, judged: Judged
) -> None:
    file = legacy_audit(reference, forms)
    printed("2019-20-Q3", "33%", "67%", "40%")(file)
    printed("2019-20-Q4", "35%", "65%", "33%")(file)
    verdict = judged(file, LEGACY_SENDER)
    found = [p.found for p in verdict.problems]
    assert "q1_acknowledgement, 2019-20-Q3: 33 + 67 + 40 = 140" in found
    assert "q1_acknowledgement, 2019-20-Q4: 35 + 65 + 33 = 133" in found
    assert any("2019-20-H1 of all cases, 2019-20-Q3 of suitable cases" in text for text in found)
    assert verdict.outcome == "accepted_with_warnings"


def test_words_and_blanks_are_not_added_up(reference: Reference, forms: Forms, judged: Judged) -> None:
    file = legacy_audit(reference, forms)
    printed("2019-20-Q3", "blank", "", "Unknown")(file)
    printed("2019-20-Q4", "100%", "0", "blank")(file)
    assert judged(file, LEGACY_SENDER).problems == ()


# --- files -------------------------------------------------------------------------------------------------


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def _bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _encrypted(folder: Path) -> Path:
    # Bit 0 of the flags says that an entry is encrypted; it stands in the directory at offset 8.
    path = _zip(folder / "r.zip", {"cover.csv": b"x" * 50})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return _bytes(path, bytes(data))


def _error_cell(folder: Path) -> Path:
    path = write_xlsx(folder / "r.xlsx", {"cover": [["field", "value"], ["kind", 5]]})
    return patched(
        path, SHEET, lambda xml: xml.replace(b'<c r="B2"><v>5</v>', b'<c r="B2" t="e"><v>#REF!</v>')
    )


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
FILES: list[tuple[str, Callable[[Path], Path], str]] = [
    ("FILE-001", lambda f: _bytes(f / "r.xlsx", b""), "rejected"),
    ("FILE-001", lambda f: _bytes(f / "r.zip", b"PK\x03\x04cut short"), "rejected"),
    ("FILE-002", lambda f: _bytes(f / "r.xlsx", OLE + "EncryptedPackage".encode("utf-16-le")), "rejected"),
    ("FILE-002", _encrypted, "rejected"),
    (
        "FILE-003",
        lambda f: patched(
            write_xlsx(f / "r.xlsx", {"cover": [["field"]]}), "xl/vbaProject.bin", lambda _: b"code"
        ),
        "quarantined",
    ),
    (
        "FILE-003",
        lambda f: patched(
            write_xlsx(f / "r.xlsx", {"cover": [["field"]]}),
            "[Content_Types].xml",
            lambda xml: xml.replace(b"spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"),
        ),
        "quarantined",
    ),
    ("FILE-004", lambda f: _bytes(f / "r.xlsx", b"a,b\n1,2\n"), "rejected"),
    ("FILE-004", lambda f: _bytes(f / "r.xls", OLE), "rejected"),
    ("FILE-004", lambda f: _bytes(f / "r.pdf", b"%PDF-1.7"), "rejected"),
    ("FILE-004", lambda f: write_zip(f / "r.xlsx", {"cover": [["field", "value"]]}), "rejected"),
    ("FILE-004", lambda f: write_xlsx(f / "r.xlsx", {"cover": [["field"]]}).rename(f / "r.zip"), "rejected"),
    ("FILE-005", lambda f: _bytes(f / "r.zip", b"PK\x03\x04" + b"x" * 300_000), "rejected"),
    ("FILE-006", lambda f: _zip(f / "r.zip", {"cover.csv": b"0" * 3_000_000}), "quarantined"),
    (
        "FILE-006",
        lambda f: _zip(f / "r.zip", {f"{n}.csv": bytes(range(256)) * 2_000 for n in range(5)}),
        "quarantined",
    ),
    ("FILE-007", lambda f: _zip(f / "r.zip", {f"{n}.csv": b"a" for n in range(12)}), "rejected"),
    ("FILE-008", lambda f: write_zip(f / "r.zip", {"cover": [["a"], *([["1"]] * 40)]}), "rejected"),
    ("FILE-009", lambda f: _zip(f / "r.zip", {"../cover.csv": b"a"}), "quarantined"),
    (
        "FILE-010",
        lambda f: patched(
            write_xlsx(f / "r.xlsx", {"cover": [["field"]]}), SHEET, lambda x: b"<!DOCTYPE worksheet>" + x
        ),
        "quarantined",
    ),
    ("FILE-011", lambda f: _zip(f / "r.zip", {"cover.csv": b"a", "readme.txt": b"a"}), "rejected"),
    ("FILE-011", lambda f: _zip(f / "r.zip", {"folder/cover.csv": b"a"}), "rejected"),
    ("FILE-012", lambda f: _zip(f / "r.zip", {"cover.csv": b"\xff\xfe"}), "rejected"),
    ("FILE-013", _error_cell, "rejected"),
]
SMALL = replace(
    Limits(),
    file_bytes=200_000,
    unpacked_bytes=2_000_000,
    ratio_matters_from_bytes=1_000_000,
    entries=11,
    rows=30,
)


@pytest.mark.parametrize(("rule", "make", "outcome"), FILES, ids=[f"{c[0]}-{n}" for n, c in enumerate(FILES)])
def test_a_file_that_breaks_a_rule(
    tmp_path: Path, reference: Reference, forms: Forms, rule: str, make: Callable[[Path], Path], outcome: str
) -> None:
    judgement = judge(make(tmp_path), Context(reference, forms, IN_TIME, SENDER, SMALL))
    assert rule in codes(judgement.verdict)
    assert judgement.verdict.outcome == outcome
    if rule != "FILE-013":
        # A path trick is no sheet either, and a macro may be told as an embedded file too.
        others = {"FILE-009": {"FILE-011"}, "FILE-003": {"FILE-019"}}.get(rule, set())
        assert {rule} <= codes(judgement.verdict) <= {rule} | others
        assert not judgement.verdict.is_readable
        assert judgement.verdict.exit_code == 2
        assert not judgement.may_be_archived  # it was never screened for personal data


def test_formulas_are_a_warning(good: ReturnFile, judged: Judged) -> None:
    good.row("metrics", metric_id=COUNT)["count"] = "=5+5"
    verdict = judged(good, SENDER, xlsx=True)
    assert codes(verdict) == {"FILE-014"}
    assert verdict.is_accepted


@pytest.mark.parametrize(
    ("reason", "rule"), [("crashed", "FILE-015"), ("timed_out", "FILE-016"), ("out_of_memory", "FILE-017")]
)
def test_a_reader_that_gave_no_answer_is_a_rejection(
    tmp_path: Path, good: ReturnFile, reference: Reference, forms: Forms, reason: str, rule: str
) -> None:
    facts = inspect(good.zip(tmp_path / "r.zip"))
    verdict = judge_fault(facts, Context(reference, forms, IN_TIME, SENDER), Fault(reason))
    assert codes(verdict) == {rule}
    assert verdict.outcome == "quarantined"


# --- dates and declarations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived_at", "is_late"),
    [
        (datetime(2025, 7, 1, tzinfo=UTC), False),
        (datetime(2025, 8, 11, 22, 59, tzinfo=UTC), False),  # 23:59 in London on the due day
        (datetime(2025, 8, 11, 23, 1, tzinfo=UTC), True),  # the day after, in London
        (datetime(2026, 2, 1, tzinfo=UTC), True),
    ],
)
def test_lateness_is_judged_by_arrival(
    good: ReturnFile, judged: Judged, arrived_at: datetime, is_late: bool
) -> None:
    verdict = judged(good, SENDER, arrived_at=arrived_at)
    assert codes(verdict) - {"IDENTITY-013"} == ({"IDENTITY-011"} if is_late else set())
    assert verdict.is_accepted


@pytest.mark.parametrize(
    ("arrived_at", "revised_on"),
    [
        # 30 working days after 30 June are 11 August, 20 more (with the bank holiday of 25 August) 9 September.
        (datetime(2025, 9, 9, 22, 59, tzinfo=UTC), None),  # 23:59 in London on the last day
        (datetime(2025, 9, 9, 23, 1, tzinfo=UTC), "2025-12-09"),  # the final build of July to September
        (datetime(2025, 12, 9, 12, 0, tzinfo=UTC), "2025-12-09"),
        # 50 working days after 31 December, without 1 January
        (datetime(2025, 12, 10, 12, 0, tzinfo=UTC), "2026-03-12"),
    ],
)
def test_a_closed_period_goes_into_the_next_revision(
    good: ReturnFile, judged: Judged, arrived_at: datetime, revised_on: str | None
) -> None:
    verdict = judged(good, SENDER, arrived_at=arrived_at)
    told = [p.expected for p in verdict.problems if p.rule_code == "IDENTITY-013"]
    expected = f"by 2025-09-09; the next revision is on {revised_on}"
    assert told == ([expected] if revised_on else [])
    assert verdict.is_accepted


def test_a_return_of_years_ago_goes_into_a_coming_revision(
    reference: Reference, forms: Forms, judged: Judged
) -> None:
    verdict = judged(quarterly(reference, forms), SENDER, arrived_at=datetime(2031, 5, 1, tzinfo=UTC))
    (told,) = (p.expected for p in verdict.problems if p.rule_code == "IDENTITY-013")
    assert (
        told.rpartition(" ")[2] == reference.cycles[0].review_due_on(Period.parse("2030-31-Q4")).isoformat()
    )


def test_a_period_ends_with_its_last_day(good: ReturnFile, judged: Judged) -> None:
    on_the_day = judged(good, SENDER, arrived_at=datetime(2025, 6, 30, 12, 0, tzinfo=UTC))
    assert codes(on_the_day) == {"IDENTITY-007"}
    assert (
        judged(good, SENDER, arrived_at=datetime(2025, 6, 30, 23, 30, tzinfo=UTC)).problems == ()
    )  # 1 July, London


def test_a_metric_may_be_declared_as_not_collected(good: ReturnFile, judged: Judged) -> None:
    good.row("metrics", metric_id=PROPORTION).update(
        met="", not_met="", collection_mode="", sampling_frame="", not_collected_reason="No system yet."
    )
    assert judged(good, SENDER).problems == ()


def test_whole_sheets_may_be_declared_nil(good: ReturnFile, judged: Judged) -> None:
    good.sheets["feedback"].clear()
    assert codes(judged(good, SENDER, name="without")) == {"FIGURES-008"}
    good.cover["nil_feedback_reason"] = "A national survey is held."
    assert judged(good, SENDER, name="with").problems == ()


def test_fraud_is_for_the_city_of_london(reference: Reference, forms: Forms, judged: Judged) -> None:
    file = quarterly(reference, forms, "E23000034-police")
    total = file["metrics"][0]
    file["metrics"].append(breakdown(total, "crime_type", "FRA", met="1", not_met="1"))
    assert judged(file, "E23000034-police").problems == ()


def test_crime_types_that_may_be_left_out_leave_no_gap(good: ReturnFile, judged: Judged) -> None:
    part("crime_type", "VAP", met="1", not_met="1")(good)
    assert judged(good, SENDER).problems == ()


def test_a_mistyped_total_is_told_once(good: ReturnFile, judged: Judged) -> None:
    part("sex", "F", met="30", not_met="10")(good)
    on_metric(PROPORTION, collection_mode="cens2s")(good)
    assert dict(judged(good, SENDER).counts) == {"SHAPE-004": 1}


def test_one_mistake_is_told_once(good: ReturnFile, judged: Judged) -> None:
    """A row left blank, and figures in the columns of another unit: one finding for each cell to be mended."""
    on_metric(PROPORTION, met="", not_met="", collection_mode="", sampling_frame="")(good)
    on_metric(COUNT, count="", met="5", not_met="7")(good)
    verdict = judged(good, SENDER)
    assert dict(verdict.counts) == {"FIGURES-006": 2, "FIGURES-011": 1}
    assert verdict.problems[-1].expected == "figures in met, not_met, or not_collected_reason"


def test_a_sheet_with_nearly_its_name_is_told_once(good: ReturnFile, judged: Judged) -> None:
    good.sheets["Delivery "] = good.sheets.pop("delivery")
    good.headers["Delivery "] = good.headers["delivery"]
    verdict = judged(good, SENDER, xlsx=True)
    assert dict(verdict.counts) == {"SHAPE-001": 1}
    assert verdict.problems[0].found == "no such sheet; sheet number 4 has nearly its name"


@pytest.mark.parametrize(
    ("sheet", "column", "cell", "found", "expected"),
    [
        ("metrics", "met", "n/a", "n/a", "a whole number from 0, digits only"),
        ("metrics", "cases_from", "30/06/2025", "a date written as text", "a date such as 2025-06-30"),
        ("metrics", "collection_mode", "CENSUS", "text of 6 characters",
         "one of census, random_sample, purposive_sample; perhaps census"),
        ("metrics", "collection_mode", "", "nothing",
         "one of census, random_sample, purposive_sample, as not_collected_reason is blank"),
        ("metrics", "pfa_code", "Barnsley", "text of 8 characters", AREA),
        ("metrics", "metric_id", "r11_s04_yot_progres", "r11_s04_yot_progres",
         "one of the 40 codes of statistics; perhaps r11_s04_yot_progress"),
        ("cover", "period_code", "Q1 2025/26", "text of 10 characters", "a quarter such as 2025-26-Q1"),
    ],
)  # fmt: skip
def test_a_report_says_what_is_meant(
    good: ReturnFile, judged: Judged, sheet: str, column: str, cell: str, found: str, expected: str
) -> None:
    if sheet == "cover":
        good.cover[column] = cell
    else:
        good.row(sheet, metric_id=PROPORTION)[column] = cell
    (told,) = (p for p in judged(good, SENDER).problems if p.column_name == column and p.row_number)
    assert (told.found, told.expected) == (found, expected)


def test_a_missing_cover_is_told_alone(tmp_path: Path, judged: Judged) -> None:
    verdict = judged(write_zip(tmp_path / "r.zip", {"metrics": [["a"], ["1"]]}), SENDER)
    assert places(verdict, "SHAPE-001") == [("cover", None, None)]
    assert codes(verdict) == {"SHAPE-001"}


def test_all_problems_are_told_at_once(good: ReturnFile, judged: Judged) -> None:
    on_metric(PROPORTION, met="-1")(good)
    on("feedback", survey_mode="pigeon")(good)
    drop("delivery", item_id="r01_d01")(good)
    on("delivery", grade="9")(good)
    assert codes(judged(good, SENDER)) == {"FIGURES-001", "SHAPE-004", "FIGURES-008", "SHAPE-003"}


def test_a_file_outside_any_folder_is_judged_as_its_sender_says(good: ReturnFile, judged: Judged) -> None:
    assert judged(good, None).problems == ()
    assert judged(good, None).sender_code == SENDER


# --- the register of rules ---------------------------------------------------------------------------------


def test_every_rule_has_a_passing_and_a_failing_case() -> None:
    """The cases of a rule spoil a return that keeps it; test_rules_of_entries, test_comparison and test_transitions hold more."""
    tried = {case[0] for cases in (QUARTERLY, AUDIT, FILES, ENTRIES, COMPARED, DECIDED) for case in cases}
    # Each of these has tests of its own, with and without the fault, here or in the files named above.
    elsewhere = {
        "FILE-014",
        "FILE-015",
        "FILE-016",
        "FILE-017",
        "IDENTITY-011",
        "IDENTITY-013",
        "SHAPE-029",
        "SHAPE-030",
        "SHAPE-038",
    }
    elsewhere |= {code for code in RULES if code >= "FILE-018" and RULES[code].group == "file"}
    assert tried | elsewhere == set(RULES)


def test_every_rule_speaks_plainly() -> None:
    for code, rule in RULES.items():
        assert rule.code == code
        assert rule.message.endswith(".") and rule.remedy.endswith("."), code
        assert rule.check.__doc__, code
        assert code.lower().startswith(rule.group), code


def test_the_area_of_the_examples_is_that_of_the_sender(reference: Reference) -> None:
    assert (SENDER, AREA) in {(b.body_code, b.pfa_code) for b in reference.body_areas}
