"""What a chart costs above the drawing itself: our layout and words against bare vl_convert of the same spec.

The figures are made up. The first call of vl_convert starts its engine and is left out of the ratios.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from reports.components.charts import bar_chart, funnel_plot, line_chart, small_multiples, tile_map
from reports.components.drawing import VEGA_LITE
from reports.components.figure import Figure
from reports.engine.rows import Rows

COLUMNS = ("area", "quarter", "cases", "rate", "low", "high", "tile_row", "tile_col", "short")
AREAS, QUARTERS = 43, 5


def made_up() -> tuple[Rows, Rows]:
    """Rows of one area over time, and of all areas in one quarter."""
    rows = [
        (
            f"Area {area}",
            f"April to June {2020 + quarter}",
            100 + 37 * area,
            rate := 50 + (7 * area + 11 * quarter) % 45,
            rate - 5,
            rate + 5,
            area // 7,
            area % 7,
            f"A{area}",
        )
        for area in range(AREAS)
        for quarter in range(QUARTERS)
    ]
    return Rows("one", COLUMNS, rows[:QUARTERS]), Rows("all", COLUMNS, rows)


def seconds(call: Callable[[], object], times: int) -> float:
    """Processor time of one call, the middle of several: other work on the machine disturbs it least."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return sorted(taken)[times // 2]


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    times = parser.parse_args().times
    one, every = made_up()
    newest = Rows("newest", COLUMNS, [[cell.value for cell in row.values()] for row in every[::QUARTERS]])
    charts: dict[str, Callable[[], Figure]] = {
        "line_chart": lambda: line_chart(one, "quarter", "rate", lower="low", upper="high", title="T"),
        "bar_chart": lambda: bar_chart(newest, "area", "rate", title="T"),
        "funnel_plot": lambda: funnel_plot(newest, "area", "cases", "rate", title="T"),
        "tile_map": lambda: tile_map(newest, "rate", title="T", label="short", name="area"),
        "small_multiples": lambda: small_multiples(
            every, "area", "quarter", "rate", "low", "high", title="T"
        ),
    }
    import vl_convert

    def drawn(figure: Figure) -> tuple[str, str]:
        return figure.svg_wide, figure.svg_narrow

    start = time.perf_counter()
    spec = charts["line_chart"]().spec
    vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=VEGA_LITE)
    first = time.perf_counter() - start
    line = seconds(lambda: vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=VEGA_LITE), times)
    print(f"first picture of a process: {first / line:.0f} times a later one")
    for name, chart in charts.items():
        own = json.dumps(chart().spec)
        bare = seconds(lambda own=own: vl_convert.vegalite_to_svg(own, vl_version=VEGA_LITE), times)  # type: ignore[misc]
        words = seconds(chart, times)
        both = seconds(lambda chart=chart: drawn(chart()), times)  # type: ignore[misc]
        print(
            f"{name}: bare drawing {bare / line:.1f} times that of a line chart; words, table and layout"
            f" {words / bare:.2f} of it; with both pictures {both / bare:.1f} times"
        )


if __name__ == "__main__":
    main()
