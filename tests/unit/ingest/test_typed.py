from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest

from ingest.form import Column, Sheet
from ingest.readers import RawSheet
from ingest.reference import Reference
from ingest.typed import Table, type_sheet


def typed(reference: Reference, column: Column, cells: list[Any]) -> Table:
    sheet = Sheet("s", "S", "", "table", (column,), key=(column.name,))
    booleans = any(type(cell) is bool for cell in cells)
    raw = RawSheet("s", [column.name], [cells], list(range(2, len(cells) + 2)), booleans)
    return type_sheet(sheet, raw, reference)


@pytest.mark.parametrize(
    ("type_", "cell", "value"),
    [
        ("count", "12", 12),
        ("count", " 12 ", 12),
        ("count", "0", 0),
        ("count", "12.0", 12),
        ("count", 12.0, 12),
        ("count", "", None),
        ("count", "  ", None),
        ("grade", "3", 3),
        ("grade", 0.0, 0),
        ("decimal", "1.25", 1.25),
        ("decimal", 2.0, 2.0),
        ("date", "2025-06-30", date(2025, 6, 30)),
        ("date", date(2025, 6, 30), date(2025, 6, 30)),
        ("date", datetime(2025, 6, 30), date(2025, 6, 30)),
        ("string", "30%", "30%"),
        ("string", "blank", "blank"),
        ("text", "As seen.", "As seen."),
        ("text", 7.0, "7"),
        ("text", "", None),
    ],
)
def test_what_fits_is_typed(reference: Reference, type_: str, cell: Any, value: Any) -> None:
    table = typed(reference, Column("c", type_, ""), [cell])
    assert list(table["c"]) == [value]
    assert type(table["c"][0]) is type(value)
    assert table.unfit == []


@pytest.mark.parametrize(
    ("type_", "cell", "reason"),
    [
        ("count", "-3", "negative"),
        ("count", -3.0, "negative"),
        ("count", "3.5", "fraction"),
        ("count", 0.85, "fraction"),
        ("count", "85%", "percentage"),
        ("count", "1,234", "type"),
        ("count", "n/a", "type"),
        ("count", "unknown", "type"),
        ("count", True, "type"),
        ("count", "1e3", "type"),
        ("count", "\u0661\u0662", "type"),  # digits of another script
        ("count", 1e15, "type"),
        ("count", float("nan"), "type"),
        ("count", date(2025, 1, 1), "type"),
        ("grade", "4", "type"),
        ("grade", "2.5", "fraction"),
        ("decimal", "0", "type"),
        ("decimal", "-1", "negative"),
        ("decimal", "much", "type"),
        ("date", "30/06/2025", "type"),
        ("date", "2025-02-30", "type"),
        ("date", "0025-06-30", "type"),
        ("date", 45000.0, "type"),
        ("date", datetime(2025, 6, 30, 12, 0), "type"),
        ("string", 0.3, "type"),  # what a spreadsheet keeps of a typed 30%
        ("string", 1.0, "type"),
        ("text", 0.5, "type"),
        ("text", time(12, 0), "type"),
    ],
)
def test_what_does_not_fit_is_listed_and_not_mended(
    reference: Reference, type_: str, cell: Any, reason: str
) -> None:
    table = typed(reference, Column("c", type_, ""), ["", cell])
    assert list(table["c"]) == [None, None]
    assert [(unfit.index, unfit.reason) for unfit in table.unfit] == [(1, reason)]


def test_true_is_not_taken_for_one(reference: Reference) -> None:
    table = typed(reference, Column("c", "count", ""), [1.0, True, 1.0])
    assert list(table["c"]) == [1, None, 1]


def test_codes_are_compared_letter_for_letter(reference: Reference) -> None:
    column = Column("c", "code", "", codes=("census", "1"), also=("ALL",))
    table = typed(reference, column, ["census", "Census", "census ", "ALL", 1.0, ""])
    assert list(table["c"]) == ["census", None, None, "ALL", "1", None]
    assert [unfit.reason for unfit in table.unfit] == ["code", "code"]


def test_codes_from_the_reference_data_and_periods(reference: Reference) -> None:
    table = typed(
        reference, Column("c", "code", "", codes_from="crime_types", also=("ALL",)), ["VAP", "VAP-HOM"]
    )
    assert list(table["c"]) == ["VAP", None]
    table = typed(reference, Column("c", "code", "", codes_from="periods"), ["2019-20-H1", "2019-21-H1"])
    assert list(table["c"]) == ["2019-20-H1", None]


def test_columns_may_stand_in_any_order_and_missing_ones_are_blank(reference: Reference) -> None:
    sheet = Sheet(
        "s", "S", "", "table", (Column("a", "count", ""), Column("b", "text", ""), Column("c", "count", ""))
    )
    raw = RawSheet("s", ["b", "", "x", "a", "a"], [["t"], ["?"], ["u"], ["1"], ["2"]], [2])
    table = type_sheet(sheet, raw, reference)
    assert {name: list(cells) for name, cells in table.columns.items()} == {"a": [1], "b": ["t"], "c": [None]}
    assert table.missing_columns == ["c"]
    assert table.extra_columns == [("C", "x")]
    assert table.repeated_columns == [("E", "a")]
    assert table.unnamed_cells == [(2, "B")]
