"""A national sample: every expected return of some quarters, delivered to an inbox, and its written truth."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from ingest.files import replacing
from ingest.form import Form, Forms
from ingest.period import Cycle, Period, add_working_days, is_working_day
from ingest.reference import Reference
from ingest.synthetic import plants
from ingest.synthetic.catalogue import Catalogue, catalogue_for
from ingest.synthetic.figures import stream
from ingest.synthetic.files import (
    PLAIN,
    SEMICOLON,
    TAB,
    WINDOWS,
    WITH_MARK,
    Dialect,
    ods_bytes,
    record_arrivals,
    xlsx_bytes,
    zip_bytes,
)
from ingest.synthetic.others import KINDS, draw_other
from ingest.synthetic.returns import (
    Return,
    draw_return,
    with_bad_codes,
    with_bad_figures,
    with_swapped_outcomes,
)
from ingest.synthetic.truth import Delivery, truth_of

Progress = Callable[[str, int, int], None]
DEFAULT_SEED = 20260401
DEFAULT_FIRST_PERIOD = "2025-26-Q1"
DEFAULT_QUARTERS = 6


@dataclass(frozen=True)
class GenerationSummary:
    """What was written: files and rows, and where the delivery journal and the truth are."""

    files: int
    senders: int
    rows: dict[str, int]
    arrivals_path: Path
    truth_path: Path


@dataclass(frozen=True)
class _Job:
    """What a worker needs for any sender; the same for all. `forms` are by kind of return and period."""

    out_dir: Path
    seed: int
    periods: tuple[Period, ...]
    due: dict[str, date]
    cycles: dict[str, Cycle]
    catalogues: dict[str, Catalogue]
    forms: dict[tuple[str, str], Form]
    breakdowns: bool
    xlsx_share: float


@dataclass(frozen=True)
class _Written:
    deliveries: list[Delivery]
    rows: dict[str, int]
    revised_figures: dict[str, dict[str, int]]


def generate(
    out_dir: Path,
    reference: Reference,
    forms: Forms,
    *,
    seed: int = DEFAULT_SEED,
    first_period: str = DEFAULT_FIRST_PERIOD,
    quarters: int = DEFAULT_QUARTERS,
    areas: Sequence[str] | None = None,
    breakdowns: bool = True,
    xlsx_share: float = 0.25,
    truth_path: Path | None = None,
    workers: int = 2,
    progress: Progress | None = None,
) -> GenerationSummary:
    """Write `out_dir/<sender_code>/<file>` for every expected return, `out_dir/arrivals.csv` and truth.json.

    `areas` keeps the senders that answer for at least one of these police areas (`NAT`: national forces);
    their files are the same bytes as in the whole sample. Who answers for the whole country (survey,
    secretariat, ministry) sends only in a whole sample. The truth is written beside `out_dir` by default.
    Raises ValueError for an unknown area, or a first period that is not a quarter or has no form.
    """
    periods = _periods(first_period, quarters)
    catalogues = {period.code: catalogue_for(reference, period) for period in periods}
    cycles = {period.code: reference.cycle_on(period.last_day) for period in periods}
    due = {period.code: cycles[period.code].returns_due_on(period) for period in periods}
    in_force: dict[tuple[str, str], Form] = {}
    for period in periods:
        for kind in ("quarterly", *KINDS):
            form = forms.for_date(kind, period.last_day)
            if form is None and kind == "quarterly":
                raise ValueError(
                    f"No quarterly form is in force for {period.code}; choose a later first period."
                )
            if form is not None:
                in_force[kind, period.code] = form
    last = catalogues[periods[-1].code]
    senders = _senders(last, reference, areas)
    # The survey, which takes longest, first: no process waits for it at the end.
    others = tuple(sorted(_others(last, areas), key=lambda sending: (sending[0] != "feedback", sending)))
    tasks = (*others, *(("quarterly", code) for code in senders))
    job = _Job(out_dir, seed, periods, due, cycles, catalogues, in_force, breakdowns, xlsx_share)

    deliveries: list[Delivery] = []
    rows: dict[str, int] = {}
    revised: dict[str, dict[str, int]] = {}
    with _mapper(job, workers) as run:
        for done, written in enumerate(run(tasks), start=1):
            deliveries.extend(written.deliveries)
            revised.update(written.revised_figures)
            for name, count in written.rows.items():
                rows[name] = rows.get(name, 0) + count
            if progress is not None:
                progress("returns written", done, len(tasks))

    arrivals_path = record_arrivals(out_dir, ((d.sender_code, d.file_name, d.arrived_at) for d in deliveries))
    truth = truth_of(
        seed=seed,
        periods=periods,
        due=due,
        catalogue=last,
        senders=senders,
        deliveries=deliveries,
        revised_figures=revised,
    )
    truth_path = truth_path or out_dir.parent / "truth.json"
    with replacing(truth_path) as temporary:
        temporary.write_text(json.dumps(truth, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    everybody = {*senders, *(code for _, code in others)}
    return GenerationSummary(len(deliveries), len(everybody), rows, arrivals_path, truth_path)


def _periods(first_period: str, quarters: int) -> tuple[Period, ...]:
    period = Period.parse(first_period)
    if period.kind != "quarter":
        raise ValueError(f"{first_period} is not a quarter; give one such as 2025-26-Q1.")
    if quarters < 1:
        raise ValueError(f"{quarters} quarters cannot be generated; ask for one or more.")
    found = [period]
    while len(found) < quarters:
        found.append(found[-1].next())
    return tuple(found)


def _senders(catalogue: Catalogue, reference: Reference, areas: Sequence[str] | None) -> tuple[str, ...]:
    if areas is None:
        return catalogue.senders
    known = {area.pfa_code for area in reference.areas}
    if unknown := sorted(set(areas) - known):
        raise ValueError(f"Unknown area {', '.join(unknown)}; use codes such as E23000028, or NAT.")
    return catalogue.senders_for(set(areas))


def _others(catalogue: Catalogue, areas: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return (kind, sender_code) of all returns that are not quarterly ones."""
    return [
        (kind, sender_code)
        for kind in KINDS
        for sender_code, held in catalogue.others.get(kind, {}).items()
        if areas is None or (len({duty.pfa_code for duty in held}) == 1 and held[0].pfa_code in areas)
    ]


# --- workers ------------------------------------------------------------------------------------------

_job: _Job | None = None


def _set_job(job: _Job) -> None:
    global _job
    _job = job


def _run_in_worker(task: tuple[str, str]) -> _Written:
    assert _job is not None
    return _write_task(_job, task)


def _write_task(job: _Job, task: tuple[str, str]) -> _Written:
    kind, sender_code = task
    return _write_sender(job, sender_code) if kind == "quarterly" else _write_other(job, kind, sender_code)


@contextmanager
def _mapper(job: _Job, workers: int) -> Iterator[Callable[[Sequence[tuple[str, str]]], Iterator[_Written]]]:
    """Yield something that writes the returns of (kind, sender) in order: here, or in `workers` processes."""
    if workers <= 1:
        yield lambda tasks: (_write_task(job, task) for task in tasks)
        return
    # spawn, not fork: the caller may have threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_set_job, initargs=(job,)) as pool:
        yield lambda tasks: pool.map(_run_in_worker, tasks)


# --- one sender ---------------------------------------------------------------------------------------


def _write_sender(job: _Job, sender_code: str) -> _Written:
    rng = stream(job.seed, "sender", sender_code)
    extension = "xlsx" if rng.uniform() < job.xlsx_share else "zip"
    style, has_mark = int(rng.integers(len(_NAMES))), bool(rng.uniform() < 0.3)
    extension, dialect = _format(job.seed, sender_code, extension, WITH_MARK if has_mark else PLAIN)
    written = _Written([], {}, {})
    for period in job.periods:
        if sender_code not in job.catalogues[period.code].duties:
            continue
        fate = plants.fate_of(sender_code, period.code)
        if fate == plants.MISSING:
            continue
        drawn = draw_return(
            job.seed, sender_code, period, job.catalogues[period.code], job.forms["quarterly", period.code],
            breakdowns=job.breakdowns,
        )  # fmt: skip
        due_on = job.due[period.code]
        on_time = _arrival(stream(job.seed, "arrival", sender_code, period.code), period, due_on)
        sendings: list[tuple[Return, str, datetime]] = []
        if fate == plants.LATE:
            late_on = add_working_days(due_on, plants.LATE_WORKING_DAYS)
            sendings.append((drawn, "late", datetime.combine(late_on, time(11, 20))))
        elif fate == plants.REVISED:
            first = with_swapped_outcomes(drawn, plants.SWAPPED_ITEM)
            sendings.append((first, "first", on_time))
            again_on = add_working_days(due_on, 10)
            sendings.append((drawn, "revision", datetime.combine(again_on, time(14, 5))))
            written.revised_figures.update(
                before=_figures_of(first, plants.SWAPPED_ITEM), after=_figures_of(drawn, plants.SWAPPED_ITEM)
            )
        elif fate == plants.REJECTED:
            sendings.append((with_bad_figures(drawn), "rejected", on_time))
        elif fate == plants.CORRECTED:
            first_on, again_on = add_working_days(due_on, -6), add_working_days(due_on, -3)
            sendings.append((with_bad_codes(drawn), "rejected", datetime.combine(first_on, time(9, 40))))
            sendings.append((drawn, "correction", datetime.combine(again_on, time(16, 15))))
        else:
            sendings.append((drawn, "plain", on_time))
        for number, (sent, role, arrived_at) in enumerate(sendings, start=1):
            again = "" if number == 1 else f" v{number}"
            name = f"{_NAMES[style](sender_code, period)}{again}.{extension}"
            _write(job, written, sent, "quarterly", name, dialect, arrived_at, role)
    return written


def _write_other(job: _Job, kind: str, sender_code: str) -> _Written:
    rng = stream(job.seed, "sender", kind, sender_code)
    extension = "xlsx" if rng.uniform() < job.xlsx_share else "zip"
    extension, dialect = _format(job.seed, f"{sender_code} {kind}", extension, PLAIN)
    written = _Written([], {}, {})
    for period in job.periods:
        form, catalogue = job.forms.get((kind, period.code)), job.catalogues[period.code]
        if form is None or sender_code not in catalogue.others.get(kind, {}):
            continue
        cycle = job.cycles[period.code]
        drawn = draw_other(kind, job.seed, sender_code, period, catalogue, form, cycle)
        if drawn is not None:
            sent, arrived_at = drawn
            name = f"{kind}_{period.code}.{extension}"
            _write(job, written, sent, kind, name, dialect, arrived_at, "plain")
    return written


# Share of those that send CSV files who write them so; the others write UTF-8 with commas.
_DIALECTS = ((WINDOWS, 0.06), (SEMICOLON, 0.05), (TAB, 0.03))
_ODS_SHARE = 0.04


def _format(seed: int, word: str, extension: str, dialect: Dialect) -> tuple[str, Dialect]:
    """Return the extension and the dialect of a sender's files: a few use other programs than the rest."""
    draw_ods, draw = stream(seed, "program", word).uniform(size=2).tolist()
    if draw_ods < _ODS_SHARE:
        return "ods", dialect
    for other, share in _DIALECTS:
        if draw < share:
            return extension, other
        draw -= share
    return extension, dialect


def _write(
    job: _Job,
    written: _Written,
    sent: Return,
    kind: str,
    name: str,
    dialect: Dialect,
    arrived_at: datetime,
    role: str,
) -> None:
    if name.endswith(".zip"):
        content = zip_bytes(sent.sheets, dialect)
    else:
        content = ods_bytes(sent.sheets) if name.endswith(".ods") else xlsx_bytes(sent.sheets)
    with replacing(job.out_dir / sent.sender_code / name) as temporary:
        temporary.write_bytes(content)
    stamp = f"{arrived_at.isoformat(timespec='seconds')}Z"
    written.deliveries.append(Delivery(sent.sender_code, sent.period.code, name, stamp, role, kind))
    for sheet, count in sent.row_counts.items():
        table = sheet if kind == "quarterly" or kind == sheet else f"{kind} {sheet}"
        written.rows[table] = written.rows.get(table, 0) + count


def _figures_of(drawn: Return, metric_id: str) -> dict[str, int]:
    """Met and not met of one metric's total row."""
    sheet = drawn.sheets["metrics"]
    place = {name: index for index, name in enumerate(sheet.columns)}
    for row in sheet.rows:
        is_total = row[place["crime_type"]] == row[place["characteristic"]] == "ALL"
        if is_total and row[place["metric_id"]] == metric_id:
            return {name: int(row[place[name]] or 0) for name in ("met", "not_met")}
    raise LookupError(f"The return of {drawn.sender_code} has no total row of {metric_id}.")


def _arrival(rng: np.random.Generator, period: Period, due_on: date) -> datetime:
    """Draw an instant in working hours between two weeks after the quarter's end and the due date."""
    days_early = int(rng.beta(1.2, 2.6) * max(0, (due_on - period.last_day).days - 14))
    day = due_on - timedelta(days=days_early)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return datetime.combine(day, time(8, 0)) + timedelta(seconds=int(rng.integers(9 * 3600)))


def _year(period: Period) -> str:
    return f"{period.financial_year[2:4]}{period.financial_year[5:7]}"


_NAMES: tuple[Callable[[str, Period], str], ...] = (
    lambda sender, period: f"VCC_{period.code}_{sender}",
    lambda sender, period: f"Victims Code return {period.part} {period.financial_year}",
    lambda sender, period: f"{sender}-{period.part.lower()}-{_year(period)}",
    lambda sender, period: f"victims_code_compliance_{period.last_day:%Y_%m}",
    lambda sender, period: f"Quarterly return to {period.last_day:%B %Y}",
)
