"""One return: the rows of its sheets, drawn for one sender and quarter, and the planted faults in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from ingest.form import Form
from ingest.period import Period
from ingest.synthetic import plants, text
from ingest.synthetic.catalogue import FRAUD_AREA, Catalogue, Duty, Entry
from ingest.synthetic.figures import (
    ANSWERS,
    OUTCOMES,
    Totals,
    feedback_totals,
    metric_totals,
    quarters_on,
    series_of,
    split,
    stream,
)
from ingest.synthetic.files import Cell, Sheet

TOTAL = "ALL"
BREAKDOWN_COLUMNS = ("crime_type", "characteristic", "characteristic_value")
Columns = dict[str, list[Cell]]
# Shares of processes below grades 1, 2 and 3.
GRADE_STEPS = (0.01, 0.05, 0.62)
SURVEY_MODES = ("online", "telephone", "mixed", "postal")


@dataclass(frozen=True)
class Return:
    """The sheets of one return as a body fills them in, and how many rows each table has."""

    sender_code: str
    period: Period
    sheets: dict[str, Sheet]

    @property
    def row_counts(self) -> dict[str, int]:
        """Rows per table."""
        return {name: len(sheet.rows) for name, sheet in self.sheets.items() if name != "cover"}


def draw_return(
    seed: int, sender_code: str, period: Period, catalogue: Catalogue, form: Form, *, breakdowns: bool = True
) -> Return:
    """Draw the whole return of a sender for a quarter. `breakdowns=False` keeps the total rows only."""
    rng = stream(seed, "return", sender_code, period.code)
    cover: dict[str, Cell] = {
        "kind": form.kind,
        "form_version": form.version,
        "sender_code": sender_code,
        "period_code": period.code,
    }
    duties = catalogue.duties[sender_code]
    metrics = _stack(
        form,
        "metrics",
        [
            columns
            for duty in duties
            for columns in _metric_columns(seed, duty, period, catalogue, rng, breakdowns)
        ],
    )
    feedback = _stack(
        form,
        "feedback",
        [_feedback_columns(seed, duty, period, catalogue, rng, breakdowns) for duty in duties],
    )
    if not feedback.rows:
        cover["nil_feedback_reason"] = text.NO_SURVEY[_pick(sender_code) % len(text.NO_SURVEY)]
    delivery = _stack(
        form, "delivery", [_delivery_columns(seed, duty, period, catalogue, rng) for duty in duties]
    )
    fields = [column.name for column in form.cover.columns]
    rows = [(name, cover[name]) for name in fields if name in cover]
    return Return(
        sender_code,
        period,
        {
            "cover": Sheet(("field", "value"), frozenset(), rows),
            "metrics": metrics,
            "feedback": feedback,
            "delivery": delivery,
        },
    )


def _stack(form: Form, sheet_name: str, parts: Sequence[Columns]) -> Sheet:
    sheet = form.sheet(sheet_name)
    names = sheet.column_names
    rows: list[tuple[Cell, ...]] = []
    for columns in parts:
        length = len(next(iter(columns.values()), []))
        blank: list[Cell] = [None] * length
        # what the sheet calls a column may change from one version of the form to the next
        rows.extend(zip(*(columns.get(column.stored_as, blank) for column in sheet.columns), strict=True))
    return Sheet(names, frozenset(column.name for column in sheet.columns if column.type == "date"), rows)


def _pick(*words: object) -> int:
    return int.from_bytes(hashlib.blake2b("|".join(map(str, words)).encode(), digest_size=4).digest(), "big")


def _crime_types(duty: Duty, catalogue: Catalogue) -> tuple[str, ...]:
    return catalogue.fraud_crime_types if duty.pfa_code == FRAUD_AREA else catalogue.crime_types


def _labels(breakdowns: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[list[str], list[str], list[str]]:
    """Codes of crime type, characteristic and category for the total and every category in order."""
    crime, characteristic, category = [TOTAL], [TOTAL], [TOTAL]
    for name, values in breakdowns:
        for value in values:
            crime.append(value if name == "crime_type" else TOTAL)
            characteristic.append(TOTAL if name == "crime_type" else name)
            category.append(TOTAL if name == "crime_type" else value)
    return crime, characteristic, category


def _table(
    totals: Totals,
    parts: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    names: Sequence[str],
    breakdowns: Sequence[tuple[str, tuple[str, ...]]],
    per_entry: dict[str, list[Cell]],
    keep: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> Columns:
    """Lay the broken-down counts out as columns; unused cells are blank, rows outside `keep` are left out."""
    columns: Columns = {}
    shape = parts.shape[:2]
    for index, name in enumerate(names):
        cells = parts[:, :, index].astype(object)
        cells[~totals.used[:, index]] = None
        columns[name] = cells[keep].tolist()
    for name, values in per_entry.items():
        column = np.empty((shape[0], 1), dtype=object)
        column[:, 0] = values
        columns[name] = np.broadcast_to(column, shape)[keep].tolist()
    for name, codes in zip(BREAKDOWN_COLUMNS, _labels(breakdowns), strict=True):
        row = np.array(codes, dtype=object)[None, :]
        columns[name] = np.broadcast_to(row, shape)[keep].tolist()
    return columns


def _metric_columns(
    seed: int, duty: Duty, period: Period, catalogue: Catalogue, rng: np.random.Generator, wide: bool
) -> list[Columns]:
    """Return the columns of all metrics, in one or two parts.

    Metrics that came later are drawn from a stream of their own and those no longer asked are drawn all the
    same, so that a change of the catalogue changes no other figure.
    """
    asked, first = catalogue.statistics[duty.body_kind], catalogue.since_origin[duty.body_kind]
    parts = [_metric_part(seed, duty, period, catalogue, rng, wide, first, asked)]
    if later := tuple(entry for entry in asked if entry not in first):
        rng = stream(seed, "later metrics", duty.body_code, duty.pfa_code, period.code)
        parts.append(_metric_part(seed, duty, period, catalogue, rng, wide, later, asked))
    return parts


def _metric_part(
    seed: int,
    duty: Duty,
    period: Period,
    catalogue: Catalogue,
    rng: np.random.Generator,
    wide: bool,
    entries: Sequence[Entry],
    asked: Sequence[Entry],
) -> Columns:
    totals = metric_totals(seed, duty, entries, period, rng)
    breakdowns: list[tuple[str, tuple[str, ...]]] = []
    # drawn from a stream of its own, so that the totals are the same with and without breakdowns
    split_rng = stream(seed, "split", duty.body_code, duty.pfa_code, rng.integers(1 << 62))
    if wide:
        breakdowns = [("crime_type", _crime_types(duty, catalogue)), *catalogue.characteristics.items()]
    parts = split(seed, duty, totals, breakdowns, split_rng)
    keep = np.ones(parts.shape[:2], dtype=np.bool_)
    for row, series in enumerate(totals.series):
        if not series.is_collected:
            keep[row, 1:] = False
        if entries[row] not in asked:
            keep[row] = False
    if wide and split_rng.uniform() < 0.01:
        # one body in a hundred loses the cases whose offence group is not recorded
        parts[int(split_rng.integers(len(entries))), len(breakdowns[0][1]), :] = 0
    collected = [series.is_collected for series in totals.series]
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    per_entry: dict[str, list[Cell]] = {
        "body_code": [duty.body_code] * len(entries),
        "pfa_code": [duty.pfa_code] * len(entries),
        "metric_id": [entry.item_id for entry in entries],
        "collection_mode": [s.collection_mode if s.is_collected else None for s in totals.series],
        "sampling_frame": [s.sampling_frame if s.is_collected else None for s in totals.series],
        "cases_from": [first if is_collected else None for is_collected in collected],
        "cases_to": [last if is_collected else None for is_collected in collected],
        "not_collected_reason": [
            None if s.is_collected else text.NOT_COLLECTED[int(s.choice * len(text.NOT_COLLECTED))]
            for s in totals.series
        ],
    }
    columns = _table(totals, parts, OUTCOMES, breakdowns, per_entry, keep)
    notes = [
        text.SAMPLE_NOTES[int(s.choice * len(text.SAMPLE_NOTES))]
        if s.is_collected and s.collection_mode == "random_sample"
        else None
        for s in totals.series
    ]
    note_cells = np.full(parts.shape[:2], None, dtype=object)
    note_cells[:, 0] = notes
    columns["note"] = note_cells[keep].tolist()
    return columns


def _feedback_columns(
    seed: int, duty: Duty, period: Period, catalogue: Catalogue, rng: np.random.Generator, wide: bool
) -> Columns:
    entries = catalogue.questions.get(duty.body_kind, ())
    # teams of one area share a survey, so that their answers form one series
    surveyed = (duty.body_kind, duty.pfa_code)
    planted = any(plants.is_touched(*surveyed, entry.item_id) for entry in entries)
    has_no_survey = duty.body_kind == "yjs" and _pick("no survey", seed, duty.body_code) % 20 == 0
    if not entries or (has_no_survey and not planted):
        return {}
    totals = feedback_totals(seed, duty, entries, period, rng)
    breakdowns = [("crime_type", _crime_types(duty, catalogue))] if wide else []
    split_rng = stream(seed, "split feedback", duty.body_code, duty.pfa_code, rng.integers(1 << 62))
    parts = split(seed, duty, totals, breakdowns, split_rng, mixes=["charged"] * len(entries))
    choice = _pick("survey", seed, *surveyed)
    design_effect = round(1.1 + choice % 5 / 10, 1) if choice % 8 == 0 and not planted else None
    per_entry: dict[str, list[Cell]] = {
        "about_body_code": [duty.body_code] * len(entries),
        "pfa_code": [duty.pfa_code] * len(entries),
        "question_id": [entry.item_id for entry in entries],
        "survey_mode": [SURVEY_MODES[choice // 8 % len(SURVEY_MODES)]] * len(entries),
        "response_set": [entry.shape for entry in entries],
        "design_effect": [design_effect] * len(entries),
    }
    keep = np.ones(parts.shape[:2], dtype=np.bool_)
    return _table(totals, parts, ANSWERS, breakdowns, per_entry, keep)


def _delivery_columns(
    seed: int, duty: Duty, period: Period, catalogue: Catalogue, rng: np.random.Generator
) -> Columns:
    rows: list[dict[str, Cell]] = []
    for entry in catalogue.items.get(duty.body_kind, ()):
        lasting = series_of(seed, duty, entry.item_id, None)
        grade = sum(lasting.choice >= step for step in GRADE_STEPS)
        # some move up a grade in a quarter of their own
        if grade < 3 and int(lasting.choice * 1e6) % 40 <= quarters_on(period):
            grade += 1
        words = rng.integers(1 << 30, size=4).tolist()
        has_plan = grade < 3 or words[0] % 5 < 2
        planted = plants.delivery_for(duty.body_kind, duty.pfa_code, entry.item_id, period.code)
        if planted is not None:
            grade, has_plan = planted
        bank = text.EVIDENCE[grade]
        row: dict[str, Cell] = {
            "body_code": duty.body_code,
            "item_id": entry.item_id,
            "pfa_code": duty.pfa_code,
            "grade": grade,
            "evidence": bank[words[1] % len(bank)],
        }
        if has_plan:
            row["improvement_plan"] = text.PLANS[words[2] % len(text.PLANS)]
            row["next_step"] = text.NEXT_STEPS[words[3] % len(text.NEXT_STEPS)]
            row["next_step_due"] = (period.last_day + timedelta(days=30 + words[0] % 150)).isoformat()
        rows.append(row)
    names = {name: None for row in rows for name in row}
    return {name: [row.get(name) for row in rows] for name in names}


# --- planted faults -----------------------------------------------------------------------------------


def with_swapped_outcomes(drawn: Return, item_id: str) -> Return:
    """The same return with met and not met the wrong way round on one metric."""
    columns = drawn.sheets["metrics"].columns
    metric, met, not_met = (columns.index(name) for name in ("metric_id", "met", "not_met"))

    def swap(row: list[Cell]) -> None:
        if row[metric] == item_id:
            row[met], row[not_met] = row[not_met], row[met]

    return _edited(drawn, swap)


def with_bad_figures(drawn: Return) -> Return:
    """The same return with a negative count, and a category larger than the total it belongs to."""
    columns = drawn.sheets["metrics"].columns
    crime, met, not_met, reason = (
        columns.index(name) for name in ("crime_type", "met", "not_met", "not_collected_reason")
    )
    done: set[str] = set()

    def spoil(row: list[Cell]) -> None:
        if row[reason] or not isinstance(row[met], int):
            return
        if "negative" not in done and row[crime] == TOTAL:
            row[not_met] = -1
            done.add("negative")
        elif "too large" not in done and row[crime] != TOTAL:
            row[met] = 100_000
            done.add("too large")

    return _edited(drawn, spoil)


def with_bad_codes(drawn: Return) -> Return:
    """The same return with a mistyped metric, an unknown way of counting, and a required cell left blank."""
    columns = drawn.sheets["metrics"].columns
    metric, mode, frame = (columns.index(name) for name in ("metric_id", "collection_mode", "sampling_frame"))
    seen: list[int] = []

    def spoil(row: list[Cell]) -> None:
        seen.append(1)
        if len(seen) == 1:
            row[metric] = "r02_s1_recorded_24h"
        elif len(seen) == 2:
            row[mode] = "full count"
        elif len(seen) == 3:
            row[frame] = None

    return _edited(drawn, spoil)


def _edited(drawn: Return, edit: Callable[[list[Cell]], None]) -> Return:
    sheet = drawn.sheets["metrics"]
    rows: list[list[Cell]] = [list(row) for row in sheet.rows]
    for row in rows:
        edit(row)
    sheets = {**drawn.sheets, "metrics": Sheet(sheet.columns, sheet.dates, rows)}
    return Return(drawn.sender_code, drawn.period, sheets)
