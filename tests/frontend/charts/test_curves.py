"""Liquidation against what was expected: exact per cents, gaps, and who is who."""

import pytest

from frontend import charts
from frontend.templatetags import fairplace
from tests.frontend.charts import drawn

SPACE = fairplace.NARROW_SPACE
NORTH = ("North", [10_000, 25_500, None], "observed")
NORTH_EXPECTED = ("North, expected", [12_000, 20_000, 26_000], "expected")
SOUTH = ("South", [None, 9_000, None], "observed")


def curves(*series, months=(1, 2, 3)):
    return charts.cumulative_curves(list(months), list(series), **drawn.WORDS)


def test_rates_are_drawn_in_per_cent_by_month():
    north, expected = curves(NORTH, NORTH_EXPECTED)["figure_json"]["data"]
    assert (north["x"], north["y"]) == ([1, 2, 3], [1.0, 2.55, None])
    assert expected["y"] == [1.2, 2.0, 2.6]
    assert north["connectgaps"] is False


def test_what_was_expected_is_grey_and_broken_and_agencies_differ():
    traces = drawn.traces(
        curves(NORTH, NORTH_EXPECTED, SOUTH, ("South, expected", [1] * 3, "expected"))
    )
    lines = {
        name: (trace["line"]["color"], trace["line"]["dash"]) for name, trace in traces.items()
    }
    assert lines == {
        "North": (charts.BLUE, "solid"),
        "North, expected": (charts.GREY, "dash"),
        "South": (charts.VERMILION, "solid"),
        "South, expected": (charts.GREY, "dot"),
    }
    assert traces["North"]["marker"]["symbol"] != traces["South"]["marker"]["symbol"]


def test_the_table_has_every_month_and_says_what_is_not_known():
    chart = curves(NORTH, NORTH_EXPECTED)
    assert chart["columns"] == ["Month on book", "North", "North, expected"]
    assert chart["rows"] == [
        ["1", f"1.0{SPACE}%", f"1.2{SPACE}%"],
        ["2", f"2.6{SPACE}%", f"2.0{SPACE}%"],
        ["3", "–", f"2.6{SPACE}%"],
    ]


def test_a_month_alone_is_a_point():
    (expected,) = curves(("E", [None, 9_000, None], "expected"))["figure_json"]["data"]
    assert expected["marker"]["size"] == [0, 6, 0]
    (single,) = curves(("E", [9_000], "expected"), months=[1])["figure_json"]["data"]
    assert single["marker"]["size"] == [6]
    (line,) = curves(NORTH_EXPECTED)["figure_json"]["data"]
    assert line["marker"]["size"] == [0, 0, 0]


def test_more_than_two_of_a_kind_are_refused():
    with pytest.raises(ValueError, match="two curves that are observed"):
        curves(NORTH, SOUTH, NORTH)


def test_nothing_and_equal_curves_can_be_drawn():
    assert curves(months=[])["rows"] == []
    first, second = curves(NORTH, NORTH)["figure_json"]["data"]
    assert first["y"] == second["y"]


@pytest.mark.parametrize(
    ("count", "between"), [(1, 1), (12, 1), (13, 3), (24, 3), (60, 6), (999, 60)]
)
def test_not_more_months_are_lettered_than_have_room(count, between):
    chart = curves(("N", [1] * count, "observed"), months=range(1, count + 1))
    assert drawn.layout(chart)["xaxis"]["dtick"] == between


def test_names_are_drawn_as_they_are_written():
    chart = curves((drawn.EVIL, [1, 2, 3], "observed"))
    trace = chart["figure_json"]["data"][0]
    assert "<" not in trace["name"]
    assert "<a" not in trace["hovertemplate"]
    assert "%{x}</a" not in trace["hovertemplate"]
    assert chart["columns"][1] == drawn.EVIL
