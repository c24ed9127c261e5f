"""All charts by name, as pages call them."""

from __future__ import annotations

from reports.components.bars import bar_chart, dot_chart
from reports.components.funnel import funnel_plot
from reports.components.lines import line_chart
from reports.components.panels import small_multiples
from reports.components.tiles import tile_map

__all__ = ["bar_chart", "dot_chart", "funnel_plot", "line_chart", "small_multiples", "tile_map"]
