"""Axes of ratios: logarithmic, so that half as much is as far from 1 as twice as much."""

import math
from collections.abc import Iterable

from babel import numbers

from frontend.templatetags import fairplace

# Round figures in the order in which they are wanted on an axis.
ROUND_FIGURES = (
    *(1, 10, 0.1, 100, 0.01, 1_000, 0.001),
    *(2, 0.5, 5, 0.2, 20, 0.05, 50, 0.02),
    *(1.25, 0.8, 1.5, 3, 0.3, 1.1, 0.9, 1.05, 0.95, 30, 0.03),
)
# Nearer to each other than this share of the axis, two figures run together on a phone.
NEAREST = 0.14
LEAST_REACH = 1.28
PADDING = 1.06


def reach(ratios: Iterable[float]) -> tuple[float, float]:
    """Between which ratios an axis goes that shows all of `ratios` (positive) and 1."""
    shown = [1.0, *ratios]
    low, high = min(shown), max(shown)
    if high / low < LEAST_REACH**2:
        low, high = min(low, 1 / LEAST_REACH), max(high, LEAST_REACH)
    return low / PADDING, high * PADDING


def axis(low: float, high: float) -> dict:
    """A logarithmic axis between two positive ratios, lettered at few round figures."""
    ticks = round_figures(low, high)
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [numbers.format_decimal(tick, locale=fairplace.locale()) for tick in ticks],
        "tickangle": 0,
        "zeroline": False,
    }


def round_figures(low: float, high: float) -> list[float]:
    """The round figures between `low` and `high` that have room, ascending."""
    room = NEAREST * math.log(high / low)
    found: list[float] = []
    for figure in ROUND_FIGURES:
        apart = all(abs(math.log(figure / other)) >= room for other in found)
        if low <= figure <= high and apart:
            found.append(figure)
    return sorted(found)
