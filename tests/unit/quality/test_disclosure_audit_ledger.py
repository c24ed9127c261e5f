"""The ledger read from the Parquet files of a draft: what each number says, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from disclosure_tables import CRITERIA, RELEASE, REVISION, RULES, true
from statsmodels.stats.proportion import proportion_confint

from quality.disclosure.audit import audit
from quality.disclosure.errors import DisclosureError
from quality.disclosure.ledger import LedgerRow, ledger_bytes, ledger_of, load_declaration, read_ledger
from quality.disclosure.rules import Rules

PERIOD = "2025-26-Q1"
#: Columns of local_compliance that hold figures, with their types; the rest is text.
FIGURES = {
    "right_number": pa.int32(), "case_count": pa.int64(), "met_count": pa.int64(), "reported_count": pa.int64(),
    "rate_percent": pa.int32(), "rate_lower_percent": pa.int32(), "rate_upper_percent": pa.int32(),
    "like_areas_case_count": pa.int64(), "like_areas_met_count": pa.int64(), "limit_percent": pa.int32(),
    "case_share_covered": pa.float64(), "areas_expected": pa.int32(), "disclosure_rule_version": pa.int32(),
}  # fmt: skip


def local(area: str, **figures: Any) -> dict[str, Any]:
    """One row of local_compliance; a cell that is not suppressed has a base."""
    row: dict[str, Any] = {
        "release_period_code": PERIOD, "period_code": PERIOD, "body_kind": "police", "area_code": area,
        "metric_id": "m", "unit": "proportion", "collection_mode": "census", "sampling_frame": "all_cases",
        "case_count": None, "met_count": None, "reported_count": None, "rate_percent": None,
        "rate_lower_percent": None, "rate_upper_percent": None, "rate_band": None, "obs_status": None,
        "disclosure_rule_version": 0,
    }  # fmt: skip
    return row | figures


def group(**figures: Any) -> dict[str, Any]:
    row = {
        "release_period_code": PERIOD, "period_code": PERIOD, "group_kind": "region", "group_code": "R",
        "body_kind": "police", "metric_id": "m", "collection_mode": "census", "sampling_frame": "all_cases",
        "case_count": None, "met_count": None, "disclosure_rule_version": 0,
    }  # fmt: skip
    return row | figures


def member(area: str, kind: str = "region", code: str = "R") -> dict[str, Any]:
    return {
        "release_period_code": PERIOD,
        "period_code": PERIOD,
        "group_kind": kind,
        "group_code": code,
        "area_code": area,
    }


def write(
    folder: Path, tables: Mapping[str, list[dict[str, Any]]], types: Mapping[str, Any] | None = None
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    known = {**FIGURES, **(types or {})}
    for name, rows in tables.items():
        columns = {
            column: pa.array([row[column] for row in rows], type=known.get(column, pa.string()))
            for column in rows[0]
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return folder


def ledger(folder: Path, release: str = RELEASE, earlier: list[LedgerRow] | None = None) -> list[LedgerRow]:
    return ledger_of(folder, release_id=release, rules=RULES, earlier=earlier or [])


def said(rows: list[LedgerRow]) -> dict[str, tuple[str, float | None, float | None]]:
    return {row.column_name: (row.form, row.lower, row.upper) for row in rows}


def test_each_number_of_a_cell_is_a_row_that_says_what_it_says(tmp_path: Path) -> None:
    rows = ledger(write(tmp_path, {"local_compliance": [
        local("A", case_count=130, met_count=60, rate_percent=46, rate_lower_percent=37, rate_upper_percent=55),
    ]}))  # fmt: skip
    assert said(rows) == {
        "case_count": ("rounded", 128, 132),
        "met_count": ("rounded", 58, 62),
        "rate_percent": ("percent", None, None),
        "rate_lower_percent": ("interval", None, None),
        "rate_upper_percent": ("interval", None, None),
    }
    assert {row.cell_id for row in rows if row.form == "rounded"} == {
        "statistic|police|A|m|2025-26-Q1|census|all_cases"
    }
    assert {row.row_key for row in rows} == {"police|A|m|2025-26-Q1|census|all_cases"}


@pytest.mark.parametrize(
    ("figures", "column", "expected"),
    [
        ({"case_count": 10}, "case_count", ("rounded", 8, 12)),
        ({"obs_status": "c"}, "case_count", ("suppressed", 0, 7)),
        ({"unit": "count", "obs_status": "c"}, "reported_count", ("suppressed", 0, 7)),
        ({"unit": "count", "reported_count": 25}, "reported_count", ("rounded", 23, 27)),
        # a count that is no multiple of five was not rounded at all
        ({"case_count": 52}, "case_count", ("rounded", 52, 52)),
        ({"case_count": 40, "rate_band": "70% and over"}, "rate_band", ("open_band_high", 70, None)),
        ({"case_count": 40, "rate_band": "up to 30%"}, "rate_band", ("open_band_low", None, 30)),
        ({"case_count": 20, "rate_band": "under 50%"}, "rate_band", ("closed_band", None, 50)),
        ({"case_count": 30, "rate_band": "50% to 79%"}, "rate_band", ("closed_band", 50, 80)),
        # on 50 cases the open band is "80% and over"; on 30 it is "60% and over", so that this is a closed one
        ({"case_count": 50, "rate_band": "80% and over"}, "rate_band", ("open_band_high", 80, None)),
        ({"case_count": 30, "rate_band": "80% and over"}, "rate_band", ("closed_band", 80, None)),
    ],
)
def test_what_a_figure_says(
    tmp_path: Path, figures: dict[str, Any], column: str, expected: tuple[Any, ...]
) -> None:
    assert said(ledger(write(tmp_path, {"local_compliance": [local("A", **figures)]})))[column] == expected


def test_a_missing_figure_that_is_not_withheld_is_no_number(tmp_path: Path) -> None:
    rows = [local(status, obs_status=status) for status in ("w", "x", "z")]
    assert ledger(write(tmp_path, {"local_compliance": rows})) == []


def test_a_breakdown_needs_more_respondents(tmp_path: Path) -> None:
    row = {"body_kind": "police", "region_code": "R", "item_id": "m", "year_code": "2025-26", "information": "statistic",
           "breakdown": "sex", "breakdown_value": "female", "collection_mode": "census", "sampling_frame": "all",
           "collected_by": "own", "base_count": 10, "good_count": None, "obs_status": "c"}  # fmt: skip
    types = {"base_count": pa.int64(), "good_count": pa.int64()}
    found = said(ledger(write(tmp_path, {"region_breakdowns": [row]}, types)))
    assert found["base_count"] == ("rounded", 10, 12)
    found = said(ledger(write(tmp_path, {"region_breakdowns": [{**row, "base_count": None}]}, types)))
    assert found["base_count"] == ("suppressed", 0, 9)


# ---------------------------------------------------------------------------------------- recomputed


def test_a_sum_of_published_cells_is_worked_out_again(tmp_path: Path) -> None:
    cells = [
        local("A", case_count=100, met_count=60, rate_percent=60),
        local("B", case_count=50, met_count=20, rate_percent=40),
        local("C", case_count=40, rate_band="70% and over", obs_status="c"),
        local("D", case_count=100, met_count=60, rate_percent=60),
    ]
    tables = {
        "local_compliance": cells,
        "area_groups": [member(area) for area in "ABC"],
        "group_compliance": [group(case_count=150, met_count=80)],
    }
    rows = [row for row in ledger(write(tmp_path, tables)) if row.table_name == "group_compliance"]
    assert {row.form for row in rows} == {"sum_of_published"}
    met = next(row for row in rows if row.column_name == "met_count")
    assert met.members == tuple(f"statistic|police|{area}|m|2025-26-Q1|census|all_cases#met" for area in "AB")

    # the withheld 38 of C's cases are in this one: it is a number of its own about all three
    tables["group_compliance"] = [group(case_count=150, met_count=120)]
    rows = [row for row in ledger(write(tmp_path, tables)) if row.table_name == "group_compliance"]
    forms = {row.column_name: (row.form, row.lower, row.upper, len(row.members)) for row in rows}
    assert forms == {
        "case_count": ("sum_of_published", None, None, 2),
        "met_count": ("rounded_sum", 118, 122, 3),
    }


def test_one_sum_of_another_origin_puts_its_whole_column_in_doubt(tmp_path: Path) -> None:
    tables = {
        "local_compliance": [
            local("A", case_count=100, met_count=60),
            local("B", case_count=50, met_count=20),
        ],
        "area_groups": [member("A"), member("B"), member("A", code="S")],
        "group_compliance": [group(met_count=85), group(group_code="S", met_count=60)],
    }
    rows = ledger(write(tmp_path, tables))
    assert {row.form for row in rows if row.table_name == "group_compliance"} == {"rounded_sum"}


def test_a_benchmark_leaves_its_own_area_out(tmp_path: Path) -> None:
    benchmark = {**group(), "area_code": "A", "like_areas_case_count": 50, "like_areas_met_count": 20}
    for name in ("group_kind", "group_code", "case_count", "met_count"):
        benchmark.pop(name)
    tables = {
        "local_compliance": [
            local("A", case_count=100, met_count=60),
            local("B", case_count=50, met_count=20),
        ],
        "area_groups": [member("A", "like_areas", "A"), member("B", "like_areas", "A")],
        "local_benchmarks": [benchmark],
    }
    assert {row.form for row in ledger(write(tmp_path, tables)) if row.table_name == "local_benchmarks"} == {
        "sum_of_published"
    }
    benchmark["like_areas_met_count"] = 25
    rows = [row for row in ledger(write(tmp_path, tables)) if row.column_name == "like_areas_met_count"]
    assert [(row.form, row.members) for row in rows] == [
        ("peers", ("statistic|police|B|m|2025-26-Q1|census|all_cases#met",))
    ]


def test_a_rate_repeated_from_another_table_must_be_the_one_published_there(tmp_path: Path) -> None:
    """A rate of true counts beside the rounded one would tell more than the declaration says."""
    tables = {
        "local_compliance": [local("A", case_count=100, met_count=60, rate_percent=60)],
        "local_benchmarks": [{**local("A"), "rate_percent": 60}],
    }
    for name in ("unit", "case_count", "met_count", "reported_count", "rate_band", "rate_lower_percent",
                 "rate_upper_percent"):  # fmt: skip
        tables["local_benchmarks"][0].pop(name)
    rows = [row for row in ledger(write(tmp_path, tables)) if row.table_name == "local_benchmarks"]
    assert [(row.form, row.value) for row in rows] == [("derived", 60)]
    tables["local_benchmarks"][0]["rate_percent"] = 61
    with pytest.raises(DisclosureError, match="is 61, which is not rate_percent of local_compliance"):
        ledger(write(tmp_path, tables))
    tables["local_compliance"][0]["rate_percent"] = None
    with pytest.raises(DisclosureError, match="which is not rate_percent"):
        ledger(write(tmp_path, tables))


def test_a_rate_of_several_cells_that_their_sums_do_not_give_stops_it(tmp_path: Path) -> None:
    tables = {
        "local_compliance": [local("A", case_count=100, met_count=60)],
        "area_groups": [member("A")],
        "group_compliance": [{**group(case_count=100, met_count=60), "rate_percent": 60}],
    }
    assert {row.form for row in ledger(write(tmp_path, tables)) if row.column_name == "rate_percent"} == {
        "percent"
    }
    tables["group_compliance"][0]["rate_percent"] = 62
    with pytest.raises(DisclosureError, match="made of true counts of several cells"):
        ledger(write(tmp_path, tables))


def test_a_sum_whose_areas_nobody_knows_stops_it(tmp_path: Path) -> None:
    tables = {
        "local_compliance": [local("A", case_count=100, met_count=60)],
        "group_compliance": [group(met_count=60)],
    }
    with pytest.raises(DisclosureError, match="region R in 2025-26-Q1, whose areas were not given"):
        ledger(write(tmp_path, tables))


@pytest.mark.parametrize(
    ("figures", "types", "column", "form"),
    [
        # 61 of 99, not 60 of 100
        ({"rate_percent": 62}, {}, "rate_percent", "percent_of_counts"),
        ({"rate_percent": 61.6}, {"rate_percent": pa.float64()}, "rate_percent", "percent_of_counts"),
        (
            {"rate_lower_percent": round(100 * proportion_confint(61, 99, method="wilson")[0], 2)},
            {"rate_lower_percent": pa.float64()},
            "rate_lower_percent",
            "interval_of_counts",
        ),
    ],
)
def test_a_rate_that_the_rounded_counts_do_not_give_comes_from_true_ones(
    tmp_path: Path, figures: dict[str, Any], types: dict[str, Any], column: str, form: str
) -> None:
    rows = ledger(
        write(tmp_path, {"local_compliance": [local("A", case_count=100, met_count=60, **figures)]}, types)
    )
    assert said(rows)[column][0] == form
    found = audit(rows, [true("statistic|police|A|m|2025-26-Q1|census|all_cases", 99, 61)], [], CRITERIA,
                  rules=RULES, candidate=RELEASE)  # fmt: skip
    assert not found.passes


# ---------------------------------------------------------------------------------------- what stops it


def test_a_table_that_nobody_declared_stops_it(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match=r"ranks\.parquet .* is not declared"):
        ledger(write(tmp_path, {"ranks": [{"area_code": "A"}]}))


@pytest.mark.parametrize("kind", [pa.float64(), pa.int64(), pa.string()])
def test_a_column_that_nobody_declared_stops_it(tmp_path: Path, kind: Any) -> None:
    value = "1.96" if kind == pa.string() else 2
    with pytest.raises(DisclosureError, match=r"not declared: z_score\. Say in published_columns\.yml"):
        ledger(
            write(
                tmp_path, {"local_compliance": [local("A", case_count=20, z_score=value)]}, {"z_score": kind}
            )
        )


def test_a_band_that_the_rules_do_not_know_stops_it(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="'97% and over', a band that the rules do not know"):
        ledger(write(tmp_path, {"local_compliance": [local("A", case_count=100, rate_band="97% and over")]}))


def test_a_sentence_that_says_more_than_its_columns_stops_it(tmp_path: Path) -> None:
    ground = {**local("A"), "notice_id": "N1", "limit_percent": 50, "statement": "under 50%"}
    row = {name: ground[name] for name in ("notice_id", "body_kind", "area_code", "metric_id", "period_code",
           "collection_mode", "sampling_frame", "limit_percent", "statement", "disclosure_rule_version")}  # fmt: skip
    assert said(ledger(write(tmp_path, {"notice_grounds": [row]}))) == {"limit_percent": ("below", None, 50)}
    row["statement"] = "3 of 41 cases"
    with pytest.raises(DisclosureError, match="3 of 41 cases"):
        ledger(write(tmp_path, {"notice_grounds": [row]}))


def test_an_empty_folder_an_unknown_version_and_a_bad_name_stop_it(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="nothing to audit"):
        ledger(tmp_path)
    write(tmp_path, {"local_compliance": [local("A", case_count=20, disclosure_rule_version=3)]})
    with pytest.raises(DisclosureError, match="version 3 of the disclosure rules"):
        ledger(tmp_path)
    with pytest.raises(DisclosureError, match="names no release"):
        ledger(tmp_path, "2025-26-Q1/vnext")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: {t: {key: [a], columns: {a: secret}}}", "must be one of"),
        ("tables: {t: {key: [a], columns: {b: key}}}", "key columns of t"),
        ("tables: {t: {key: [a], columns: {a: {is: derived}}}}", "say from what"),
        ("tables: {t: {key: [a], columns: {a: {is: inequality, says: near}}}}", "below"),
        ("tables: {t: {key: [a], shared: [a], columns: {}}}", "no shared column"),
    ],
)
def test_a_declaration_with_a_fault_stops_it(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "columns.yml"
    path.write_text(text)
    with pytest.raises(DisclosureError, match=message):
        load_declaration(path)


# ---------------------------------------------------------------------------------------- versions, bytes


def test_a_version_adds_what_it_says_anew_and_what_it_takes_back(tmp_path: Path) -> None:
    first = ledger(write(tmp_path / "1", {"local_compliance": [
        local("A", case_count=100, met_count=60), local("B", case_count=50, met_count=25), local("C", case_count=20),
    ]}))  # fmt: skip
    second = ledger(write(tmp_path / "2", {"local_compliance": [
        local("A", case_count=100, met_count=60), local("B", case_count=65, rate_band="80% and over", obs_status="c"),
        local("C", obs_status="c"),
    ]}), REVISION, first)  # fmt: skip
    assert {(row.row_key[7:8], row.column_name, row.form) for row in second} == {
        ("B", "case_count", "rounded"),
        ("B", "met_count", "withheld"),
        ("B", "rate_band", "open_band_high"),
        ("C", "case_count", "suppressed"),
    }
    third = ledger(tmp_path / "2", "2025-26-Q1/v1.2.0", [*first, *second])
    assert third == []


def test_the_same_rows_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    rows = ledger(
        write(tmp_path, {"local_compliance": [local(area, case_count=100, met_count=60) for area in "DBAC"]})
    )
    assert ledger_bytes(rows) == ledger_bytes(rows[::-1])
    (tmp_path / "ledger.bin").write_bytes(ledger_bytes(rows))
    assert read_ledger(tmp_path / "ledger.bin") == rows


def test_wilson_limits_agree_with_statsmodels() -> None:
    rules = Rules(0, 7, 5, 100, 1.959963984540054)
    for part, base in ((60, 130), (5, 100), (0, 40), (95, 95), (1230, 4565)):
        low, high = proportion_confint(part, base, alpha=0.05, method="wilson")
        assert rules.wilson(part, base, "lower") == pytest.approx(100 * low, abs=1e-9)
        assert rules.wilson(part, base, "upper") == pytest.approx(100 * high, abs=1e-9)
