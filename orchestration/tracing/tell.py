"""A trace as text, JSON or CSV.

What belongs here: layout and words. What does not: what was found.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from orchestration.terminal import table
from orchestration.tracing.found import Found, Row
from orchestration.tracing.question import LEGACY

#: Of the rows that make up a national figure this many are listed; JSON and CSV have all.
ROWS_SHOWN = 30
_IDENTITY = (
    "period_code",
    "body_kind",
    "item_id",
    "place_kind",
    "place_code",
    "crime_type",
    "characteristic",
    "characteristic_value",
)


def to_text(found: Sequence[Found], place_of: Callable[[str, str], str] | None = None) -> str:
    """Return the figures one after another. `place_of` says where the file of a sha256 and name is kept."""
    return "\n\n".join(_one(each, place_of) for each in found) + "\n"


def to_json(found: Sequence[Found]) -> str:
    """Return everything, in one byte form for one content."""
    listed = [
        {
            **asdict(each),
            "comparisons": [{**asdict(c), "is_equal": c.is_equal} for c in each.comparisons],
            "is_reproduced": each.is_reproduced,
        }
        for each in found
    ]
    return json.dumps(listed, indent=2, sort_keys=True, ensure_ascii=False, default=_plain) + "\n"


def to_csv(found: Sequence[Found]) -> str:
    """Return one row for each row of a return that is part of a figure."""
    stream = io.StringIO()
    names = list(dict.fromkeys(name for each in found for row in each.rows for name in row.counts))
    header = [
        *_IDENTITY,
        "collection_mode",
        "sampling_frame",
        "receipt_id",
        "sha256",
        "file_name",
        "sender_code",
        "arrived_at",
        "sheet",
        "sheet_row",
        "body_code",
        "pfa_code",
        *names,
    ]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for each in found:
        returns = {one.receipt_id: one for one in each.returns}
        identity = [getattr(each.question, name) for name in _IDENTITY]
        way = [
            each.figure.get("collection_mode", each.figure.get("survey_mode")),
            each.figure.get("sampling_frame"),
        ]
        for row in each.rows:
            came = returns[row.receipt_id]
            place = [
                row.receipt_id,
                came.sha256,
                came.file_name,
                came.sender_code,
                _plain(came.arrived_at),
                row.sheet,
                row.sheet_row,
                row.body_code,
                row.pfa_code,
            ]
            counts = [_plain(row.counts.get(name)) for name in names]
            writer.writerow(["" if v is None else v for v in (*identity, *way, *place, *counts)])
    return stream.getvalue()


def _one(found: Found, place_of: Callable[[str, str], str] | None) -> str:
    question = found.question
    lines = [
        f"{question.item_id}: {question.definition}",
        f"{question.body_kind}, {question.place_name} ({question.place_code}), {question.period_code}"
        + (f", {question.breakdown}" if question.breakdown else ""),
        "",
        f"Figure, as {found.mart} of build {found.build_id} has it",
        *_listed(found.figure, hidden=("body_kind", "period_code", "quarter_index", "pfa_code", "area_name")),
        "",
        _verdict(found),
    ]
    if found.comparisons:
        shown = [
            (
                each.column,
                _told(each.figure),
                _told(each.from_rows),
                "equal" if each.is_equal else "NOT EQUAL",
            )
            for each in found.comparisons
            if not (each.figure is None and each.from_rows is None)
        ]
        lines += [table(("quantity", "figure", "from the rows", ""), shown)] if shown else []
    lines += ["", f"Rows: {len(found.rows):,}", *_rows(found.rows)]
    lines += ["", f"Returns: {len(found.returns):,}", *_returns(found, place_of)]
    lines += [
        "",
        "Remarks of acceptance on these rows" if found.warnings else "Acceptance remarked nothing on them.",
    ]
    lines += [
        f"  {each.receipt_id} {each.sheet or ''} {f'row {each.sheet_row}' if each.sheet_row else ''}"
        f" {each.rule_code} ({each.severity}): {each.message}"
        for each in found.warnings
    ]
    if question.information == LEGACY:
        # one report brings the audit: nobody is waited for, and no rules of a quarter judge it
        return "\n".join([*lines, "", "How cases are derived from it", *_listed(found.rules)])
    lines += ["", "Missing" if found.missing else "Nobody whose figure belongs here is missing."]
    lines += [
        f"  {each.sender_code}, {each.body_code}, {each.pfa_code}: {each.reason}" for each in found.missing
    ]
    lines += ["", "Rules of the quarter", *_listed(found.rules)]
    for test in found.tests:
        told = ", ".join(f"{name} {_told(value)}" for name, value in test.items() if value is not None)
        lines.append(f"  test {told}")
    if found.published is not None:
        lines += ["", "Open data say", *_listed(found.published)]
    return "\n".join(lines)


def _verdict(found: Found) -> str:
    if not found.rows:
        return "No row stands behind it."
    if found.is_reproduced:
        return "The rows below give this figure."
    return "The rows below do NOT give this figure:"


def _rows(rows: Sequence[Row]) -> list[str]:
    lines = [
        f"  {row.receipt_id}, sheet {row.sheet}, row {row.sheet_row}: {row.body_name or row.body_code}"
        f" ({row.area_name}); " + ", ".join(f"{name} {_told(value)}" for name, value in row.values.items())
        for row in rows[:ROWS_SHOWN]
    ]
    if len(rows) > ROWS_SHOWN:
        lines.append(f"  and {len(rows) - ROWS_SHOWN:,} more; --format csv lists them all")
    return lines


def _returns(found: Found, place_of: Callable[[str, str], str] | None) -> list[str]:
    lines = []
    for each in found.returns[:ROWS_SHOWN]:
        replaced = f"; replaces {', '.join(each.replaced_receipt_ids)}" if each.replaced_receipt_ids else ""
        lines += [
            f"  {each.receipt_id} {each.file_name}, {each.form_kind} form version {each.form_version},"
            f" {each.outcome.replace('_', ' ')}{replaced}",
            f"    from {each.sender_code}, {each.sender_name};"
            f" arrived {each.arrived_at:%-d %B %Y, %H:%M:%S} UTC",
            f"    sha256 {each.sha256}",
        ]
        if place_of is not None:
            lines.append(f"    kept {place_of(each.sha256, each.file_name)}")
    if len(found.returns) > ROWS_SHOWN:
        lines.append(f"  and {len(found.returns) - ROWS_SHOWN:,} more; --format csv lists them all")
    return lines


def _listed(record: Mapping[str, Any], hidden: Sequence[str] = ()) -> list[str]:
    shown = {name: value for name, value in record.items() if value is not None and name not in hidden}
    width = max(map(len, shown), default=0)
    return [f"  {name:<{width}}  {_told(value)}" for name, value in shown.items()]


def _told(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: object) -> object:
    """Return a value as JSON and CSV carry it."""
    return value.isoformat() if isinstance(value, date | datetime) else value
