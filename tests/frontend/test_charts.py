"""Charts: exact figures, a table that says the same, and nothing that a browser could run."""

import json

import pytest
from django.utils import translation

from frontend import charts
from tests.frontend import test_shell

WORDS = {"title": "North is ahead", "description": "Success rate."}


def test_lots_stand_beside_the_limits_that_hold_for_them():
    rows = [("Score", [-31_000, 4_400]), ("Balance", [0, 499]), ("Region: CA", [1_000, -1_000])]
    chart = charts.love_plot(
        rows, ["North", "South"], limit_ppm=20_000, drawn=2, subject="Measure", **WORDS
    )
    trace, layout = chart["figure_json"]["data"][0], chart["figure_json"]["layout"]
    assert trace["x"] == [-0.031, 0.0044, 0.0, 0.000499]
    assert trace["y"] == ["Score", "Score", "Balance", "Balance"]
    assert sorted(line["x0"] for line in layout["shapes"]) == [-0.02, 0, 0.02]
    assert chart["columns"] == ["Measure", "North", "South"]
    assert chart["rows"] == [
        ["Score", "−0.031", "+0.004"],
        ["Balance", "0.000", "0.000"],
        ["Region: CA", "+0.001", "−0.001"],
    ]


def test_a_distribution_keeps_its_order():
    chart = charts.distribution_bars([("0–90", 1200), ("over 90", 7)], subject="Days", **WORDS)
    assert chart["figure_json"]["data"][0]["y"] == [1200, 7]
    assert chart["rows"] == [["0–90", "1,200"], ["over 90", "7"]]
    assert chart["columns"] == ["Days", "Loans"]


def test_a_waterfall_ends_at_the_sum_of_its_steps():
    steps = [("Gross", 100_000), ("Reversals", -1_050), ("Commission", -22_511)]
    chart = charts.waterfall(steps, total="Net", currency="USD", **WORDS)
    trace = chart["figure_json"]["data"][0]
    assert trace["y"] == [1000.0, -10.5, -225.11, 764.39]
    assert trace["measure"] == ["relative", "relative", "relative", "total"]
    assert chart["rows"][-1] == ["Net", "$764.39"]


def test_months_stand_beside_each_other():
    chart = charts.monthly_bars(
        ["2026-10", "2026-11"],
        [("Reported", [500, 0]), ("Confirmed", [400, 1])],
        currency="JPY",
        **WORDS,
    )
    first, second = chart["figure_json"]["data"]
    assert (first["y"], second["y"]) == ([500, 0], [400, 1])
    assert first["marker"]["pattern"]["shape"] != second["marker"]["pattern"]["shape"]
    assert chart["rows"] == [["2026-10", "¥500", "¥400"], ["2026-11", "¥0", "¥1"]]


def test_axes_abbreviate_only_where_the_language_does():
    def axis():
        chart = charts.distribution_bars([("a", 100)], subject="x", currency="CNY", **WORDS)
        return chart["figure_json"]["layout"]["yaxis"]

    assert (axis()["tickprefix"], axis()["tickformat"]) == ("CN¥", "~s")
    with translation.override("zh-hans"):
        assert (axis()["tickprefix"], axis()["tickformat"]) == ("¥", ",~f")


def test_names_are_drawn_as_they_are_written():
    evil = '<a href="https://x.example">%{x}</a>'
    chart = charts.distribution_bars([(evil, 1)], subject="x", **WORDS)
    label = chart["figure_json"]["data"][0]["x"][0]
    assert "<" not in label
    assert "%{" not in label
    assert chart["rows"][0][0] == evil
    html = test_shell.shown("{% render_chart chart %}", chart={**chart, "title": "</script>"})
    assert evil not in html
    assert "</script>" not in html


def test_a_figure_is_small_plain_data_without_a_theme_of_its_own():
    figure = charts.distribution_bars([("a", 100)], subject="x", **WORDS)["figure_json"]
    assert json.loads(json.dumps(figure)) == figure
    assert not figure["layout"].get("template")
    assert len(json.dumps(figure)) < 2_000


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", [charts.BLUE, charts.VERMILION, charts.GREEN, charts.GREY])
def test_marks_stand_out_from_the_page(theme, colour):
    mark = test_shell.channels(colour.removeprefix("#").lower())
    assert test_shell.contrast(mark, test_shell.tokens(theme)["fp-surface"]) >= 3
