"""Charts: the only importer of plotly. Plain data in, a chart out that also reads as a table.

A chart is a dict for `{% render_chart chart %}`: `title` states the finding, `description` says in
a sentence what is drawn, `figure_json` is Plotly's figure as plain data, `columns` and `rows` are
the same figures in words. One file makes one kind of chart. `shaded_table` is no drawing: its dict
is for `{% render_shaded chart %}`.
"""

from frontend.charts.caterpillars import caterpillar
from frontend.charts.counts import lying_bars
from frontend.charts.curves import cumulative_curves
from frontend.charts.differences import love_plot
from frontend.charts.distributions import distribution_bars
from frontend.charts.frame import BLUE, GREEN, GREY, VERMILION
from frontend.charts.funnels import funnel
from frontend.charts.months import monthly_bars
from frontend.charts.shaded_tables import shaded_table
from frontend.charts.waterfalls import waterfall

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "VERMILION",
    "caterpillar",
    "cumulative_curves",
    "distribution_bars",
    "funnel",
    "love_plot",
    "lying_bars",
    "monthly_bars",
    "shaded_table",
    "waterfall",
]
