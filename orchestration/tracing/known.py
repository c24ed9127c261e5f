"""What the build knows of returns, rows and names, whatever the figure is.

What belongs here: reading that every kind of figure needs. What does not: the figures and their rows
(find.py, legacy.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestration.tracing.found import Return, Row, Warned

if TYPE_CHECKING:
    import duckdb

Record = dict[str, Any]


def names_of(con: duckdb.DuckDBPyConnection, body_kind: str) -> dict[str, dict[str, str]]:
    """Return the names of areas, and of the bodies of a kind, by code."""
    return {
        "areas": dict(
            con.execute("select pfa_code, area_name from reference.areas order by valid_from").fetchall()
        ),
        "bodies": dict(
            con.execute(
                "select body_code, body_name from reference.bodies where body_kind = ? order by valid_from",
                [body_kind],
            ).fetchall()
        ),
    }


def returns_of(con: duckdb.DuckDBPyConnection, receipt_ids: Sequence[str]) -> list[Return]:
    """Return the returns with their files, senders and what they replaced."""
    if not receipt_ids:
        return []
    marks = ", ".join("?" * len(receipt_ids))
    found = records(
        con,
        f"""
        select
            receipts.*,
            senders.sender_name,
            list(earlier.receipt_id order by earlier.receipt_sequence)
                filter (where earlier.receipt_id is not null) as replaced_receipt_ids
        from staging.stg_receipts as receipts
        left join (
            select sender_code, max(sender_name) as sender_name from reference.senders group by sender_code
        ) as senders
            on receipts.sender_code = senders.sender_code
        left join staging.stg_receipts as earlier
            on
                receipts.sender_code = earlier.sender_code
                and receipts.form_kind = earlier.form_kind
                and receipts.period_code = earlier.period_code
                and receipts.receipt_sequence > earlier.receipt_sequence
                and earlier.is_accepted
        where receipts.receipt_id in ({marks})
        group by all
        order by receipts.receipt_sequence
        """,
        receipt_ids,
    )
    return [
        Return(
            receipt_id=each["receipt_id"],
            sha256=each["sha256"],
            file_name=each["file_name"],
            sender_code=each["sender_code"],
            sender_name=each["sender_name"] or "",
            arrived_at=each["arrived_at"],
            form_kind=each["form_kind"],
            form_version=each["form_version"],
            outcome=each["outcome"],
            replaced_receipt_ids=tuple(each["replaced_receipt_ids"] or ()),
        )
        for each in found
    ]


def remarks_on(
    con: duckdb.DuckDBPyConnection, receipt_ids: Sequence[str], rows: Sequence[Row]
) -> list[Warned]:
    """Return what acceptance remarked on the rows, or on a whole sheet or return."""
    if not receipt_ids:
        return []
    marks = ", ".join("?" * len(receipt_ids))
    places = {(row.receipt_id, row.sheet, row.sheet_row) for row in rows}
    sheets = {row.sheet for row in rows} | {None}
    return [
        Warned(**each)
        for each in records(
            con,
            "select receipt_id, sheet, sheet_row, severity, rule_code, message from marts.quality_problems"
            f" where receipt_id in ({marks}) order by receipt_id, problem_number",
            receipt_ids,
        )
        if (each["receipt_id"], each["sheet"], each["sheet_row"]) in places
        or (each["sheet_row"] is None and each["sheet"] in sheets)
    ]


def records(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] | Mapping[str, object]
) -> list[Record]:
    """Return what a query finds: column -> value, one a row."""
    cursor = con.execute(sql, parameters if isinstance(parameters, Mapping) else list(parameters))
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
