"""Rules 1 to 4 of disclosure control, cell by cell, over every small table and against the rules as written down."""

from __future__ import annotations

import pytest

from tests.warehouse.rendering import build, database, seed, table

LARGEST = 240
Cells = list[tuple[int, int, dict[str, object]]]


@pytest.fixture(scope="module")
def cells() -> Cells:
    """(met, cases, published row) for every table of up to LARGEST cases."""
    con = database()
    con.execute(
        "create table intermediate.int_quarters as select 'q' as period_code, 'Quarter' as period_label,"
        " date '2025-06-30' as last_day"
    )
    seed(con, "disclosure_rules", effective_from="date", effective_to="date")
    seed(con, "body_kinds")
    seed(con, "areas", valid_from="date", valid_to="date")
    seed(con, "metric_links", valid_from="date", valid_to="date")
    table(con, "int_expected_items", {"period_code": "varchar", "body_kind": "varchar", "metric_id": "varchar", "definition": "varchar"},
          [("q", "police", "m", "A metric")])  # fmt: skip
    con.execute(
        "create table marts.local_area_compliance as select 'police' as body_kind, x || '/' || n as pfa_code,"
        " 'm' as metric_id, 'q' as period_code, 'census' as collection_mode, 'all_cases' as sampling_frame,"
        " 'Area' as area_name, 4 as right_number, 'proportion' as unit, 'reported' as figure_status,"
        " x as met_count, n as case_count, cast(null as bigint) as reported_count"
        f" from range(0, {LARGEST + 1}) as bases(n), range(0, {LARGEST + 1}) as counts(x) where x <= n"
    )
    build(con, "open_data_local_compliance")
    result = con.execute(
        "select area_code, case_count, met_count, rate_percent, rate_is_about, rate_band, obs_status"
        " from marts.open_data_local_compliance"
    )
    names = [column[0] for column in result.description]
    rows = []
    for row in result.fetchall():
        x, n = (int(part) for part in row[0].split("/"))
        rows.append((x, n, dict(zip(names, row, strict=True))))
    assert len(rows) == (LARGEST + 1) * (LARGEST + 2) // 2
    return rows


def nearest_five(value: int) -> int:
    return 5 * round(value / 5)


def test_no_small_count_and_no_unrounded_count_is_published(cells: Cells) -> None:
    for x, n, row in cells:
        for count, published in ((n, row["case_count"]), (x, row["met_count"])):
            if published is not None:
                assert count > 7 and published == nearest_five(count), (x, n)


def test_met_cases_are_withheld_where_either_side_is_small(cells: Cells) -> None:
    for x, n, row in cells:
        if x <= 7 or n - x <= 7:
            assert row["met_count"] is None and row["rate_percent"] is None, (x, n)


def test_rates_come_from_rounded_counts(cells: Cells) -> None:
    seen = {True: 0, False: 0}
    for x, n, row in cells:
        base = nearest_five(n)
        if row["rate_percent"] is None:
            continue
        rate = 100 * nearest_five(x) / base
        is_about = base < 100
        assert row["rate_is_about"] is is_about
        assert abs(row["rate_percent"] - rate) <= (5 if is_about else 0.5), (x, n)
        assert row["rate_percent"] % (10 if is_about else 1) == 0
        assert base >= 40, (x, n)
        seen[is_about] += 1
    assert all(seen.values())


def test_every_band_holds_the_true_rate(cells: Cells) -> None:
    bands = set()
    for x, n, row in cells:
        band = row["rate_band"]
        if band is None:
            continue
        bands.add(band)
        rate, text = 100 * x / n, str(band)
        limits = [int(part) for part in text.replace("%", "").split() if part.isdigit()]
        if text.endswith("and over"):
            assert rate >= limits[0], (x, n, band)
        elif text.startswith(("under", "up to")):
            assert rate <= limits[0], (x, n, band)
        else:
            assert limits[0] <= rate < limits[1] + 1, (x, n, band)
    assert {"under 50%", "50% to 79%", "80% and over", "95% and over", "up to 5%"} <= bands


def test_what_is_published_of_a_cell_leaves_its_counts_open(cells: Cells) -> None:
    """The audit's pass mark, for one cell by itself: all tables with the same public row, by brute force."""
    public: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for x, n, row in cells:
        # near the largest base some of the tables behind a public row are not in the list
        if n <= LARGEST - 5:
            key = tuple(
                row[name] for name in ("case_count", "met_count", "rate_percent", "rate_band", "obs_status")
            )
            public.setdefault(key, []).append((x, n))
    complete = {key: tables for key, tables in public.items() if key[0] is None or key[0] <= LARGEST - 10}
    assert len(complete) > 500
    for key, tables in complete.items():
        for protected in ({x for x, _ in tables}, {n - x for x, n in tables}, {n for _, n in tables}):
            assert len(protected) >= 3, (key, sorted(protected))
            if min(protected) <= 7:
                assert len(protected) >= 4 and max(protected) >= 3, (key, sorted(protected))


def test_every_empty_cell_says_why(cells: Cells) -> None:
    for x, n, row in cells:
        assert (row["obs_status"] is None) == (row["rate_percent"] is not None), (x, n)
        assert row["obs_status"] in (None, "c")


def test_the_rules_have_somewhere_to_bite(cells: Cells) -> None:
    published = [row for *_, row in cells if row["rate_percent"] is not None]
    assert 0 < len(published) < len(cells)
