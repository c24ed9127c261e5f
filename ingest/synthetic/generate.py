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
from ingest.period import Period, add_working_days, is_working_day
from ingest.reference import Reference
from ingest.synthetic import plants
from ingest.synthetic.catalogue import Catalogue, catalogue_for
from ingest.synthetic.figures import stream
from ingest.synthetic.files import record_arrivals, xlsx_bytes, zip_bytes
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
    """What a worker needs for any sender; the same for all."""

    out_dir: Path
    seed: int
    periods: tuple[Period, ...]
    due: dict[str, date]
    catalogues: dict[str, Catalogue]
    forms: dict[str, Form]
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
    their files are the same bytes as in the whole sample. The truth is written beside `out_dir` by default.
    Raises ValueError for an unknown area, or a first period that is not a quarter or has no form.
    """
    periods = _periods(first_period, quarters)
    catalogues = {period.code: catalogue_for(reference, period) for period in periods}
    due = {period.code: reference.cycle_on(period.last_day).returns_due_on(period) for period in periods}
    in_force: dict[str, Form] = {}
    for period in periods:
        form = forms.for_date("quarterly", period.last_day)
        if form is None:
            raise ValueError(f"No quarterly form is in force for {period.code}; choose a later first period.")
        in_force[period.code] = form
    last = catalogues[periods[-1].code]
    senders = _senders(last, reference, areas)
    job = _Job(out_dir, seed, periods, due, catalogues, in_force, breakdowns, xlsx_share)

    deliveries: list[Delivery] = []
    rows: dict[str, int] = {}
    revised: dict[str, dict[str, int]] = {}
    with _mapper(job, workers) as run:
        for done, written in enumerate(run(senders), start=1):
            deliveries.extend(written.deliveries)
            revised.update(written.revised_figures)
            for name, count in written.rows.items():
                rows[name] = rows.get(name, 0) + count
            if progress is not None:
                progress("returns written", done, len(senders))

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
    return GenerationSummary(len(deliveries), len(senders), rows, arrivals_path, truth_path)


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


# --- workers ------------------------------------------------------------------------------------------

_job: _Job | None = None


def _set_job(job: _Job) -> None:
    global _job
    _job = job


def _run_in_worker(sender_code: str) -> _Written:
    assert _job is not None
    return _write_sender(_job, sender_code)


@contextmanager
def _mapper(job: _Job, workers: int) -> Iterator[Callable[[Sequence[str]], Iterator[_Written]]]:
    """Yield something that writes senders in order: in this process, or in `workers` fresh ones."""
    if workers <= 1:
        yield lambda senders: (_write_sender(job, code) for code in senders)
        return
    # spawn, not fork: the caller may have threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_set_job, initargs=(job,)) as pool:
        yield lambda senders: pool.map(_run_in_worker, senders)


# --- one sender ---------------------------------------------------------------------------------------


def _write_sender(job: _Job, sender_code: str) -> _Written:
    rng = stream(job.seed, "sender", sender_code)
    extension = "xlsx" if rng.uniform() < job.xlsx_share else "zip"
    style, bom = int(rng.integers(len(_NAMES))), bool(rng.uniform() < 0.3)
    written = _Written([], {}, {})
    for period in job.periods:
        if sender_code not in job.catalogues[period.code].duties:
            continue
        fate = plants.fate_of(sender_code, period.code)
        if fate == plants.MISSING:
            continue
        drawn = draw_return(
            job.seed, sender_code, period, job.catalogues[period.code], job.forms[period.code],
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
            content = xlsx_bytes(sent.sheets) if extension == "xlsx" else zip_bytes(sent.sheets, bom=bom)
            with replacing(job.out_dir / sender_code / name) as temporary:
                temporary.write_bytes(content)
            stamp = f"{arrived_at.isoformat(timespec='seconds')}Z"
            written.deliveries.append(Delivery(sender_code, period.code, name, stamp, role))
            for sheet, count in sent.row_counts.items():
                written.rows[sheet] = written.rows.get(sheet, 0) + count
    return written


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
