"""What a page may show of a query: charts, tables, big values. Each says the same in words, table and CSV.

Belongs here: rows in, `Figure` or HTML out. Does not: reading data, or where a file
is put (the engine does both).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reports.components.charts import (
    bar_chart,
    dot_chart,
    funnel_plot,
    line_chart,
    small_multiples,
    tile_map,
)
from reports.components.figure import Figure
from reports.components.html import figure_csv, figure_html
from reports.components.reading import ComponentError
from reports.components.tables import DataTable, data_table
from reports.components.text import plain
from reports.components.values import big_value, sparkline, value

#: What pages call, by name. Charts return a `Figure`, the others finished HTML.
COMPONENTS: Mapping[str, Callable[..., Any]] = {
    "line_chart": line_chart,
    "bar_chart": bar_chart,
    "dot_chart": dot_chart,
    "funnel_plot": funnel_plot,
    "small_multiples": small_multiples,
    "tile_map": tile_map,
    "sparkline": sparkline,
    "data_table": data_table,
    "big_value": big_value,
    "value": value,
}

__all__ = ["COMPONENTS", "ComponentError", "DataTable", "Figure", "figure_csv", "figure_html", "plain"]
