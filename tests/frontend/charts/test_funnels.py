"""The funnel: limits as Spiegelhalter 2005 has them, and who stands where."""

import math

import pytest

from frontend import charts
from frontend.templatetags import fairplace
from tests.frontend.charts import drawn

SPACE = fairplace.NARROW_SPACE
P95, P998 = f"95{SPACE}%", f"99.8{SPACE}%"
STANDING = {
    "within": f"within {P95}",
    "between": f"between {P95} and {P998}",
    "outside": f"outside {P998}",
}


def point(label, ratio, payments, **looks):
    return {
        "label": label,
        "observed_over_expected": ratio,
        "effective_payments": payments,
        **looks,
    }


def ratio_at(deviations, payments=100.0):
    return math.exp(deviations / math.sqrt(payments))


POINTS = [
    point("Inside", ratio_at(1.95), 100.0),
    point("Between", ratio_at(-3.08), 100.0),
    point("Above", ratio_at(3.1), 100.0),
    point("Below", ratio_at(-3.1), 100.0),
    point("You", 1.0, 25.0, highlight=True),
]


def funnel(points=POINTS):
    return charts.funnel(points, subject="Agency", **drawn.WORDS)


def lines(chart, name):
    return [trace for trace in chart["figure_json"]["data"] if trace["name"] == f"{name} limits"]


@pytest.mark.parametrize(("name", "deviations"), [(P95, 1.96), (P998, 3.09)])
def test_limits_are_symmetric_lines_around_1(name, deviations):
    upper, lower = lines(funnel(), name)
    assert upper["x"] == lower["x"] == sorted(upper["x"])
    assert upper["x"][-1] == pytest.approx(106)
    for place, above, below in zip(upper["x"], upper["y"], lower["y"], strict=True):
        assert above == pytest.approx(math.exp(deviations * math.sqrt(1 / place)))
        assert below == pytest.approx(1 / above)


def test_the_inner_limits_come_into_sight_where_they_begin():
    chart = funnel()
    top = 10 ** drawn.layout(chart)["yaxis"]["range"][1]
    assert lines(chart, P95)[0]["y"][0] == pytest.approx(top)


def test_everybody_is_told_where_they_stand():
    chart = funnel()
    assert [row[-1] for row in chart["rows"]] == [
        STANDING[name] for name in ("within", "between", "outside", "outside", "within")
    ]
    assert chart["columns"] == [
        "Agency",
        "Observed ÷ expected",
        "Effective payments",
        "Where it stands",
    ]
    assert chart["rows"][-1] == ["You", "1.00×", "25.0", STANDING["within"]]


def test_who_is_outside_has_another_colour_shape_and_a_name():
    traces = drawn.traces(funnel())
    inside, outside = traces[f"within {P998}"], traces[STANDING["outside"]]
    assert (inside["mode"], inside["marker"]["symbol"]) == ("markers", ["circle", "circle"])
    assert outside["marker"]["symbol"] == ["triangle-up", "triangle-down"]
    assert inside["marker"]["color"] != outside["marker"]["color"]
    assert (outside["mode"], outside["text"]) == ("markers+text", ["Above", "Below"])
    assert traces["your own"]["marker"]["symbol"] == ["diamond"]


def test_ones_own_can_be_outside():
    (*_limits, own) = funnel([point("You", 0.5, 100.0, highlight=True)])["figure_json"]["data"]
    assert own["marker"]["symbol"] == ["triangle-down"]
    assert own["marker"]["color"] == charts.VERMILION


def test_many_names_are_left_to_the_table():
    chart = funnel([point(f"A{place}", 2.0, 100.0 + place) for place in range(7)])
    assert drawn.traces(chart)[STANDING["outside"]]["mode"] == "markers"


def test_ratios_are_logarithmic_and_payments_are_not():
    layout = drawn.layout(funnel())
    assert layout["yaxis"]["type"] == "log"
    assert layout["yaxis"]["range"][0] == pytest.approx(-layout["yaxis"]["range"][1])
    assert "type" not in layout["xaxis"]
    assert layout["shapes"][0]["y0"] == 1


@pytest.mark.parametrize(
    ("ratio", "payments", "figures"),
    [
        (0.0, 50.0, ["0.00×", "50.0"]),
        (1.2, 0.0, ["1.20×", "0.0"]),
        (0, 0, ["0.00×", "0.0"]),
        (None, 0.0, ["–", "0.0"]),
    ],
)
def test_what_has_no_place_is_only_in_the_table(ratio, payments, figures):
    chart = funnel([point("Nothing", ratio, payments)])
    assert chart["figure_json"]["data"] == []
    reason = "not drawn: nothing observed or nothing expected"
    assert chart["rows"] == [["Nothing", *figures, reason]]
    assert drawn.layout(chart)["yaxis"]["type"] == "log"


def test_the_smallest_agency_does_not_flatten_the_others():
    chart = funnel([point("Tiny", 1.0, 0.01), point("Large", 1.1, 900.0)])
    assert 10 ** drawn.layout(chart)["yaxis"]["range"][1] < 5


@pytest.mark.parametrize("payments", [1e-9, 0.3, 1.0, 1e7])
def test_one_point_of_any_size_can_be_drawn(payments):
    chart = funnel([point("Alone", 1.0, payments)])
    assert chart["rows"][0][-1] == STANDING["within"]
    shown = chart["figure_json"]["data"][-1]
    assert (shown["x"], shown["y"]) == ([payments], [1.0])


def test_equal_points_are_all_there():
    assert funnel([point("Same", 1.0, 40.0)] * 3)["figure_json"]["data"][-1]["x"] == [40.0] * 3
    assert funnel([])["rows"] == []


def test_names_are_drawn_as_they_are_written():
    chart = funnel([point(drawn.EVIL, 3.0, 100.0)])
    shown = chart["figure_json"]["data"][-1]
    for text in [*shown["text"], *shown["customdata"]]:
        assert "<" not in text.replace("<br>", "")
        assert "%{" not in text
    assert chart["rows"][0][0] == drawn.EVIL
