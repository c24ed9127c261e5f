"""Trace a figure of the 2019/20 audit: the rows it is printed in, and the cases derived from them.

What belongs here: the rows of the audit, and whole cases derived once more, in plain Python. What does not:
the figures of the quarters (find.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestration.tracing.found import Comparison, Found, Row, Value
from orchestration.tracing.known import Record, names_of, records, remarks_on, returns_of
from orchestration.tracing.question import LEGACY_MART, Question, TraceError

if TYPE_CHECKING:
    import duckdb

#: The only table of the form.
_SHEET = "answers"
#: Which answers stand in which printed column.
_PRINTED = {
    "printed_met": ("met", "percentage"),
    "printed_not_met": ("not_met",),
    "printed_other": ("not_suitable", "declined"),
}
_BASE_RULES = {
    "sample": "The shares are of the sample: whole cases are those that alone give every printed share.",
    "met_cases_of_question": "The shares are of the cases that met the base question: whole cases are those"
    " that alone give every printed share.",
    "unstated": "The report does not say of what the shares are: nothing is derived from them.",
}
_STATED = "The report states the cases and how many were looked at: nothing is derived."
_KEYS = {"receipt_id", "sheet_row", "body_code", "pfa_code", "outcome", "base_rule", "base_question_id"}


@dataclass(frozen=True)
class Cases:
    """Whole cases that give the printed shares, of all cases or of the suitable ones."""

    base_kind: str
    met: int
    not_met: int
    other: int

    def of(self, outcome: str) -> int | None:
        """Return the cases of one answer; none for an answer that is no share."""
        if outcome in _PRINTED["printed_met"]:
            return self.met
        if outcome in _PRINTED["printed_not_met"]:
            return self.not_met
        return self.other if outcome in _PRINTED["printed_other"] else None


@dataclass(frozen=True)
class Derived:
    """What the answers of one question give: every solution that fits its base."""

    base_rule: str
    base_question_id: str | None
    base_count: int | None
    solutions: tuple[Cases, ...]

    @property
    def cases(self) -> Cases | None:
        """The whole cases, if exactly one solution fits."""
        return self.solutions[0] if len(self.solutions) == 1 else None


def trace_legacy(con: duckdb.DuckDBPyConnection, question: Question, build_id: str) -> list[Found]:
    """Return each figure of an audit question: one a sampling frame. Raises TraceError if there is none."""
    figures = records(
        con,
        f"select * from {LEGACY_MART}"
        " where body_kind = ? and question_id = ? and period_code = ? and pfa_code = ?"
        " order by sampling_frame",
        [question.body_kind, question.item_id, question.period_code, question.place_code],
    )
    asked = [
        each
        for each in figures
        if question.frame in (None, each["sampling_frame"])
        and question.mode in (None, each["collection_mode"])
    ]
    if not asked:
        there = ", ".join(f"{each['collection_mode']} of {each['sampling_frame']}" for each in figures)
        raise TraceError(
            f"The audit has no figure for {question.item_id} of {question.body_kind}, {question.place_name},"
            f" {question.period_code}, collected as {question.mode or 'any mode'},"
            f" {question.frame or 'any frame'}; there are: {there or 'none at all'}."
        )
    return [_found(con, question, build_id, figure) for figure in asked]


def _found(con: duckdb.DuckDBPyConnection, question: Question, build_id: str, figure: Record) -> Found:
    answers = _answers(con, question, figure)
    own = [each for each in answers if each["question_id"] == question.item_id]
    bases = {each["base_question_id"] for each in own}
    on = [each for each in answers if each["question_id"] in bases]
    sample = _sample(con, figure)
    derived_on = derive(on, sample.get("sample_size"))
    derived = derive(own, sample.get("sample_size"), derived_on)
    names = names_of(con, question.body_kind)
    rows = [
        Row(
            receipt_id=each["receipt_id"],
            sheet=_SHEET,
            sheet_row=each["sheet_row"],
            body_code=each["body_code"],
            body_name=names["bodies"].get(each["body_code"], ""),
            pfa_code=each["pfa_code"],
            area_name=names["areas"].get(each["pfa_code"], ""),
            collected_by="own",
            counts=_counts(each, cases),
            values={name: value for name, value in each.items() if value is not None and name not in _KEYS},
        )
        for listed, cases in ((own, derived.cases), (on, derived_on.cases))
        for each in listed
    ]
    receipt_ids = list(dict.fromkeys(row.receipt_id for row in rows))
    given = read_again(own, derived, sample)
    return Found(
        question=question,
        build_id=build_id,
        mart=LEGACY_MART,
        figure=figure,
        comparisons=tuple(Comparison(name, figure[name], value) for name, value in given.items()),
        rows=tuple(rows),
        returns=tuple(returns_of(con, receipt_ids)),
        warnings=tuple(remarks_on(con, receipt_ids, rows)),
        missing=(),
        rules={
            "base_rule": derived.base_rule,
            "meaning": _STATED if given["outcome_status"] == "stated" else _BASE_RULES.get(derived.base_rule),
            "base_question_id": derived.base_question_id,
            **sample,
            "base_count": derived.base_count,
            "solution_count": len(derived.solutions) if derived.base_count is not None else None,
        },
        tests=(),
        published=None,
    )


def _answers(con: duckdb.DuckDBPyConnection, question: Question, figure: Record) -> list[Record]:
    """Return the rows of the question and of the one its shares are of, as the current return has them."""
    return records(
        con,
        """
        select
            answers.*,
            questions.outcome,
            questions.base_rule,
            questions.base_question_id
        from staging.stg_legacy_audit_answers as answers
        inner join intermediate.int_current_receipts as receipts
            on answers.receipt_id = receipts.receipt_id
        inner join staging.stg_periods as periods
            on answers.period_code = periods.period_code
        inner join reference.bodies as bodies
            on
                answers.body_code = bodies.body_code
                and (bodies.valid_from is null or bodies.valid_from <= periods.last_day)
                and (bodies.valid_to is null or bodies.valid_to >= periods.last_day)
        inner join reference.legacy_questions as questions
            on answers.question_id = questions.question_id and answers.response_id = questions.response_id
        where
            bodies.body_kind = $body_kind
            and answers.pfa_code = $pfa_code
            and answers.period_code = $period_code
            and coalesce(answers.sampling_frame, 'not_stated') = $sampling_frame
            and (
                (answers.question_id = $question_id and answers.printed_in = $printed_in)
                or answers.question_id in (
                    select base_question_id from reference.legacy_questions where question_id = $question_id
                )
            )
        order by answers.receipt_id, answers.sheet_row
        """,
        {
            "body_kind": question.body_kind,
            "pfa_code": question.place_code,
            "period_code": question.period_code,
            "sampling_frame": figure["sampling_frame"],
            "question_id": question.item_id,
            "printed_in": figure["printed_in"],
        },
    )


def _sample(con: duckdb.DuckDBPyConnection, figure: Record) -> Record:
    """Return how many cases were looked at, and how that is known; nothing if it is not."""
    found = records(
        con,
        "select sample_size, basis as sample_basis, basis_note as sample_basis_note"
        " from reference.legacy_samples where pfa_code = ? and period_code = ? and sampling_frame = ?",
        [figure["pfa_code"], figure["period_code"], figure["sampling_frame"]],
    )
    return found[0] if found else {}


def _counts(answer: Record, cases: Cases | None) -> dict[str, Value]:
    wanted = ("question_id", "response_id", "printed_value", "stated_case_count", "stated_base_count")
    return {
        **{name: answer[name] for name in wanted},
        "derived_case_count": cases.of(answer["outcome"]) if cases else None,
    }


# --- deriving ----------------------------------------------------------------------------------------------


def derive(answers: Sequence[Record], sample_size: int | None, on: Derived | None = None) -> Derived:
    """Return the whole cases that give the printed shares; `on` is the question that the shares are of."""
    base_rule = str(answers[0]["base_rule"]) if answers else ""
    base_question_id = answers[0]["base_question_id"] if answers else None
    base_count: int | None = None
    if base_rule == "sample":
        base_count = sample_size
    elif base_rule == "met_cases_of_question" and on is not None and on.cases is not None:
        base_count = on.cases.met
    met, not_met, other = (_percent(value) for value in _printed(answers).values())
    solutions: tuple[Cases, ...] = ()
    if base_count is not None and met is not None and not_met is not None:
        solutions = tuple(_solutions(base_count, met, not_met, other or 0))
    return Derived(base_rule, base_question_id, base_count, solutions)


def _solutions(size: int, met: int, not_met: int, other: int) -> list[Cases]:
    """Return every split of the cases that gives the shares, rounded half up, on either base."""
    found = []
    for met_cases in range(size + 1):
        for not_met_cases in range(size + 1 - met_cases):
            other_cases = size - met_cases - not_met_cases
            # with nothing taken off, the two bases are one
            bases = {"all_cases": size} | ({"suitable_cases": size - other_cases} if other_cases else {})
            found += [
                Cases(kind, met_cases, not_met_cases, other_cases)
                for kind, base in bases.items()
                if _share(met_cases, base) == met
                and _share(not_met_cases, base) == not_met
                and _share(other_cases, size) == other
            ]
    return found


def _share(cases: int, base: int) -> int | None:
    """Return a share in whole percent, rounded half up in whole numbers."""
    return (200 * cases + base) // (2 * base) if base else None


def _percent(printed: object) -> int | None:
    """Return a printed share as a number; none if it is blank or words."""
    digits = str(printed or "").replace("%", "").strip()
    return int(digits) if digits.isdecimal() else None


def _of(answers: Sequence[Record], column: str, outcomes: Sequence[str]) -> Any:
    """Return what the answers say under one of the outcomes; none if they say nothing."""
    given = [each[column] for each in answers if each["outcome"] in outcomes and each[column] is not None]
    return max(given, default=None)


def _printed(answers: Sequence[Record]) -> dict[str, Value]:
    """Return what is printed, met, not met and other side by side."""
    return {name: _of(answers, "printed_value", outcomes) for name, outcomes in _PRINTED.items()}


# --- what the figure should be -----------------------------------------------------------------------------


def read_again(answers: Sequence[Record], derived: Derived, sample: Record) -> dict[str, Value]:
    """Return what the rows give under the figure's names: as printed, and the cases stated or derived."""
    cases = derived.cases
    stated_met = _of(answers, "stated_case_count", _PRINTED["printed_met"])
    stated_base = _of(answers, "stated_base_count", _PRINTED["printed_met"])
    met, not_met = (cases.met, cases.not_met) if cases else (None, None)
    if stated_met is not None:
        met = stated_met
        not_met = not_met if stated_base is None else stated_base - stated_met
    outcomes = {each["outcome"] for each in answers}
    return {
        **_printed(answers),
        "outcome_status": _status(answers, stated_met is not None and stated_base is not None, cases),
        "sample_size": sample.get("sample_size"),
        "sample_basis": sample.get("sample_basis"),
        "base_kind": cases.base_kind if cases else None,
        "met_count": met,
        "not_met_count": not_met,
        "not_suitable_count": cases.other if cases and "not_suitable" in outcomes else None,
        "declined_count": cases.other if cases and "declined" in outcomes else None,
        "case_count": None if met is None or not_met is None else met + not_met,
    }


def _status(answers: Sequence[Record], is_stated: bool, cases: Cases | None) -> str:
    """Return whether whole cases are stated, derived or neither, and why."""
    if is_stated:
        return "stated"
    if cases:
        return "derived"
    printed = _printed(answers)
    is_unknown = any(each["outcome"] == "unknown" for each in answers)
    if is_unknown and not (_percent(printed["printed_met"]) or _percent(printed["printed_not_met"])):
        return "unknown"
    return "as_printed" if any(value is not None for value in printed.values()) else "not_collected"
