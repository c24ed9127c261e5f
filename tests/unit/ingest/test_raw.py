from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from return_files import (
    COUNT,
    LEGACY_SENDER,
    PROPORTION,
    SENDER,
    ReturnFile,
    legacy_audit,
    quarterly,
    write_xlsx,
)
from test_receive import CLOCK, deliver, here, tree

from ingest.archive import ArchiveError
from ingest.form import Forms
from ingest.paths import DataRoot
from ingest.period import Period
from ingest.raw import RawSummary, build_raw
from ingest.receipts import Ledger
from ingest.receive import receive
from ingest.reference import Reference

__all__ = ["here"]
Q1, Q2, Q3 = (Period.parse(f"2025-26-Q{n}") for n in (1, 2, 3))


@pytest.fixture
def take(here: None, root: DataRoot, reference: Reference, forms: Forms) -> Callable[..., None]:
    def take_it(file: ReturnFile, sender: str = SENDER, at: str = "2025-07-15T10:00:00Z") -> None:
        deliver(root, file, sender, f"{at[:13]}.zip", at)
        receive(root, reference, forms, CLOCK)

    return take_it


@pytest.fixture
def build(root: DataRoot, reference: Reference, forms: Forms) -> Callable[..., RawSummary]:
    return partial(build_raw, root, reference, forms, [Q1, Q2], through=Q2)


def read(root: DataRoot, sheet: str, code: str = "2025-26-Q1", kind: str = "quarterly") -> pa.Table:
    return pq.read_table(root.raw / kind / sheet / f"{code}.parquet")


def test_columns_and_types_are_those_of_the_form(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    good: ReturnFile,
    forms: Forms,
) -> None:
    good["metrics"][0].update(cases_from="2025-04-01", note="")
    good["feedback"][0]["design_effect"] = "1.4"
    take(good)
    build()
    metrics = read(root, "metrics")
    form = forms.get("quarterly", 1)
    assert form is not None
    assert metrics.column_names == ["receipt_id", "row_number", *form.sheet("metrics").column_names]
    types = {field.name: field.type for field in metrics.schema}
    assert types["receipt_id"] == types["note"] == types["body_code"] == pa.string()
    assert types["row_number"] == pa.int32()
    assert types["met"] == types["count"] == pa.int64()
    assert types["cases_from"] == pa.date32()
    assert read(root, "delivery").schema.field("grade").type == pa.int16()
    assert read(root, "feedback").schema.field("design_effect").type == pa.float64()
    assert read(root, "feedback").column("design_effect").to_pylist()[:2] == [1.4, None]
    first = metrics.to_pylist()[0]
    assert (first["metric_id"], first["count"], first["met"], first["note"]) == (COUNT, 12, None, None)
    assert first["cases_from"] == date(2025, 4, 1)
    cover = read(root, "cover").to_pylist()
    assert cover[0]["sender_code"] == SENDER and cover[0]["form_version"] == 1


def test_all_accepted_returns_are_there_in_the_order_of_their_receipts(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    reference: Reference,
    forms: Forms,
) -> None:
    take(quarterly(reference, forms, met=30), at="2025-07-15T10:00:00Z")
    take(quarterly(reference, forms, met=-1), at="2025-07-15T11:00:00Z")
    take(quarterly(reference, forms, met=31), at="2025-07-15T12:00:00Z")
    take(quarterly(reference, forms, met=31), at="2025-07-15T13:00:00Z")  # a duplicate
    summary = build()
    receipts = Ledger(root.receipts).read()
    rows = read(root, "metrics").to_pylist()
    assert [row["receipt_id"] for row in rows] == [receipts[0].receipt_id] * 3 + [receipts[2].receipt_id] * 3
    assert [row["row_number"] for row in rows] == [2, 3, 4, 2, 3, 4]
    assert [row["met"] for row in rows if row["metric_id"] == PROPORTION] == [30, 31]
    assert summary.rows["quarterly/metrics"] == 6
    # What went in is what was accepted.
    table = pq.read_table(root.raw_receipts).to_pylist()
    assert [row["outcome"] for row in table] == ["accepted", "rejected", "accepted", "duplicate"]
    assert sum(row["rows_accepted"] for row in table) == sum(
        summary.rows[f"quarterly/{sheet}"] for sheet in ("metrics", "feedback", "delivery")
    )
    assert table[2]["supersedes_receipt_id"] == receipts[0].receipt_id
    assert table[0]["arrived_at"] == datetime(2025, 7, 15, 10, 0, tzinfo=UTC)


def test_problems_are_told_by_receipt_and_number(
    root: DataRoot, take: Callable[..., None], build: Callable[..., RawSummary], good: ReturnFile
) -> None:
    good.row("metrics", metric_id=COUNT)["count"] = "-1"
    good.cover["remark"] = "none"
    take(good)
    build()
    problems = pq.read_table(root.raw_problems).to_pylist()
    assert [(p["problem_number"], p["rule_code"], p["severity"], p["row_number"]) for p in problems] == [
        (1, "SHAPE-007", "warning", 6),
        (2, "FIGURES-001", "error", 2),
    ]
    assert {p["receipt_id"] for p in problems} == {Ledger(root.receipts).read()[0].receipt_id}


def test_nothing_new_writes_nothing(
    root: DataRoot, take: Callable[..., None], build: Callable[..., RawSummary], good: ReturnFile
) -> None:
    take(good)
    build()
    before = {path: path.stat().st_mtime_ns for path in root.raw.rglob("*.parquet")}
    summary = build()
    assert summary.written == []
    assert summary.rows["quarterly/metrics"] == 3
    assert {path: path.stat().st_mtime_ns for path in root.raw.rglob("*.parquet")} == before


def test_a_new_return_changes_its_own_period_and_no_other(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    reference: Reference,
    forms: Forms,
) -> None:
    take(quarterly(reference, forms), at="2025-07-15T10:00:00Z")
    take(quarterly(reference, forms, period="2025-26-Q2"), at="2025-10-15T10:00:00Z")
    build()
    before = tree(root.raw)
    take(quarterly(reference, forms, met=31), at="2025-10-16T10:00:00Z")
    build()
    after = tree(root.raw)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        *(
            f"raw/quarterly/{sheet}/2025-26-Q1.parquet"
            for sheet in ("cover", "metrics", "feedback", "delivery")
        ),
        "raw/receipts/receipts.parquet",
        "raw/problems/problems.parquet",
    }


def test_only_the_periods_asked_for_are_brought_up(
    root: DataRoot, take: Callable[..., None], reference: Reference, forms: Forms
) -> None:
    take(quarterly(reference, forms), at="2025-07-15T10:00:00Z")
    take(quarterly(reference, forms, period="2025-26-Q2"), at="2025-10-15T10:00:00Z")
    build_raw(root, reference, forms, [Q2], through=Q2)
    assert sorted(path.name for path in (root.raw / "quarterly" / "metrics").iterdir()) == [
        "2025-26-Q2.parquet", "_empty.parquet",
    ]  # fmt: skip


def test_the_same_receipts_give_the_same_bytes_and_lost_pieces_are_parsed_again(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    reference: Reference,
    forms: Forms,
) -> None:
    take(quarterly(reference, forms), at="2025-07-15T10:00:00Z")
    take(quarterly(reference, forms, met=31), at="2025-07-15T12:00:00Z")
    build()
    before = tree(root.raw)
    shutil.rmtree(root.raw)
    build()
    assert tree(root.raw) == before


@pytest.mark.parametrize("harm", [b"", b"PAR1 and no more", None])
def test_a_torn_piece_is_parsed_again(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    good: ReturnFile,
    harm: bytes | None,
) -> None:
    take(good)
    piece = next(root.raw_returns.rglob("metrics.parquet"))
    whole = piece.read_bytes()
    # A page altered in the middle is only found by its checksum.
    piece.write_bytes(harm if harm is not None else whole.replace(COUNT.encode(), COUNT.encode().upper(), 1))
    assert piece.read_bytes() != whole
    build()
    assert read(root, "metrics").column("metric_id").to_pylist()[0] == COUNT
    assert piece.read_bytes() == whole


def test_a_return_missing_from_the_archive_is_told(
    root: DataRoot, take: Callable[..., None], build: Callable[..., RawSummary], good: ReturnFile
) -> None:
    take(good)
    shutil.rmtree(root.raw)
    shutil.rmtree(root.archive)
    with pytest.raises(ArchiveError, match="restore it from a backup"):
        build()


def test_without_any_return_there_are_typed_files_of_no_rows(
    root: DataRoot, build: Callable[..., RawSummary], forms: Forms
) -> None:
    build()
    # A later version keeps the columns of the one before and adds its own behind them.
    for form in (f for f in forms if f.version == forms.versions(f.kind)[-1]):
        for sheet in form.sheets:
            empty = pq.read_table(root.raw / form.kind / sheet.name / "_empty.parquet")
            assert empty.num_rows == 0
            assert empty.column_names == ["receipt_id", "row_number", *(c.stored_as for c in sheet.columns)]
    for table in ("receipts", "problems", "periods"):
        assert pq.read_table(root.raw / table / "_empty.parquet").num_rows == 0
    assert pq.read_table(root.raw_receipts).num_rows == 0
    assert [row["period_code"] for row in pq.read_table(root.raw_periods).to_pylist()] == [
        "2025-26-Q1",
        "2025-26-Q2",
    ]


def test_the_calendar_reaches_the_latest_return_and_holds_the_periods_of_the_audit(
    root: DataRoot,
    take: Callable[..., None],
    build: Callable[..., RawSummary],
    reference: Reference,
    forms: Forms,
) -> None:
    take(legacy_audit(reference, forms), LEGACY_SENDER, at="2025-07-15T10:00:00Z")
    take(quarterly(reference, forms, period="2025-26-Q3"), at="2026-01-15T10:00:00Z")
    build()
    rows = {row["period_code"]: row for row in pq.read_table(root.raw_periods).to_pylist()}
    assert list(rows) == [
        "2019-20-H1", "2019-20-FY", "2019-20-Q3", "2019-20-Q4", "2025-26-Q1", "2025-26-Q2", "2025-26-Q3",
    ]  # fmt: skip
    quarter = rows["2025-26-Q1"]
    assert (quarter["returns_due_on"], quarter["review_due_on"]) == (date(2025, 8, 11), date(2025, 9, 9))
    assert (quarter["quarter_index"], quarter["is_reporting"]) == (8100, True)
    assert quarter["period_label"] == "April to June 2025 (2025/26 Q1)"
    half = rows["2019-20-H1"]
    assert (half["period_kind"], half["quarter_index"], half["returns_due_on"]) == ("half", None, None)
    assert rows["2019-20-Q3"]["is_reporting"] is False
    assert read(root, "answers", "2019-20-FY", "legacy_audit").num_rows == 9


def test_a_later_version_of_a_form_adds_its_columns_behind(
    here: None, tmp_path: Path, root: DataRoot, reference: Reference, good: ReturnFile
) -> None:
    from ingest.form import FORMS_DIR, load_forms

    folder = tmp_path / "forms"
    shutil.copytree(FORMS_DIR, folder)
    text = (folder / "quarterly_v1.yml").read_text().replace("version: 1", "version: 2", 1)
    text = text.replace("valid_to: 2026-06-30", "valid_to:")
    step = "      - {name: next_step, type: text, description: The next step of the plan}\n"
    assert step in text
    new = "      - {name: owner_role, type: text, description: Role that owns the next step}\n"
    (folder / "quarterly_v2.yml").write_text(text.replace(step, step + new))
    forms = load_forms(folder)
    deliver(root, good, name="1.zip", at="2025-07-15T10:00:00Z")
    good.cover["form_version"] = "2"
    good.headers["delivery"].append("owner_role")
    good["delivery"][0]["owner_role"] = "Head of service"
    deliver(root, good, name="2.zip", at="2025-07-15T11:00:00Z")
    assert receive(root, reference, forms, CLOCK).accepted == 2
    build_raw(root, reference, forms, [Q1], through=Q1)
    delivery = read(root, "delivery")
    assert delivery.column_names[-2:] == ["next_step_due", "owner_role"]
    assert delivery.column("owner_role").to_pylist().count("Head of service") == 1
    assert delivery.num_rows == 12


def test_two_versions_of_a_form_lie_side_by_side_in_the_same_columns(
    here: None, root: DataRoot, reference: Reference, forms: Forms
) -> None:
    first, second = (quarterly(reference, forms, period=f"2026-27-Q{n}") for n in (1, 2))
    assert "count" in first.headers["metrics"] and "events" in second.headers["metrics"]
    deliver(root, first, name="first.zip", at="2026-07-15T10:00:00Z")
    deliver(root, second, name="second.zip", at="2026-10-15T10:00:00Z")
    # Each version is for its own time only: the columns of the other are not known there.
    second.cover["period_code"], first.cover["period_code"] = "2026-27-Q1", "2026-27-Q2"
    deliver(root, second, name="second too early.zip", at="2026-10-16T10:00:00Z")
    deliver(root, first, name="first too late.zip", at="2026-10-17T10:00:00Z")
    outcomes = receive(root, reference, forms, CLOCK).receipts
    assert [receipt.is_accepted for receipt in outcomes] == [True, True, False, False]
    assert all("IDENTITY-003" in receipt.problem_counts for receipt in outcomes[2:])
    periods = [Period.parse(f"2026-27-Q{n}") for n in (1, 2)]
    build_raw(root, reference, forms, periods, through=periods[-1])
    tables = [read(root, "metrics", period.code) for period in periods]
    assert tables[0].schema.equals(tables[1].schema)
    for table in tables:
        counts = dict(
            zip(table.column("metric_id").to_pylist(), table.column("count").to_pylist(), strict=True)
        )
        assert counts[COUNT] == 12 and counts[PROPORTION] is None


def test_a_sheet_that_a_later_version_adds_has_no_rows_of_the_version_before(
    here: None, root: DataRoot, reference: Reference, forms: Forms
) -> None:
    periods = [Period.parse("2025-26-Q3"), Period.parse("2025-26-Q4")]
    for number, (period, arrived) in enumerate(zip(periods, ("2026-01-05", "2026-04-07"), strict=True), 1):
        form = forms.get("decisions", number)
        assert form is not None
        cover = {"kind": "decisions", "form_version": str(number), "sender_code": "programme-board",
                 "period_code": period.code} | dict.fromkeys(form.nil_fields, "None yet.")  # fmt: skip
        file = ReturnFile(form, cover)
        if number == 2:
            del file.cover["nil_meetings_reason"]
            file["meetings"].append(
                {"forum": "taskforce", "meeting_on": "2026-03-17", "reviewed_period_code": "2025-26-Q2",
                 "cases_considered": "0", "summary": "No case was open."}
            )  # fmt: skip
        deliver(root, file, "programme-board", f"{number}.zip", f"{arrived}T10:00:00Z")
    assert receive(root, reference, forms, CLOCK).accepted == 2
    build_raw(root, reference, forms, periods, through=periods[-1])
    before, after = (read(root, "meetings", period.code, "decisions") for period in periods)
    assert before.schema.equals(after.schema) and before.num_rows == 0
    assert after.column("meeting_on").to_pylist() == [date(2026, 3, 17)]


def test_progress_is_told(
    root: DataRoot, take: Callable[..., None], reference: Reference, forms: Forms, good: ReturnFile
) -> None:
    take(good)
    said: list[tuple[str, int, int]] = []
    build_raw(root, reference, forms, [Q1], through=Q1, progress=lambda *step: said.append(step))
    assert said[0] == ("raw", 0, 4) and said[-1] == ("raw", 4, 4)


def test_no_title_of_a_sheet_reaches_receipts_or_problems(
    root: DataRoot, reference: Reference, forms: Forms, build: Callable[..., RawSummary], good: ReturnFile
) -> None:
    path = root.inbox / SENDER / "r.xlsx"
    write_xlsx(path, good.tables() | {"Jane Doe": [["=1+1"]]})
    receive(root, reference, forms, CLOCK, settle_seconds=0)
    build()
    assert b"Jane Doe" not in root.receipts.read_bytes()
    shown = [row["sheet"] for row in pq.read_table(root.raw_problems).to_pylist()]
    assert "sheet number 5" in shown
    assert not any("Doe" in str(row) for row in pq.read_table(root.raw_problems).to_pylist())
