"""Observed over expected against how much there was to go by, inside the limits of chance."""

import math

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, logarithms, wording
from frontend.templatetags import fairplace

# How many standard deviations enclose how much of a normal distribution.
WARNING, WARNING_PPM = 1.96, 950_000
ALARM, ALARM_PPM = 3.09, 998_000
STEPS = 60
# How far from 1, as logarithms, the axis of ratios goes for the sake of a limit: for that of the
# agency with the fewest payments, and for that of the one with the most, without which no limit
# would be in sight.
FARTHEST_FOR_FEWEST, FARTHEST_FOR_MOST = math.log(4), math.log(1_000)
FARTHEST_OF_NOBODY = math.log(2)
# More names than this would stand on one another; the table has all.
MOST_NAMES = 6

INSIDE, OUTSIDE, OWN = "inside", "outside", "own"
COLOURS = {INSIDE: frame.BLUE, OUTSIDE: frame.GREEN, OWN: frame.VERMILION}


def funnel(points: list[dict], *, title: str, description: str, subject: str) -> dict:
    """Unshrunk ratios against effective expected payments, with limits around 1.

    `points`: {label, observed_over_expected, effective_payments, highlight: bool}, both figures
    without a unit. The limits exp(±z·√(1/x)) enclose 95 % (z = 1.96) and 99.8 % (z = 3.09) of what
    chance does to an agency that is just as expected; who is beyond 99.8 % has another colour and
    shape. The ratio's axis is logarithmic; what has no logarithm is only in the table. `subject`
    heads the labels. Spiegelhalter 2005, Statistics in Medicine 24, 1185–1202.
    """
    drawn = [point for point in points if _can_be_drawn(point)]
    figure = go.Figure()
    farthest = _farthest(drawn)
    if drawn:
        _draw_limits(figure, farthest, max(point["effective_payments"] for point in drawn))
        _draw_points(figure, drawn)
    figure.update_xaxes(
        title=frame.axis_title(_("Effective expected payments")),
        rangemode="tozero",
        zeroline=False,
    )
    figure.update_yaxes(
        title=frame.axis_title(_("Observed ÷ expected")),
        **logarithms.axis(math.exp(-farthest), math.exp(farthest)),
    )
    figure.add_hline(y=1, line={"color": frame.GREY, "width": 1})
    frame.legend_below(figure, shown=bool(drawn))
    figure.update_layout(height=frame.HEIGHT + 100)
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[
            subject,
            _("Observed ÷ expected"),
            _("Effective payments"),
            _("Where it stands"),
        ],
        rows=[
            [
                point["label"],
                wording.times(point["observed_over_expected"]),
                fairplace.decimal(point["effective_payments"], 1),
                _standing(point),
            ]
            for point in points
        ],
    )


def is_outside(point: dict) -> bool:
    """Whether a point lies outside of the outer limits, where chance alone hardly puts anybody."""
    return _can_be_drawn(point) and _deviations(point) > ALARM


def _can_be_drawn(point: dict) -> bool:
    """Whether both figures are known and positive."""
    return (point["effective_payments"] or 0) > 0 and (point["observed_over_expected"] or 0) > 0


def _deviations(point: dict) -> float:
    """How many standard deviations of chance the logarithm of the ratio is away from 0."""
    return abs(math.log(point["observed_over_expected"])) * math.sqrt(point["effective_payments"])


def _limit(deviations: float, effective_payments: float) -> float:
    """The logarithm of the upper limit; the lower one is the same below 0."""
    return deviations / math.sqrt(effective_payments)


def _farthest(drawn: list[dict]) -> float:
    """How far the axis of ratios goes from 1, as a logarithm: all points, and limits to see."""
    if not drawn:
        return FARTHEST_OF_NOBODY
    payments = [point["effective_payments"] for point in drawn]
    reached = [abs(math.log(point["observed_over_expected"])) for point in drawn]
    fewest = min(_limit(ALARM, min(payments)), FARTHEST_FOR_FEWEST)
    most = min(_limit(ALARM, max(payments)), FARTHEST_FOR_MOST)
    return 1.08 * max(*reached, fewest, most)


def _draw_limits(figure: go.Figure, farthest: float, most: float) -> None:
    """Both pairs of lines, from where the inner one comes into sight to a little after `most`.

    The places lie closer where the lines bend more. Far out of sight the lines are flat, because
    the ratio itself would be too large for a number.
    """
    start, end = min((WARNING / farthest) ** 2, most), 1.06 * most
    places = [start * (end / start) ** (step / STEPS) for step in range(STEPS + 1)]
    for deviations, name, dash in (
        (WARNING, _("%(share)s limits") % {"share": fairplace.rate(WARNING_PPM)}, "dot"),
        (ALARM, _("%(share)s limits") % {"share": fairplace.rate(ALARM_PPM)}, "solid"),
    ):
        for side in (1, -1):
            figure.add_trace(
                go.Scatter(
                    name=name,
                    legendgroup=name,
                    showlegend=side == 1,
                    x=places,
                    y=[
                        math.exp(side * min(_limit(deviations, place), 2 * farthest))
                        for place in places
                    ],
                    mode="lines",
                    line={"color": frame.GREY, "width": 1.5, "dash": dash},
                    hoverinfo="skip",
                )
            )


def _draw_points(figure: go.Figure, drawn: list[dict]) -> None:
    names = {INSIDE: _within(ALARM_PPM), OUTSIDE: _outside(), OWN: _("your own")}
    told = [point for point in drawn if _kind(point) != INSIDE]
    widest = max(point["effective_payments"] for point in drawn)
    for kind, name in names.items():
        points = [point for point in drawn if _kind(point) == kind]
        if not points:
            continue
        is_named = kind != INSIDE and len(told) <= MOST_NAMES
        figure.add_trace(
            go.Scatter(
                name=name,
                x=[float(point["effective_payments"]) for point in points],
                y=[float(point["observed_over_expected"]) for point in points],
                mode="markers+text" if is_named else "markers",
                marker={
                    "size": 12 if kind == OWN else 10,
                    "color": COLOURS[kind],
                    "symbol": [_shape(point) for point in points],
                },
                text=[wording.axis_label(point["label"]) for point in points],
                textposition=[
                    "middle left" if 2 * point["effective_payments"] > widest else "middle right"
                    for point in points
                ],
                cliponaxis=False,
                customdata=[_words(point) for point in points],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )


def _kind(point: dict) -> str:
    if point.get("highlight"):
        return OWN
    return OUTSIDE if _deviations(point) > ALARM else INSIDE


def _shape(point: dict) -> str:
    """Outside a triangle that points away from 1, inside a circle or, one's own, a diamond."""
    if _deviations(point) > ALARM:
        return "triangle-up" if point["observed_over_expected"] > 1 else "triangle-down"
    return "diamond" if point.get("highlight") else "circle"


def _standing(point: dict) -> str:
    if not _can_be_drawn(point):
        return _("not drawn: nothing observed or nothing expected")
    if _deviations(point) > ALARM:
        return _outside()
    if _deviations(point) > WARNING:
        return _("between %(low)s and %(high)s") % {
            "low": fairplace.rate(WARNING_PPM),
            "high": fairplace.rate(ALARM_PPM),
        }
    return _within(WARNING_PPM)


def _within(share_ppm: int) -> str:
    return _("within %(share)s") % {"share": fairplace.rate(share_ppm)}


def _outside() -> str:
    return _("outside %(share)s") % {"share": fairplace.rate(ALARM_PPM)}


def _words(point: dict) -> str:
    ratio, payments = point["observed_over_expected"], point["effective_payments"]
    lines = [
        wording.plain(point["label"]),
        _("%(ratio)s of expected, %(payments)s effective payments")
        % {"ratio": wording.times(ratio), "payments": fairplace.decimal(payments, 1)},
        _standing(point),
    ]
    return "<br>".join(lines)
