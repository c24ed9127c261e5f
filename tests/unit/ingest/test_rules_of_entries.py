"""The rules of decisions, notices, insight, rules and context: returns that keep them, and spoilt ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from return_files import TOTAL, ReturnFile, feedback_row

from ingest.acceptance import RULES, Verdict
from ingest.form import Forms
from ingest.reference import Reference

Judged = Callable[..., Verdict]
Spoil = Callable[[ReturnFile], Any]
Place = tuple[str | None, int | None, str | None]

DURING = datetime(2026, 6, 12, 12, 0, tzinfo=UTC)  # in 2026-27-Q1
# Essex police and prisons, rights 3 and 11, severe from 2025-26-Q2 on; `printf 'police|E23000028|3|2025-26-Q2' | md5sum`
CASE, OTHER_CASE = "8723f6504f34b644", "88edec2fe08eae80"
FORCE, REVIEWER = "E23000028-police", "E23000028-lpb"  # Essex


def decisions(forms: Forms) -> ReturnFile:
    form = forms.get("decisions", 2)
    assert form is not None
    file = ReturnFile(
        form,
        {
            "kind": "decisions", "form_version": "2", "sender_code": "programme-board",
            "period_code": "2026-27-Q1",
        },
    )  # fmt: skip
    file["decisions"].append(
        {
            "case_id": CASE, "to_state": "notice_published", "decided_by_role": "both_ministers",
            "decided_on": "2026-06-10", "reason": "No process was in place after two quarters.",
        }
    )  # fmt: skip
    file["decisions"].append(
        {
            "case_id": OTHER_CASE, "to_state": "closed", "decided_by_role": "taskforce",
            "decided_on": "2026-04-01", "reason": "Compliance has been as elsewhere for two quarters.",
        }
    )  # fmt: skip
    file["meetings"].append(
        {
            "forum": "taskforce", "meeting_on": "2026-04-01", "reviewed_period_code": "2025-26-Q4",
            "cases_considered": "2", "summary": "Two cases were considered, one of them closed.",
        }
    )  # fmt: skip
    file["notices"].append(
        {
            "notice_id": "N2026-01", "case_ids": f"{CASE}; {OTHER_CASE}", "recipient_code": REVIEWER,
            "copied_to": FORCE, "summary": "Crime reports were not confirmed in writing.",
            "request": "A plan with dates.", "vc_consulted_on": "2026-05-20", "sos_agreed_on": "2026-06-01",
            "ag_agreed_on": "2026-06-03", "published_on": "2026-06-10", "plan_due": "2026-09-18",
            "update_due": "2026-12-18",
        }
    )  # fmt: skip
    file["notices"].append(
        {
            "notice_id": "N2026-02", "case_ids": OTHER_CASE, "recipient_code": "E23000028-prisons",
            "summary": "Victims were not told of releases.", "request": "A plan.",
        }
    )  # fmt: skip
    return file


def insight(forms: Forms) -> ReturnFile:
    form = forms.get("insight", 1)
    assert form is not None
    cover = {"kind": "insight", "form_version": "1", "sender_code": REVIEWER, "period_code": "2025-26-Q4"}
    file = ReturnFile(form, cover)
    for body in ("police", "cps", "prisons"):
        file["review"].append(
            {
                "meeting_on": "2026-06-02", "pfa_code": "E23000028", "body_code": f"E23000028-{body}",
                "is_represented": "yes", "receipt_id": "R000123-0a1b2c3d",
            }
        )  # fmt: skip
    file["insight"].append(
        {
            "insight_id": "A1", "insight_kind": "action", "pfa_code": "E23000028",
            "text": "Letters go out weekly.", "owner_role": "Head of victim care", "due": "2026-09-30",
            "status": "open",
        }
    )  # fmt: skip
    file["insight"].append(
        {"insight_id": "A2", "insight_kind": "high", "pfa_code": "E23000028", "text": "Prompt letters."}
    )
    return file


def rules(forms: Forms) -> ReturnFile:
    form = forms.get("rules", 1)
    assert form is not None
    file = ReturnFile(
        form,
        {
            "kind": "rules", "form_version": "1", "sender_code": "programme-board",
            "period_code": "2026-27-Q1",
        },
    )  # fmt: skip

    def row(parameter: str, number: str = "", word: str = "", metric: str = "") -> None:
        file["rules"].append(
            {
                "rule_version": "1", "effective_from": "2026-07-01", "parameter": parameter,
                "metric_id": metric, "number_value": number, "text_value": word, "basis": "prescribed",
                "agreed_on": "2026-06-05",
            }
        )  # fmt: skip

    row("n_min", "10")
    row("s2_z_flag", "-3.09")
    row("s2_z_watch", "-1.96")
    row("s4_counts", word="aggravates")
    row("peer_set", word="size_and_density_2021")
    row("threshold", "0.5", metric="r03_s01_crn_5wd")
    for parameter, number in {
        "s1_z": "1.644854",
        "s2_gap_min": "0.05",
        "s2_peers_min": "4",
        "s2_areas_min": "5",
        "s2_winsor_low": "0.1",
        "s2_winsor_high": "0.9",
        "s2_tail": "0.001",
        "s4_grade_max": "1",
        "met_min": "1",
        "bridge_quarters": "1",
        "reopen_quarters": "4",
        "close_quarters": "2",
        "yjs_share_min": "0.8",
        "yjs_s4_share_min": "0.25",
        "high_z": "3.09",
        "high_n_min": "100",
        "interval_z": "1.959964",
        "change_z": "1.959964",
    }.items():
        row(parameter, number)
    row("s2_divide_tail", word="false")
    row("persistence_scope", word="same_indicator")
    return file


def context(forms: Forms, sender: str = "moj") -> ReturnFile:
    form = forms.get("context", 1)
    assert form is not None
    file = ReturnFile(
        form, {"kind": "context", "form_version": "1", "sender_code": sender, "period_code": "2026-27-Q1"}
    )
    if sender == "moj":
        file["context"].append(
            {
                "context_id": "C1", "source": "inspectorate", "publisher": "An inspectorate",
                "title": "Victims and the Code", "summary": "Letters were late in six forces.",
                "published_on": "2026-05-05", "link": "https://example.org/report",
            }
        )  # fmt: skip
    file["context"].append(
        {
            "context_id": "C2", "source": "support_services", "publisher": "Office of the commissioner",
            "pfa_code": "E23000028", "title": "Local support service", "summary": "Commissioned to 2028.",
            "measure": "Victims supported", "value": "1200", "unit": "victims",
        }
    )  # fmt: skip
    return file


MAKERS: dict[str, Callable[[Forms], ReturnFile]] = {
    "decisions": decisions,
    "insight": insight,
    "rules": rules,
    "context": context,
}


def on(sheet: str, place: int = 0, **values: str) -> Spoil:
    return lambda file: file[sheet][place].update(values)


def again(sheet: str, place: int = 0, **values: str) -> Spoil:
    return lambda file: file[sheet].append(file[sheet][place] | values)


# (rule, kind of return, what is spoilt, every rule that then speaks, the places the rule names)
CASES: list[tuple[str, str, Spoil, set[str], list[Place]]] = [
    ("SHAPE-017", "decisions", on("decisions", decided_on="2026-06-13"), set(), [("decisions", 2, "decided_on")]),
    ("SHAPE-017", "decisions", on("notices", 1, sos_agreed_on="2026-07-01"), set(), [("notices", 3, "sos_agreed_on")]),
    ("SHAPE-017", "insight", on("review", meeting_on="2026-06-13"), set(), [("review", 2, "meeting_on")]),
    ("SHAPE-017", "rules", on("rules", agreed_on="2026-06-13"), set(), [("rules", 2, "agreed_on")]),
    ("SHAPE-017", "context", on("context", published_on="2026-06-13"), set(), [("context", 2, "published_on")]),
    ("SHAPE-018", "decisions", on("decisions", decided_on="2026-03-31"), set(), [("decisions", 2, "decided_on")]),
    ("SHAPE-018", "decisions", again("meetings", meeting_on="2026-07-01"), {"SHAPE-017"},
     [("meetings", 3, "meeting_on")]),
    ("SHAPE-037", "decisions", on("meetings", reviewed_period_code="2026-27-Q1"), set(),
     [("meetings", 2, "reviewed_period_code")]),
    ("SHAPE-018", "insight", on("review", 1, meeting_on="2025-12-31"), set(), [("review", 3, "meeting_on")]),
    ("SHAPE-018", "rules", on("rules", 1, agreed_on="2026-03-31"), set(), [("rules", 3, "agreed_on")]),
    ("IDENTITY-014", "decisions", on("decisions", case_id="0a1b2c3d4e5f6a7b"), set(), [("decisions", 2, "case_id")]),
    ("IDENTITY-014", "decisions", on("notices", case_ids=f"{CASE};0a1b2c3d4e5f6a7b"), set(), [("notices", 2, "case_ids")]),
    ("SHAPE-019", "decisions", on("decisions", case_id="0A1B2C3D4E5F6A7B"), set(), [("decisions", 2, "case_id")]),
    ("SHAPE-019", "decisions", on("notices", case_ids=f"{CASE}, {OTHER_CASE}"), set(), [("notices", 2, "case_ids")]),
    ("SHAPE-019", "decisions", on("notices", case_ids=f"{CASE};{CASE}"), set(), [("notices", 2, "case_ids")]),
    ("SHAPE-019", "decisions", on("notices", case_ids=";"), set(), [("notices", 2, "case_ids")]),
    ("SHAPE-020", "decisions", on("notices", ag_agreed_on="2026-06-11"), set(), [("notices", 2, "published_on")]),
    ("SHAPE-020", "decisions", on("notices", plan_due="2026-06-09"), set(), [("notices", 2, "plan_due")]),
    ("SHAPE-020", "decisions", on("notices", update_due="2026-09-17"), set(), [("notices", 2, "update_due")]),
    ("SHAPE-021", "decisions", on("notices", vc_consulted_on=""), set(), [("notices", 2, "vc_consulted_on")]),
    ("SHAPE-021", "decisions", on("notices", 1, published_on="2026-06-10"), set(),
     [("notices", 3, "sos_agreed_on"), ("notices", 3, "ag_agreed_on"), ("notices", 3, "vc_consulted_on")]),
    ("SHAPE-022", "decisions", on("notices", recipient_code=FORCE), set(), [("notices", 2, "recipient_code")]),
    ("SHAPE-022", "decisions", on("notices", 1, recipient_code="BTP"), set(), [("notices", 3, "recipient_code")]),
    ("SHAPE-022", "decisions", on("notices", 1, recipient_code="survey"), set(), [("notices", 3, "recipient_code")]),
    ("SHAPE-022", "decisions", on("notices", 1, recipient_code="cps-london-north"), set(),
     [("notices", 3, "recipient_code")]),
    ("SHAPE-023", "decisions", on("notices", copied_to=f"{FORCE}; E2300028-cps"), set(), [("notices", 2, "copied_to")]),
    ("SHAPE-024", "decisions", on("notices", copied_to=""), set(), [("notices", 2, "copied_to")]),
    ("SHAPE-024", "decisions", on("notices", copied_to="E23000011-police"), set(), [("notices", 2, "copied_to")]),
    ("SHAPE-025", "insight", on("insight", owner_role="", due="", status=""), set(),
     [("insight", 2, "owner_role"), ("insight", 2, "due"), ("insight", 2, "status")]),
    ("SHAPE-026", "insight", on("insight", 1, due="2026-09-30"), set(), [("insight", 3, "due")]),
    ("SHAPE-026", "insight", on("insight", 1, status="done"), set(), [("insight", 3, "status")]),
    ("SHAPE-027", "insight", on("review", receipt_id="R12"), set(), [("review", 2, "receipt_id")]),
    ("SHAPE-028", "context", on("context", published_on="", link=""), set(),
     [("context", 2, "published_on"), ("context", 2, "link")]),
    ("SHAPE-028", "context", on("context", 1, pfa_code=""), set(), [("context", 3, "pfa_code")]),
    ("FIGURES-025", "rules", on("rules", number_value=""), set(), [("rules", 2, "number_value")]),
    ("FIGURES-025", "rules", on("rules", text_value="ten"), set(), [("rules", 2, "text_value")]),
    ("FIGURES-025", "rules", on("rules", 3, text_value="", number_value="1"), set(),
     [("rules", 5, "number_value")]),
    ("FIGURES-026", "rules", on("rules", number_value="9.5"), set(), [("rules", 2, "number_value")]),
    ("FIGURES-026", "rules", on("rules", 5, number_value="50"), set(), [("rules", 7, "number_value")]),
    ("FIGURES-026", "rules", on("rules", 1, number_value="3.09"), {"FIGURES-027"}, [("rules", 3, "number_value")]),
    ("FIGURES-026", "rules", on("rules", 3, text_value="ignores"), set(), [("rules", 5, "text_value")]),
    ("FIGURES-027", "rules", on("rules", 2, number_value="-4"), set(), [("rules", 4, "number_value")]),
    ("FIGURES-028", "rules", on("rules", 5, metric_id=""), set(), [("rules", 7, "metric_id")]),
    ("FIGURES-028", "rules", on("rules", metric_id="r03_s01_crn_5wd"), set(), [("rules", 2, "metric_id")]),
    ("FIGURES-029", "rules", on("rules", 2, effective_from="2026-10-01"), set(), [("rules", 4, "effective_from")]),
    ("FIGURES-029", "rules", again("rules", rule_version="2"), {"FIGURES-030"}, [("rules", 28, "effective_from")]),
    ("FIGURES-029", "rules", again("rules", rule_version="2", effective_from="2026-10-02"), {"FIGURES-030"},
     [("rules", 28, "effective_from")]),
    ("FIGURES-029", "rules",
     again("rules", rule_version="2", effective_from="2026-10-01", effective_to="2026-09-30"), {"FIGURES-030"},
     [("rules", 28, "effective_to")]),
    ("FIGURES-029", "rules", again("rules", rule_version="0", effective_from="2026-04-01"), {"FIGURES-030"},
     [("rules", 28, "rule_version")]),
    ("FIGURES-030", "rules", lambda file: file["rules"].pop(1), set(), [("rules", None, "parameter")]),
]  # fmt: skip


def codes(verdict: Verdict) -> set[str]:
    return set(verdict.counts)


@pytest.mark.parametrize(
    ("rule", "kind", "spoil", "others", "where"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_return_that_breaks_a_rule(
    forms: Forms, judged: Judged, rule: str, kind: str, spoil: Spoil, others: set[str], where: list[Place]
) -> None:
    file = MAKERS[kind](forms)
    sender = file.cover["sender_code"]
    assert judged(file, sender, DURING, name="good").problems == ()
    spoil(file)
    verdict = judged(file, sender, DURING, name="spoilt")
    assert codes(verdict) == {rule} | others
    told = [(p.sheet, p.row_number, p.column_name) for p in verdict.problems if p.rule_code == rule]
    assert told == where
    assert verdict.outcome == "rejected"
    assert RULES[rule].severity == "error"


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_an_empty_sheet_needs_a_reason_where_the_cover_asks_for_one(
    forms: Forms, judged: Judged, kind: str
) -> None:
    file = MAKERS[kind](forms)
    sender = file.cover["sender_code"]
    for rows in file.sheets.values():
        rows.clear()
    empty = judged(file, sender, DURING, name="empty")
    assert codes(empty) == {"SHAPE-030"} and empty.outcome == "rejected"
    assert {p.sheet for p in empty.problems} == set(file.sheets)
    nil_fields = {"decisions": 3, "insight": 2, "rules": 0, "context": 0}[kind]
    assert sum(" on the cover" in p.expected for p in empty.problems) == nil_fields
    file.cover |= dict.fromkeys(file.form.nil_fields, "There was nothing to report.")
    assert codes(judged(file, sender, DURING, name="reasons")) == (set() if nil_fields else {"SHAPE-030"})


def test_a_local_policing_body_tells_of_its_own_services_alone(forms: Forms, judged: Judged) -> None:
    file = context(forms, REVIEWER)
    assert judged(file, REVIEWER, DURING, name="good").problems == ()
    file["context"][0] |= {"source": "ombudsman", "published_on": "2026-05-05", "link": "https://example.org"}
    assert codes(judged(file, REVIEWER, DURING, name="other")) == {"SHAPE-029"}
    file["context"][0] |= {"source": "support_services", "pfa_code": "E23000011"}
    assert codes(judged(file, REVIEWER, DURING, name="elsewhere")) == {"IDENTITY-010"}


# --- what the other rules say of these kinds ---------------------------------------------------------------


def test_decisions_may_be_sent_while_their_quarter_runs_but_not_before(forms: Forms, judged: Judged) -> None:
    file = decisions(forms)
    file["decisions"].clear()
    file["notices"].clear()
    file["meetings"].clear()
    file.cover |= dict.fromkeys(file.form.nil_fields, "None yet.")
    first_day = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)  # 1 April in London
    assert judged(file, "programme-board", first_day).problems == ()
    before = judged(file, "programme-board", datetime(2026, 3, 31, 12, 0, tzinfo=UTC), name="before")
    assert codes(before) == {"IDENTITY-007"}
    assert before.problems[0].found == "2026-27-Q1, which starts on 2026-04-01"


def test_insight_is_sent_once_its_quarter_is_over(forms: Forms, judged: Judged) -> None:
    file = insight(forms)
    for row in file["review"]:
        row["meeting_on"] = "2026-03-01"
    assert codes(judged(file, REVIEWER, datetime(2026, 3, 20, tzinfo=UTC))) == {"IDENTITY-007"}


def test_insight_is_late_after_the_review_and_closes_nothing(forms: Forms, judged: Judged) -> None:
    # Ten weeks after Tuesday 31 March 2026, and four days for Good Friday, Easter Monday and two in May.
    assert judged(insight(forms), REVIEWER, datetime(2026, 6, 15, 12, 0, tzinfo=UTC)).problems == ()
    late = judged(insight(forms), REVIEWER, datetime(2026, 6, 16, 12, 0, tzinfo=UTC), name="late")
    assert codes(late) == {"IDENTITY-011"}
    assert late.problems[0].expected == "by 2026-06-15"


def test_bodies_at_a_review_are_of_the_area(forms: Forms, judged: Judged) -> None:
    file = insight(forms)
    file["review"][0]["body_code"] = "E23000011-police"
    assert codes(judged(file, REVIEWER, DURING, name="body")) == {"IDENTITY-009"}
    file = insight(forms)
    file["insight"][1]["pfa_code"] = "E23000011"
    verdict = judged(file, REVIEWER, DURING, name="area")
    assert codes(verdict) == {"IDENTITY-010"}
    assert verdict.problems[0].expected == "E23000028"


def test_every_decision_needs_its_reason(forms: Forms, judged: Judged) -> None:
    file = decisions(forms)
    file["decisions"][1]["reason"] = ""
    assert codes(judged(file, "programme-board", DURING)) == {"SHAPE-006"}


def test_a_spreadsheets_truth_value_is_a_word(forms: Forms, judged: Judged) -> None:
    file = rules(forms)
    divide = next(row for row in file["rules"] if row["parameter"] == "s2_divide_tail")
    divide["text_value"] = "TRUE"
    assert judged(file, "programme-board", DURING).problems == ()
    divide["text_value"] = "maybe"
    verdict = judged(file, "programme-board", DURING, name="maybe")
    assert [p.expected for p in verdict.problems] == ["true or false"]


def test_a_parameter_stands_once_in_a_version(forms: Forms, judged: Judged) -> None:
    file = rules(forms)
    again("rules", number_value="12")(file)
    assert codes(judged(file, "programme-board", DURING)) == {"SHAPE-005"}


def test_the_authorities_of_national_forces_receive_their_notices(forms: Forms, judged: Judged) -> None:
    file = decisions(forms)
    for recipient, force in (("BTPA", "BTP"), ("SSD", "MDP")):
        file["notices"][0] |= {"recipient_code": recipient, "copied_to": force}
        assert judged(file, "programme-board", DURING, name=recipient).problems == ()


def test_a_survey_need_not_ask_every_question_of_every_body(
    reference: Reference, forms: Forms, judged: Judged
) -> None:
    form = forms.get("feedback", 1)
    assert form is not None
    cover = {"kind": "feedback", "form_version": "1", "sender_code": "survey", "period_code": "2025-26-Q4"}
    file = ReturnFile(form, cover)
    question = reference.codes("questions") & {"r01_f01"}
    for body, area in (("E23000028-police", "E23000028"), ("E23000011-cps", "E23000011"), ("BTP", "NAT")):
        file["feedback"].append(feedback_row("five_point", min(question), body, area) | TOTAL)
    assert judged(file, "survey", DURING).problems == ()
    file["feedback"][0]["very_good"] = ""
    assert codes(judged(file, "survey", DURING, name="gap")) == {"FIGURES-011"}


def test_a_forum_that_decided_on_a_day_without_a_meeting_is_asked_about(forms: Forms, judged: Judged) -> None:
    file = decisions(forms)
    file["meetings"][0]["meeting_on"] = "2026-04-02"
    verdict = judged(file, "programme-board", DURING, name="elsewhere")
    assert [(p.rule_code, p.sheet, p.row_number, p.expected) for p in verdict.problems] == [
        ("SHAPE-038", "decisions", 3, "a meeting of taskforce on 2026-04-01")
    ]
    assert verdict.outcome == "accepted_with_warnings"
    # the other forum's meeting of that day does not count
    file["meetings"][0] |= {"forum": "programme_board", "meeting_on": "2026-04-01"}
    assert codes(judged(file, "programme-board", DURING, name="other")) == {"SHAPE-038"}


def test_a_quarter_before_meetings_were_recorded_is_not_asked_for_them(forms: Forms, judged: Judged) -> None:
    first = forms.get("decisions", 1)
    assert first is not None and [sheet.name for sheet in first.tables] == ["decisions", "notices"]
    file = ReturnFile(first, {**decisions(forms).cover, "form_version": "1", "period_code": "2025-26-Q3"})
    row = decisions(forms)["decisions"][1] | {"to_state": "data_check", "decided_by_role": "programme_board"}
    file["decisions"].append(row | {"decided_on": "2025-12-11"})
    file.cover["nil_notices_reason"] = "None yet."
    assert judged(file, "programme-board", DURING).problems == ()
    # nor is the later version taken for that quarter
    later = decisions(forms)
    later.cover["period_code"] = "2025-26-Q3"
    assert "IDENTITY-003" in codes(judged(later, "programme-board", DURING, name="later"))


def test_a_minister_may_not_send_a_boards_decisions(forms: Forms, judged: Judged) -> None:
    file = decisions(forms)
    file.cover["sender_code"] = "moj"
    assert codes(judged(file, "moj", DURING)) == {"IDENTITY-005"}
