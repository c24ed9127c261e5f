from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.components import words
from reports.components.charts import bar_chart, dot_chart, line_chart, small_multiples, tile_map
from reports.components.reading import Point
from reports.engine.rows import Rows


def points(*rows: tuple[Any, ...]) -> list[Point]:
    """(label, value, lower, upper) or (label, status)."""
    made = []
    for row in rows:
        if isinstance(row[1], str):
            made.append(Point(row[0], None, f"[{row[1]}]", status=row[1]))
        else:
            low, high = (row[2], row[3]) if len(row) > 2 else (None, None)
            made.append(Point(row[0], float(row[1]), f"{row[1]}%", lower=low, upper=high))
    return made


def test_a_line_tells_first_last_highest_lowest_and_what_is_withheld() -> None:
    said = words.line_words(points(("Q1", 60, 55, 65), ("Q2", 70, 66, 74), ("Q3", "c"), ("Q4", 62, 57, 67)))
    assert said == (
        "60% in Q1 and 62% in Q4. There is no detectable change: the two 95% intervals overlap."
        " The highest figure is 70% (Q2), the lowest 60% (Q1)."
        " Of four figures, one is withheld so that nobody can be identified."
    )


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((71, 66, 76), "This is a rise"),
        ((70, 65, 75), "no detectable change"),  # ends that touch overlap
        ((50, 45, 54), "This is a fall"),
        ((50, 46, 55), "no detectable change"),
    ],
)
def test_a_change_is_one_where_intervals_do_not_overlap(
    last: tuple[float, float, float], expected: str
) -> None:
    said = words.line_words(points(("Q1", 60, 55, 65), ("Q2", *last)))
    assert expected in said
    assert ("rise" in said) + ("fall" in said) + ("no detectable" in said) == 1


def test_without_intervals_nothing_is_called_a_change() -> None:
    assert words.line_words(points(("Q1", 10), ("Q2", 90))) == "10% in Q1 and 90% in Q2."


def test_bars_tell_the_middle_one_and_name_up_to_two_that_are_equal() -> None:
    said = words.bar_words(
        points(("A", 10), ("B", 40), ("C", 40), ("D", 20), ("E", 10), ("F", 10), ("G", "w"))
    )
    assert said == (
        "The highest figure is 40% (B and C), the lowest 10% (three of them). The middle lies between 10%"
        " and 20%. Of seven figures, one is not submitted."
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((52, 52, 60, 62), "The middle lies between 52% and 60%."),
        ((52, 55, 60), "The middle figure is 55%."),
        ((40, 55, 55, 62), "The middle figure is 55%."),
    ],
)
def test_the_middle_of_an_even_number_is_between_two(values: tuple[int, ...], expected: str) -> None:
    said = words.bar_words(points(*((f"Area {place}", value) for place, value in enumerate(values))))
    assert expected in said


def test_all_the_same_and_all_withheld_are_said_as_such() -> None:
    assert words.bar_words(points(("A", 10), ("B", 10))) == "Both figures that are given are 10%."
    assert words.bar_words(points(("A", "c"), ("B", "c"))) == (
        "Both figures are withheld so that nobody can be identified."
    )
    assert words.line_words(points(("A", "x"))) == "The figure is not available."


def test_series_that_begin_and_end_together_are_told_together() -> None:
    rows = [
        Point("Q1", 50.0, "50%", series="Kent", lower=45, upper=55),
        Point("Q2", 70.0, "70%", series="Kent", lower=65, upper=75),
        Point("Q1", 30.0, "30%", series="Essex", lower=25, upper=35),
        Point("Q2", 33.0, "33%", series="Essex", lower=28, upper=38),
    ]
    assert words.line_words(rows, series=("Kent", "Essex")) == (
        "In Q1 and in Q2: Kent 50% and 70% (a rise); Essex 30% and 33% (no detectable change)."
    )


COLUMNS = ("area", "quarter", "rate_percent", "low", "high", "row", "col", "short", "obs_status")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.sampled_from([None, None, None, "c", "x", "z", "w"])),
        min_size=1,
        max_size=12,
    )
)
def test_every_figure_that_is_said_stands_in_the_table(drawn: list[tuple[int, str | None]]) -> None:
    rows = Rows(
        "figures",
        COLUMNS,
        [
            (
                f"Area {chr(65 + at)}",
                f"Quarter {chr(65 + at)}",
                None if status else rate,
                None if status else max(0, rate - 5),
                None if status else min(100, rate + 5),
                at // 4,
                at % 4,
                chr(65 + at),
                status,
            )
            for at, (rate, status) in enumerate(drawn)
        ],
    )
    figures = [
        line_chart(rows, "quarter", "rate_percent", lower="low", upper="high", title="T"),
        bar_chart(rows, "area", "rate_percent", title="T"),
        dot_chart(rows, "area", "rate_percent", "low", "high", title="T", highlight="Area A"),
        small_multiples(rows, "area", "quarter", "rate_percent", "low", "high", title="T"),
    ]
    for figure in figures:
        printed = {text for line in figure.table.rows for text in line}
        said = re.sub(r"95% interval|The ax[ei]s starts? at \d+%|The axes start at \d+%", "", figure.sentence)
        assert set(re.findall(r"\d+%", said)) <= printed
        assert not re.search(r"\b(best|worst|rank|league)", figure.sentence)
        hidden = sum(status is not None for _, status in drawn)
        assert (
            any(word in figure.sentence for word in ("withheld", "not available", "not app", "not sub"))
        ) == bool(hidden)


def test_a_map_counts_the_areas_of_each_class() -> None:
    rows = Rows(
        "figures",
        COLUMNS,
        [
            (f"Area {at}", "Q", rate, None, None, at, 0, str(at), status)
            for at, (rate, status) in enumerate(
                [(50, None), (59, None), (60, None), (79, None), (80, None), (100, None), (None, "c")]
            )
        ]
        + [("Far away", "Q", 70, None, None, None, None, "FA", None)],
    )
    said = tile_map(
        rows, "rate_percent", title="T", row="row", column="col", label="short", name="area"
    ).sentence
    # Five classes of ten; 100% closes the last.
    assert said.startswith(
        "Two areas are at 50% to under 60%, one at 60% to under 70%, two at 70% to under 80%,"
        " one at 80% to under 90% and one at 90% to 100%. The highest figure is 100% (Area 5),"
        " the lowest 50% (Area 0)."
    )
    assert "Of eight figures, one is withheld" in said
    assert said.endswith("Far away has no place on the map and stands in the table only.")
