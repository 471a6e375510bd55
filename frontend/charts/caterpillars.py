"""Indices with their intervals, in the order of a ranking."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, logarithms, wording

OWN, RANKED, MUTED = "own", "ranked", "muted"
COLOURS = {RANKED: frame.BLUE, OWN: frame.VERMILION, MUTED: frame.GREY}
SHAPES = {RANKED: "circle", OWN: "diamond", MUTED: "circle"}


def caterpillar(points: list[dict], *, title: str, description: str, subject: str) -> dict:
    """Indices with 95 % intervals beside 1, what was to be expected; the first on top.

    `points`: {label, index, low, high, highlight: bool, muted: bool} as ranked; index, low and
    high are ratios. The highlighted one is the viewer's own; muted ones, provisional or with too
    little data, are hollow. The axis is logarithmic; an index that is not positive or not known is
    only in the table. `subject` heads the labels. Goldstein and Healy 1995, Journal of the Royal
    Statistical Society A 158, 175–177.
    """
    drawn = [point for point in points if point["index"] and point["index"] > 0]
    bounds = [bound for point in drawn for bound in _bounds(point) if bound > 0]
    low, high = logarithms.reach(bounds)
    figure = go.Figure()
    for kind, name in _kinds().items():
        places = [place for place, point in enumerate(drawn) if _kind(point) == kind]
        if places:
            figure.add_trace(_marks(drawn, places, kind, name, low))
    _draw_one(figure)
    figure.update_xaxes(**logarithms.axis(low, high))
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(drawn))),
        ticktext=[wording.axis_label(point["label"]) for point in drawn],
        range=[max(len(drawn), 1) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    frame.legend_below(figure, shown=len(figure.data) > 1)
    figure.update_layout(height=frame.FRAME_HEIGHT + frame.ROW_HEIGHT * max(len(drawn), 2))
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[subject, _("Index"), _("Lower limit"), _("Upper limit"), _("Standing")],
        rows=[_row(point) for point in points],
    )


def _draw_one(figure: go.Figure) -> None:
    """The line at 1. Plotly places its words by the logarithm, unlike the line itself."""
    figure.add_vline(x=1, line={"color": frame.GREY, "dash": "dash", "width": 1.5})
    figure.add_annotation(
        text=_("as expected"),
        x=0,
        y=1,
        yref="paper",
        yanchor="bottom",
        yshift=2,
        showarrow=False,
    )


def _marks(drawn: list[dict], places: list[int], kind: str, name: str, lowest: float) -> go.Scatter:
    """The points of one kind; an interval that reaches down to 0 ends where the axis does."""
    points = [drawn[place] for place in places]
    bounds = [_bounds(point) for point in points]
    hollow = [bool(point.get("muted")) for point in points]
    return go.Scatter(
        name=name,
        x=[float(point["index"]) for point in points],
        y=places,
        mode="markers",
        marker={
            "size": 12 if kind == OWN else 10,
            "color": COLOURS[kind],
            "symbol": [SHAPES[kind] + ("-open" if is_hollow else "") for is_hollow in hollow],
            "line": {"width": [2 if is_hollow else 0 for is_hollow in hollow]},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - index for _low, index, high in bounds],
            "arrayminus": [index - max(low, lowest) for low, index, _high in bounds],
            "color": frame.GREY,
            "thickness": 2,
            "width": 5,
        },
        text=[f"{wording.plain(point['label'])}<br>{_words(point)}" for point in points],
        hovertemplate="%{text}<extra></extra>",
    )


def _bounds(point: dict) -> tuple[float, float, float]:
    return float(point["low"]), float(point["index"]), float(point["high"])


def _kinds() -> dict[str, str]:
    """What each kind of point is called, in the order of the legend."""
    return {
        RANKED: _("ranked"),
        OWN: _("your own"),
        MUTED: _("without a place"),
    }


def _kind(point: dict) -> str:
    if point.get("highlight"):
        return OWN
    return MUTED if point.get("muted") else RANKED


def _words(point: dict) -> str:
    return _("%(index)s, between %(low)s and %(high)s") % {
        name: wording.times(point[name]) for name in ("index", "low", "high")
    }


def _row(point: dict) -> list[str]:
    figures = [wording.times(point[name]) for name in ("index", "low", "high")]
    return [point["label"], *figures, _standing(point)]


def _standing(point: dict) -> str:
    if point.get("highlight") and point.get("muted"):
        return _("your own, without a place")
    return _kinds()[_kind(point)]
