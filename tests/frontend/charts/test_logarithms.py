"""Axes of ratios: few round figures, none on another, whatever the range."""

import itertools
import math

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from frontend.charts import logarithms

RATIOS = st.floats(0.002, 500)


@pytest.mark.parametrize(
    ("low", "high", "figures"),
    [
        (0.45, 2.2, [0.5, 0.8, 1, 1.25, 2]),
        (0.78, 1.28, [0.8, 0.9, 1, 1.1, 1.25]),
        (0.9, 3.1, [1, 1.25, 1.5, 2, 3]),
        (0.05, 20, [0.1, 0.3, 1, 3, 10]),
    ],
)
def test_an_axis_is_lettered_at_round_figures(low, high, figures):
    assert logarithms.round_figures(low, high) == figures


def test_an_axis_is_logarithmic_and_lettered_as_the_language_writes():
    axis = logarithms.axis(0.5, 2)
    assert axis["type"] == "log"
    assert axis["range"] == [math.log10(0.5), math.log10(2)]
    assert axis["ticktext"] == ["0.5", "0.8", "1", "1.25", "2"]
    with translation.override("de"):
        assert logarithms.axis(0.5, 2)["ticktext"][0] == "0,5"


@pytest.mark.parametrize("ratios", [[], [1.0], [1.01, 0.99]])
def test_a_narrow_range_is_not_blown_up(ratios):
    low, high = logarithms.reach(ratios)
    assert (round(low, 4), round(high, 4)) == (0.737, 1.3568)


@given(st.lists(RATIOS, max_size=9))
def test_an_axis_shows_everything_and_1(ratios):
    low, high = logarithms.reach(ratios)
    assert all(low < ratio < high for ratio in [1, *ratios])
    figures = logarithms.round_figures(low, high)
    assert 1 in figures
    assert 2 <= len(figures) <= 8
    gaps = [math.log(after / before) for before, after in itertools.pairwise(figures)]
    assert min(gaps) >= logarithms.NEAREST * math.log(high / low)
