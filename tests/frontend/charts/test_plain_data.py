"""Figures of the ranking are plain JSON numbers, also where what is drawn comes from arrays."""

import json

import numpy as np
import pytest

from frontend import charts
from tests.frontend.charts import drawn

RATIOS = np.linspace(0.5, 2, 12)


def caterpillar():
    points = [
        {"label": "A", "index": ratio, "low": ratio * 0.9, "high": ratio * 1.1} for ratio in RATIOS
    ]
    return charts.caterpillar(points, subject="Agency", **drawn.WORDS)


def funnel():
    points = [
        {"label": "A", "observed_over_expected": ratio, "effective_payments": 40 * ratio}
        for ratio in RATIOS
    ]
    return charts.funnel(points, subject="Agency", **drawn.WORDS)


def curves():
    months = np.arange(1, 13)
    rates = (1_000 * months).tolist()
    series = [("A", rates, "observed"), ("B", rates, "expected")]
    return charts.cumulative_curves(months, series, **drawn.WORDS)


@pytest.mark.parametrize("draw", [caterpillar, funnel, curves])
def test_no_number_is_packed(draw):
    figure = draw()["figure_json"]
    found = list(drawn.numbers_and_keys(figure))
    assert "bdata" not in found
    assert "dtype" not in found
    assert len([value for value in found if isinstance(value, int | float)]) > 24
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure


@pytest.mark.parametrize("draw", [caterpillar, funnel, curves])
def test_only_scatter_is_drawn(draw):
    """Plotly's finance bundle, which pages load, has few kinds of traces."""
    assert {trace["type"] for trace in draw()["figure_json"]["data"]} == {"scatter"}


@pytest.mark.parametrize("draw", [caterpillar, funnel, curves])
def test_a_figure_has_no_theme_of_its_own(draw):
    assert not draw()["figure_json"]["layout"].get("template")
