"""Indices with their intervals: as ranked, on a logarithmic axis, beside 1."""

import pytest

from frontend import charts
from tests.frontend import test_shell
from tests.frontend.charts import drawn


def point(label="North", index=1.18, low=1.1, high=1.3, **looks):
    return {"label": label, "index": index, "low": low, "high": high, **looks}


POINTS = [
    point(),
    point("You", 1.0, 0.8, 1.25, highlight=True),
    point("New", 1.1, 0.5, 2.0, muted=True),
    point("South", 0.85, 0.8, 0.9),
]


def caterpillar(points=POINTS):
    return charts.caterpillar(points, subject="Agency", **drawn.WORDS)


def test_points_stand_in_the_order_of_the_ranking():
    chart = caterpillar()
    axis = drawn.layout(chart)["yaxis"]
    assert axis["ticktext"] == ["North", "You", "New", "South"]
    assert axis["range"] == [3.5, -0.5]
    assert {name: trace["y"] for name, trace in drawn.traces(chart).items()} == {
        "ranked": [0, 3],
        "your own": [1],
        "without a place": [2],
    }


def test_intervals_are_exact():
    trace = drawn.traces(caterpillar())["ranked"]
    assert trace["x"] == [1.18, 0.85]
    assert trace["error_x"]["array"] == pytest.approx([0.12, 0.05])
    assert trace["error_x"]["arrayminus"] == pytest.approx([0.08, 0.05])


def test_ones_own_and_the_provisional_look_different_without_colours():
    traces = drawn.traces(caterpillar())
    assert traces["ranked"]["marker"]["symbol"] == ["circle", "circle"]
    assert traces["your own"]["marker"]["symbol"] == ["diamond"]
    assert traces["your own"]["marker"]["color"] == charts.VERMILION
    muted = traces["without a place"]["marker"]
    assert (muted["symbol"], muted["color"]) == (["circle-open"], charts.GREY)


def test_ones_own_may_be_provisional():
    chart = caterpillar([point("You", highlight=True, muted=True)])
    assert drawn.traces(chart)["your own"]["marker"]["symbol"] == ["diamond-open"]
    assert chart["rows"][0][-1] == "your own, without a place"


def test_the_axis_is_logarithmic_and_the_line_is_at_1():
    layout = drawn.layout(caterpillar())
    assert layout["xaxis"]["type"] == "log"
    assert layout["xaxis"]["tickvals"] == [0.5, 0.8, 1, 1.25, 2]
    line, words = layout["shapes"][0], layout["annotations"][0]
    assert (line["x0"], line["x1"], line["line"]["dash"]) == (1, 1, "dash")
    assert (words["x"], words["text"]) == (0, "as expected")


def test_the_table_says_the_same_in_words():
    chart = caterpillar()
    assert chart["columns"] == ["Agency", "Index", "Lower limit", "Upper limit", "Standing"]
    assert chart["rows"][:2] == [
        ["North", "1.18×", "1.10×", "1.30×", "ranked"],
        ["You", "1.00×", "0.80×", "1.25×", "your own"],
    ]
    assert drawn.traces(chart)["your own"]["text"] == ["You<br>1.00×, between 0.80× and 1.25×"]


def test_an_interval_that_reaches_0_ends_where_the_axis_does():
    chart = caterpillar([point(index=1.0, low=0.0, high=2.0)])
    (trace,) = chart["figure_json"]["data"]
    left = 10 ** drawn.layout(chart)["xaxis"]["range"][0]
    assert trace["x"][0] - trace["error_x"]["arrayminus"][0] == pytest.approx(left)


@pytest.mark.parametrize("index", [0, None])
def test_an_index_without_a_logarithm_is_only_in_the_table(index):
    chart = caterpillar([point("Nothing", index, index, index, muted=True), point()])
    assert drawn.layout(chart)["yaxis"]["ticktext"] == ["North"]
    assert [row[0] for row in chart["rows"]] == ["Nothing", "North"]


def test_one_point_needs_no_legend_and_none_no_points():
    assert drawn.layout(caterpillar([point()]))["showlegend"] is False
    empty = caterpillar([])
    assert empty["rows"] == empty["figure_json"]["data"] == []


def test_equal_points_and_equal_names_stay_apart():
    chart = caterpillar([point()] * 3)
    assert drawn.traces(chart)["ranked"]["y"] == [0, 1, 2]
    assert drawn.layout(chart)["yaxis"]["ticktext"] == ["North"] * 3
    assert len(chart["rows"]) == 3


def test_names_are_drawn_as_they_are_written():
    chart = caterpillar([point(drawn.EVIL)])
    texts = [*drawn.layout(chart)["yaxis"]["ticktext"], *chart["figure_json"]["data"][0]["text"]]
    for text in texts:
        assert "<" not in text.replace("<br>", "")
        assert "%{" not in text
    html = test_shell.shown("{% render_chart chart %}", chart=chart)
    assert "<a href" not in html


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Northern Recovery Solutions Limited", "Northern Recovery<br>Solutions Limited"),
        (
            "Northern Recovery Solutions Limited & Sons",
            "Northern Recovery<br>Solutions Limited &amp;…",
        ),
        ("Unwiederbringlichkeitsforderungen", "Unwiederbringlichkei<br>tsforderungen"),
        ("浙江诚信信用管理咨询服务有限公司", "浙江诚信信用管理咨询<br>服务有限公司"),
        ("", ""),
    ],
)
def test_long_names_leave_room_for_the_drawing(name, shown):
    assert drawn.layout(caterpillar([point(name)]))["yaxis"]["ticktext"] == [shown]
