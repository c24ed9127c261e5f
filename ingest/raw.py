"""Raw: accepted returns as typed Parquet, one file per kind, sheet and period, and the tables beside them.

Everything here is derived from the archive, the ledger and the reference data, and may be deleted and
rebuilt: the same receipts give the same bytes. Belongs here: parsing once, compaction. Does not: choosing the
current return (dbt does).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.acceptance.comparison import write_figures
from ingest.acceptance.transitions import write_decisions
from ingest.archive import archive_of
from ingest.clock import local_day
from ingest.erasure import erasures
from ingest.form import REPORTING_KIND, Form, Forms
from ingest.limits import Limits
from ingest.locking import exclusive
from ingest.parquet import read_piece, sheet_schema, to_arrow, write_parquet, write_piece
from ingest.paths import EMPTY, DataRoot
from ingest.period import Period, working_day_numbers
from ingest.readers import inspect, read_workbook
from ingest.receipts import Ledger, Receipt
from ingest.reference import Reference
from ingest.typed import Table, type_workbook

Progress = Callable[[str, int, int], None]
RECEIPT_ID = pa.field("receipt_id", pa.string())
_MADE_FROM = b"made_from"
_READERS = 4

RECEIPTS_SCHEMA = pa.schema(
    [
        ("receipt_id", pa.string()),
        ("receipt_sequence", pa.int64()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("sender_code", pa.string()),
        ("file_name", pa.string()),
        ("arrived_at", pa.timestamp("us", tz="UTC")),
        ("arrived_on", pa.date32()),
        ("kind", pa.string()),
        ("form_version", pa.int32()),
        ("period_code", pa.string()),
        ("outcome", pa.string()),
        ("supersedes_receipt_id", pa.string()),
        ("is_erased", pa.bool_()),
        ("erased_at", pa.timestamp("us", tz="UTC")),
        ("rows_read", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("problem_count", pa.int64()),
    ]
)
PROBLEMS_SCHEMA = pa.schema(
    [
        ("receipt_id", pa.string()),
        ("problem_number", pa.int32()),
        ("severity", pa.string()),
        ("rule_code", pa.string()),
        ("sheet", pa.string()),
        ("row_number", pa.int32()),
        ("column_name", pa.string()),
        ("found", pa.string()),
        ("expected", pa.string()),
        ("remedy", pa.string()),
        ("message", pa.string()),
    ]
)
PERIODS_SCHEMA = pa.schema(
    [
        ("period_code", pa.string()),
        ("period_kind", pa.string()),
        ("financial_year", pa.string()),
        ("part", pa.string()),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("period_label", pa.string()),
        ("quarter_index", pa.int32()),
        ("returns_due_on", pa.date32()),
        ("review_due_on", pa.date32()),
        ("year_ago_period_code", pa.string()),
        ("is_reporting", pa.bool_()),
    ]
)

WORKING_DAYS_SCHEMA = pa.schema(
    [
        ("day_on", pa.date32()),
        ("is_working_day", pa.bool_()),
        ("working_day_number", pa.int32()),
    ]
)

#: How far the calendar of working days reaches past the latest period: no deadline of a case is later.
_CALENDAR_AHEAD = timedelta(days=366)

FORMS_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("form_version", pa.int32()),
        ("title", pa.string()),
        ("basis", pa.string()),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
        ("frequency", pa.string()),
        ("cycle", pa.string()),
    ]
)


@dataclass
class RawSummary:
    """What one run wrote, how many files it left as they were, and the rows there are now.

    rows is by kind/sheet or table.
    """

    written: list[Path] = field(default_factory=list)
    unchanged: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, path: Path, rows: int, *, is_written: bool) -> None:
        """Count one file."""
        if is_written:
            self.written.append(path)
        else:
            self.unchanged += 1
        self.rows[name] = self.rows.get(name, 0) + rows


# --- one return --------------------------------------------------------------------------------------------


def store_parsed(root: DataRoot, sha256: str, tables: Mapping[str, Table]) -> None:
    """Write the typed sheets of one return under its hash, all of them or none.

    What is there already stays. They are not waited for to be on the disk: should the machine fail, the
    checksums of a torn one tell when it is read, and it is parsed again from the archive.
    """
    target = root.raw_return(sha256)
    if target.exists():
        return
    temporary = target.with_name(f".{sha256}.{os.getpid()}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        for name, table in tables.items():
            write_piece(to_arrow(table), temporary / f"{name}.parquet")
        write_figures(tables, temporary)
        write_decisions(tables, temporary)
        try:
            temporary.rename(target)
        except OSError:
            if not target.exists():  # else another process has parsed the same file meanwhile
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Parsed:
    """Typed sheets of accepted returns; those that are missing are parsed again from the archive."""

    def __init__(self, root: DataRoot, reference: Reference, forms: Forms, limits: Limits) -> None:
        self.root, self.reference, self.forms, self.limits = root, reference, forms, limits
        self._parsing = Lock()

    def sheets(self, receipts: Sequence[Receipt], sheet: str, schema: pa.Schema) -> pa.Table:
        """Return one sheet of many returns, each row behind its receipt's id, in the schema's columns."""
        # Reading leaves Python's lock alone, so a few threads do read side by side; map keeps the order.
        with ThreadPoolExecutor(_READERS) as pool:
            pieces = list(pool.map(lambda receipt: self._piece(receipt, sheet, schema), receipts))
        ids = [pa.repeat(pa.scalar(r.receipt_id), p.num_rows) for r, p in zip(receipts, pieces, strict=True)]
        rows = pa.concat_tables(pieces)
        columns = [pa.chunked_array(ids, type=RECEIPT_ID.type), *rows.columns]
        return pa.Table.from_arrays(columns, schema=schema).combine_chunks()

    def _piece(self, receipt: Receipt, sheet: str, schema: pa.Schema) -> pa.Table:
        wanted = pa.schema(list(schema)[1:])
        form = self.forms.get(receipt.kind or "", receipt.form_version or 0)
        if form is not None and sheet not in {each.name for each in form.sheets}:
            return wanted.empty_table()  # its version of the form did not ask for the sheet
        path = self.root.raw_return(receipt.sha256) / f"{sheet}.parquet"
        try:
            rows = read_piece(path)
        except (OSError, pa.ArrowException):
            with self._parsing:
                self._parse_again(receipt)
            rows = read_piece(path)
        if rows.schema.equals(wanted):
            return rows
        columns = [
            rows.column(column.name)
            if column.name in rows.column_names
            else pa.nulls(rows.num_rows, column.type)
            for column in wanted
        ]
        return pa.Table.from_arrays(columns, schema=wanted)

    def _parse_again(self, receipt: Receipt) -> None:
        form = self.forms.get(receipt.kind or "", receipt.form_version or 0)
        if form is None:
            raise ValueError(
                f"There is no form {receipt.kind} version {receipt.form_version}, under which receipt "
                f"{receipt.receipt_id} was accepted; put its file back into the forms folder."
            )
        path = archive_of(self.root).get(receipt.sha256, receipt.extension)
        workbook = read_workbook(path, inspect(path), self.limits)
        shutil.rmtree(self.root.raw_return(receipt.sha256), ignore_errors=True)
        store_parsed(self.root, receipt.sha256, type_workbook(form, workbook, self.reference))


# --- all returns -------------------------------------------------------------------------------------------


def build_raw(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    periods: Sequence[Period],
    *,
    through: Period,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> RawSummary:
    """Bring raw up to the ledger, for the periods given and for every return that is not quarterly.

    Only files whose receipts changed are written. `through` is the last quarter that the calendar must reach.
    Raises ArchiveError if a return that must be parsed again is missing from the archive.
    """
    with exclusive(root):
        return _build(root, reference, forms, periods, through, progress, limits or Limits())


def _build(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    periods: Sequence[Period],
    through: Period,
    progress: Progress | None,
    limits: Limits,
) -> RawSummary:
    receipts = Ledger(root.receipts).read()
    erased = erasures(root)
    accepted: dict[tuple[str, str], list[Receipt]] = {}
    for receipt in receipts:
        if receipt.is_accepted and receipt.kind and receipt.period_code and receipt.receipt_id not in erased:
            accepted.setdefault((receipt.kind, receipt.period_code), []).append(receipt)
    wanted = {period.code for period in periods}
    parsed = _Parsed(root, reference, forms, limits)
    summary = RawSummary()
    work = [
        (kind, sheet, code)
        for kind in forms.kinds
        for sheet in _schemas(forms, kind)
        for other_kind, code in sorted(accepted)
        if other_kind == kind and (code in wanted or Period.parse(code).kind != "quarter")
    ]
    schemas = {kind: _schemas(forms, kind) for kind in forms.kinds}
    for kind, sheets in schemas.items():
        for sheet, schema in sheets.items():
            folder = root.raw_sheet(kind, sheet)
            _write_if_new(folder / EMPTY, schema.empty_table(), "", f"{kind}/{sheet}", summary)
            _remove_stale(folder, {code for other, code in accepted if other == kind})
    for done, (kind, sheet, code) in enumerate(work):
        if progress:
            progress("raw", done, len(work))
        group = accepted[kind, code]
        schema = schemas[kind][sheet]
        path = root.raw_sheet(kind, sheet) / f"{code}.parquet"
        made_from = json.dumps([receipt.receipt_id for receipt in group])

        compacted = partial(parsed.sheets, group, sheet, schema)
        _write_if_new(path, schema, made_from, f"{kind}/{sheet}", summary, compacted)
    _build_tables(root, reference, forms, receipts, erased, through, summary)
    if progress:
        progress("raw", len(work), len(work))
    return summary


def _schemas(forms: Forms, kind: str) -> dict[str, pa.Schema]:
    """Return the columns of every sheet of a kind: those of its first version, then what later ones add."""
    schemas: dict[str, dict[str, pa.Field]] = {}
    for version in forms.versions(kind):
        form = forms.get(kind, version)
        assert form is not None
        for sheet in form.sheets:
            fields = schemas.setdefault(sheet.name, {RECEIPT_ID.name: RECEIPT_ID})
            for column in sheet_schema(sheet):
                fields.setdefault(column.name, column)
    return {name: pa.schema(list(fields.values())) for name, fields in schemas.items()}


def _remove_stale(folder: Path, codes: set[str]) -> None:
    """Remove periods that no receipt speaks of (any more): raw never shows what the ledger does not know."""
    for path in folder.glob("*.parquet"):
        if path.name != EMPTY and path.stem not in codes:
            path.unlink()


def _write_if_new(
    path: Path,
    content: pa.Table | pa.Schema,
    made_from: str,
    name: str,
    summary: RawSummary,
    build: Callable[[], pa.Table] | None = None,
) -> None:
    """Write a file unless it was made from the same receipts in the same columns."""
    schema = content if isinstance(content, pa.Schema) else content.schema
    known = _known(path)
    if known is not None and known[0] == made_from and known[1].equals(schema):
        summary.note(name, path, known[2], is_written=False)
        return
    table = build() if build else content
    assert isinstance(table, pa.Table)
    write_parquet(table.replace_schema_metadata({_MADE_FROM: made_from.encode()}), path)
    summary.note(name, path, table.num_rows, is_written=True)


def _known(path: Path) -> tuple[str, pa.Schema, int] | None:
    """Return what a file was made from, its columns and number of rows; None if it is missing or damaged."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            made_from = (schema.metadata or {}).get(_MADE_FROM, b"?").decode()
            return made_from, schema.remove_metadata(), file.metadata.num_rows
    except (OSError, pa.ArrowInvalid):
        return None


# --- receipts, problems, periods ---------------------------------------------------------------------------


def _build_tables(
    root: DataRoot,
    reference: Reference,
    forms: Forms,
    receipts: Sequence[Receipt],
    erased: Mapping[str, datetime],
    through: Period,
    summary: RawSummary,
) -> None:
    ledger_hash = receipts[-1].hash if receipts else ""
    if erased:
        ledger_hash += hashlib.sha256("\n".join(sorted(erased)).encode()).hexdigest()

    def receipt_rows() -> pa.Table:
        return _table(RECEIPTS_SCHEMA, (_receipt_row(receipt, erased) for receipt in receipts))

    for path, schema, build in (
        (root.raw_receipts, RECEIPTS_SCHEMA, receipt_rows),
        (root.raw_problems, PROBLEMS_SCHEMA, lambda: _table(PROBLEMS_SCHEMA, _problem_rows(receipts))),
    ):
        _write_if_new(path.with_name(EMPTY), schema.empty_table(), "", path.stem, summary)
        _write_if_new(path, schema, ledger_hash, path.stem, summary, build)
    listed = _table(FORMS_SCHEMA, map(_form_row, forms))
    _write_if_new(root.raw_forms.with_name(EMPTY), FORMS_SCHEMA.empty_table(), "", "forms", summary)
    _write_if_new(root.raw_forms, listed, _told(listed), "forms", summary)
    periods = _periods(root, reference, forms, receipts, through)
    reporting = _reporting_periods(reference, forms, receipts, through)
    calendar = _table(PERIODS_SCHEMA, _period_rows(reference, periods, reporting))
    path = root.raw_periods
    _write_if_new(path.with_name(EMPTY), PERIODS_SCHEMA.empty_table(), "", path.stem, summary)
    _write_if_new(path, calendar, _told(calendar), path.stem, summary)
    through_day = periods[-1].last_day + _CALENDAR_AHEAD if periods else None
    numbered = working_day_numbers(reporting[0].first_day, through_day) if reporting and through_day else []
    days = _table(WORKING_DAYS_SCHEMA, numbered)
    path = root.raw_working_days
    _write_if_new(path.with_name(EMPTY), WORKING_DAYS_SCHEMA.empty_table(), "", path.stem, summary)
    _write_if_new(path, days, _told(days), path.stem, summary)


def _told(table: pa.Table) -> str:
    """Return a hash over everything that a small table says."""
    return hashlib.sha256(json.dumps(table.to_pylist(), default=str).encode()).hexdigest()


def _table(schema: pa.Schema, rows: Any) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _form_row(form: Form) -> tuple[Any, ...]:
    return (
        form.kind,
        form.version,
        form.title,
        form.basis,
        form.valid_from,
        form.valid_to,
        form.frequency,
        form.cycle,
    )


def _receipt_row(receipt: Receipt, erased: Mapping[str, datetime]) -> tuple[Any, ...]:
    return (
        receipt.receipt_id,
        receipt.receipt_sequence,
        receipt.sha256,
        receipt.bytes,
        receipt.sender_code,
        receipt.file_name,
        receipt.arrived_at,
        local_day(receipt.arrived_at),
        receipt.kind,
        receipt.form_version,
        receipt.period_code,
        receipt.outcome,
        receipt.supersedes_receipt_id,
        receipt.receipt_id in erased,
        erased.get(receipt.receipt_id),
        sum(receipt.rows_read.values()),
        sum(receipt.rows_accepted.values()),
        receipt.problem_count,
    )


def _problem_rows(receipts: Sequence[Receipt]) -> list[tuple[Any, ...]]:
    return [
        (
            receipt.receipt_id,
            number,
            problem.severity,
            problem.rule_code,
            problem.sheet,
            problem.row_number,
            problem.column_name,
            problem.found,
            problem.expected,
            problem.remedy,
            problem.message,
        )
        for receipt in receipts
        for number, problem in enumerate(receipt.problems, 1)
    ]


def _periods(
    root: DataRoot, reference: Reference, forms: Forms, receipts: Sequence[Receipt], through: Period
) -> list[Period]:
    """Return every reporting period up to `through` or the latest return, and every other with figures."""
    used = {Period.parse(r.period_code) for r in receipts if r.is_accepted and r.period_code}
    for form in forms:
        used |= _periods_of_rows(root, form)
    return sorted({*_reporting_periods(reference, forms, receipts, through), *used})


def _reporting_periods(
    reference: Reference, forms: Forms, receipts: Sequence[Receipt], through: Period
) -> list[Period]:
    """Return the periods that bodies report on, through the latest one that such a return came for."""
    start = reference.cycle_on(through.last_day).reporting_starts_on
    sent = (
        Period.parse(receipt.period_code).last_day
        for receipt in receipts
        if receipt.is_accepted and receipt.kind == REPORTING_KIND and receipt.period_code
    )
    return forms.reporting_periods(REPORTING_KIND, start, max([through.last_day, *sent]))


def _periods_of_rows(root: DataRoot, form: Form) -> set[Period]:
    """Return the periods that the rows of a form's tables carry."""
    codes: set[str] = set()
    for sheet in form.tables:
        for column in sheet.columns:
            if column.codes_from == "periods":
                for path in sorted(root.raw_sheet(form.kind, sheet.name).glob("*.parquet")):
                    values = pq.read_table(path, columns=[column.name]).column(0).unique()
                    codes |= {value for value in values.to_pylist() if value}
    return {Period.parse(code) for code in codes}


def _period_rows(
    reference: Reference, periods: Sequence[Period], reporting: Sequence[Period]
) -> list[tuple[Any, ...]]:
    numbers: dict[Period, int] = {}
    for period in reporting:
        # One apart for neighbours, also where a form changes from quarters to halves or years.
        numbers[period] = 1 + max(numbers.values()) if numbers else _first_number(period)
    rows: list[tuple[Any, ...]] = []
    for period in periods:
        cycle = reference.cycle_on(period.last_day)
        is_reporting = period in numbers
        due: date | None = cycle.returns_due_on(period) if is_reporting else None
        review: date | None = cycle.review_due_on(period) if is_reporting else None
        rows.append(
            (
                period.code,
                period.kind,
                period.financial_year,
                period.part,
                period.first_day,
                period.last_day,
                period.label,
                numbers.get(period, period.quarter_index),
                due,
                review,
                period.year_ago().code,
                is_reporting,
            )
        )
    return rows


def _first_number(period: Period) -> int:
    return Period.of(period.first_day).quarter_index or 0
