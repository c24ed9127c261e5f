"""Returns of those who report no figures of their own: survey contractor, reviewers, secretariat, ministry.

The survey's answers are drawn from the same level as the body's own (planted ones included), in draws of
their own: two surveys of one service, neither a copy of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

import numpy as np

from ingest.form import Form
from ingest.period import Cycle, Period, add_working_days, is_working_day, working_days_between
from ingest.synthetic import board, plants, text
from ingest.synthetic.catalogue import Catalogue, Duty, Entry
from ingest.synthetic.figures import ANSWERS, feedback_totals, quarters_on, stream
from ingest.synthetic.files import Cell, Sheet
from ingest.synthetic.returns import TOTAL, Return

KINDS = ("feedback", "insight", "decisions", "rules", "context")
Rows = list[dict[str, Cell]]
# The contractor weights its answers where it has enough of them; planted figures are left as they are.
_WEIGHTED_FROM, _DESIGN_EFFECT = 200, 1.2
_ONE_IN = 4  # of the local policing bodies tell what they commission
_FOLLOWED_FOR = 3  # quarters that an action stays on the list, the last as done
_STATUS = ("open", "in_progress", "done")


def draw_other(
    kind: str, seed: int, sender_code: str, period: Period, catalogue: Catalogue, form: Form, cycle: Cycle
) -> tuple[Return, datetime] | None:
    """Draw one return that is not quarterly, and when it arrives; None where the sender sends none."""
    rng = stream(seed, kind, sender_code, period.code)
    duties = catalogue.others[kind][sender_code]
    tables: Mapping[str, Rows]
    extra: dict[str, Cell] = {}
    if kind == "feedback":
        tables = {"feedback": _survey(seed, duties, period, catalogue, rng)}
        day = add_working_days(period.last_day, 20)
    elif kind == "insight":
        review, entries, day = _insight(seed, sender_code, duties, period, catalogue, rng, cycle)
        tables = {"review": review, "insight": entries}
    elif kind == "context":
        tables = {"context": _context(seed, sender_code, duties, period, rng)}
        day = add_working_days(period.last_day, 5)
    else:
        tables, extra = board.sheets_of(form, period)
        day = board.arrives_on(period)
    if not any(tables.values()):
        return None
    while not is_working_day(day):
        day += timedelta(days=1)
    instant = datetime.combine(day, time(9, 0)) + timedelta(seconds=int(rng.integers(7 * 3600)))
    return _filled_in(form, sender_code, period, tables, extra), instant


def _filled_in(
    form: Form, sender_code: str, period: Period, tables: Mapping[str, Rows], extra: Mapping[str, Cell]
) -> Return:
    cover: dict[str, Cell] = {
        "kind": form.kind,
        "form_version": form.version,
        "sender_code": sender_code,
        "period_code": period.code,
        **extra,
    }
    fields = [column.name for column in form.cover.columns]
    sheets = {"cover": Sheet(("field", "value"), frozenset(), [(n, cover[n]) for n in fields if n in cover])}
    for sheet in form.tables:
        rows = [[row.get(column.stored_as) for column in sheet.columns] for row in tables[sheet.name]]
        dates = frozenset(column.name for column in sheet.columns if column.type == "date")
        sheets[sheet.name] = Sheet(sheet.column_names, dates, rows)
    return Return(sender_code, period, sheets)


# --- survey --------------------------------------------------------------------------------------------


def _survey(
    seed: int, duties: Sequence[Duty], period: Period, catalogue: Catalogue, rng: np.random.Generator
) -> Rows:
    rows: Rows = []
    for duty in duties:
        entries = catalogue.questions.get(duty.body_kind, ())
        if not entries:
            continue
        counts = feedback_totals(seed, duty, entries, period, rng)
        for entry, answers, used in zip(entries, counts.counts.tolist(), counts.used, strict=True):
            planted = plants.is_touched(duty.body_kind, duty.pfa_code, entry.item_id)
            given = sum(answers[1:8])
            row: dict[str, Cell] = {
                "about_body_code": duty.body_code,
                "pfa_code": duty.pfa_code,
                "question_id": entry.item_id,
                "crime_type": TOTAL,
                "characteristic": TOTAL,
                "characteristic_value": TOTAL,
                "survey_mode": "mixed",
                "response_set": entry.shape,
                "design_effect": _DESIGN_EFFECT if given >= _WEIGHTED_FROM and not planted else None,
            }
            row.update({n: a for n, a, is_used in zip(ANSWERS, answers, used, strict=True) if is_used})
            rows.append(row)
    return rows


# --- joint local review --------------------------------------------------------------------------------


def _insight(
    seed: int,
    sender_code: str,
    duties: Sequence[Duty],
    period: Period,
    catalogue: Catalogue,
    rng: np.random.Generator,
    cycle: Cycle,
) -> tuple[Rows, Rows, date]:
    """Return who met, what was said, and the day the return is sent."""
    due_on = cycle.returns_due_on(period)
    days = working_days_between(due_on, cycle.review_due_on(period))
    met_on = add_working_days(due_on, 6 + int(rng.integers(days - 9)))
    review: Rows = [
        {
            "meeting_on": met_on.isoformat(),
            "pfa_code": duty.pfa_code,
            "body_code": duty.body_code,
            "is_represented": "yes" if rng.uniform() < 0.93 else "no",
        }
        for duty in duties
    ]
    told: Rows = []

    def tell(kind: str, texts: Sequence[str], duty: Duty, entry: Entry) -> None:
        told.append(
            {
                "insight_id": f"{kind[0].upper()}{quarters_on(period) + 1}.{len(told) + 1}",
                "insight_kind": kind,
                "pfa_code": duty.pfa_code,
                "body_code": duty.body_code,
                "right_number": entry.right_number,
                "text": texts[int(rng.integers(len(texts)))].format(right=entry.right_number),
            }
        )

    kinds = ["high", "high", "low", "low", "best_practice", "dip_sample"]
    told_of: set[tuple[str, int]] = set()
    for kind in [*kinds, "escalate"] if rng.uniform() < 0.15 else kinds:
        duty, entry = _subject(duties, catalogue, rng)
        # nothing is both among the best and among the worst
        if (duty.body_code, entry.right_number) not in told_of:
            told_of.add((duty.body_code, entry.right_number))
            tell(kind, text.INSIGHT[kind], duty, entry)
    told.extend(_actions(seed, sender_code, duties, period, catalogue))
    latest = cycle.review_due_on(period)
    return review, told, min(add_working_days(met_on, 2), latest)


def _subject(duties: Sequence[Duty], catalogue: Catalogue, rng: np.random.Generator) -> tuple[Duty, Entry]:
    duty = duties[int(rng.integers(len(duties)))]
    entries = catalogue.statistics[duty.body_kind]
    return duty, entries[int(rng.integers(len(entries)))]


def _actions(
    seed: int, sender_code: str, duties: Sequence[Duty], period: Period, catalogue: Catalogue
) -> Rows:
    """Return the actions of this and earlier quarters of the sample that are still followed."""
    rows: Rows = []
    raised, place = period, quarters_on(period)
    for age in range(min(_FOLLOWED_FOR, place + 1)):
        rng = stream(seed, "actions", sender_code, raised.code)
        for number in (1, 2):
            duty, entry = _subject(duties, catalogue, rng)
            words = rng.integers(1 << 30, size=2).tolist()
            rows.append(
                {
                    "insight_id": f"A{place - age + 1}.{number}",
                    "insight_kind": "action",
                    "pfa_code": duty.pfa_code,
                    "body_code": duty.body_code,
                    "right_number": entry.right_number,
                    "text": text.ACTIONS[words[0] % len(text.ACTIONS)],
                    "owner_role": text.OWNERS[duty.body_kind],
                    "due": (raised.last_day + timedelta(days=150 + words[1] % 60)).isoformat(),
                    "status": _STATUS[age],
                }
            )
        raised = raised.previous()
    return rows


# --- context -------------------------------------------------------------------------------------------


def _context(
    seed: int, sender_code: str, duties: Sequence[Duty], period: Period, rng: np.random.Generator
) -> Rows:
    if not sender_code.endswith("-lpb"):
        return _published(period, rng)
    if period.part != "Q1" or int(stream(seed, "commissions", sender_code).integers(_ONE_IN)):
        return []
    rows: Rows = []
    for number, (title, summary) in enumerate(text.SERVICES, start=1):
        victims = int(rng.poisson(900 * max(0.2, duties[0].weight)))
        rows.append(
            {
                "context_id": f"{period.financial_year[2:4]}-{number}",
                "source": "support_services",
                "publisher": "Local policing body",
                "pfa_code": duties[0].pfa_code,
                "title": title,
                "summary": summary,
                "measure": "Victims supported in the year before",
                "value": victims,
                "unit": "victims",
            }
        )
    return rows


def _published(period: Period, rng: np.random.Generator) -> Rows:
    rows: Rows = []
    for number, entry in enumerate(text.PUBLISHED, start=1):
        source, publisher, title, summary, measure, unit, typical = entry
        day = period.first_day + timedelta(days=int(rng.integers(80)))
        row: dict[str, Cell] = {
            "context_id": f"{period.code}-{number}",
            "source": source,
            "publisher": publisher,
            "title": title,
            "summary": summary,
            "published_on": day.isoformat(),
            "link": f"https://example.org/reports/{period.code.lower()}-{number}",
        }
        if measure:
            row.update(measure=measure, unit=unit, value=int(rng.poisson(typical)))
        rows.append(row)
    return rows
