"""Rates with their intervals, side by side."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, wording
from frontend.templatetags import fairplace


def bar_with_interval(
    points: list[dict],
    *,
    title: str,
    description: str,
    subject: str,
    measure: str,
    pooled_ppm: int | None = None,
) -> dict:
    """Rates with their intervals, the highest on top, and the pooled rate as a line.

    `points`: {label, rate_ppm, lower_ppm, upper_ppm, highlight: bool}, in any order; a
    highlighted one (the viewer's own) has another colour and another shape. `subject` and
    `measure` head the table's columns.
    """
    ordered = sorted(points, key=lambda point: (-point["rate_ppm"], point["label"]))
    own = [bool(point.get("highlight")) for point in ordered]
    centres = [wording.per_cent(point["rate_ppm"]) for point in ordered]
    figure = go.Figure(
        go.Scatter(
            x=centres,
            y=[wording.plain(point["label"]) for point in ordered],
            mode="markers",
            marker={
                "size": 10,
                "color": [frame.VERMILION if mine else frame.BLUE for mine in own],
                "symbol": ["diamond" if mine else "circle" for mine in own],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [
                    wording.per_cent(point["upper_ppm"] - point["rate_ppm"]) for point in ordered
                ],
                "arrayminus": [
                    wording.per_cent(point["rate_ppm"] - point["lower_ppm"]) for point in ordered
                ],
                "color": frame.GREY,
                "thickness": 2,
                "width": 5,
            },
            text=[_interval(point) for point in ordered],
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    if pooled_ppm is not None:
        figure.add_vline(
            x=wording.per_cent(pooled_ppm),
            line={"color": frame.GREY, "dash": "dash", "width": 1.5},
            annotation={
                "text": _("all together %(rate)s") % {"rate": fairplace.rate(pooled_ppm, 1)},
                "yshift": 4,
            },
            annotation_position="top",
        )
    figure.update_xaxes(ticksuffix=" %", rangemode="tozero", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(height=frame.FRAME_HEIGHT + frame.ROW_HEIGHT * max(len(ordered), 2))
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[subject, measure, _("Lower limit"), _("Upper limit")],
        rows=[
            [
                point["label"],
                fairplace.rate(point["rate_ppm"], 1),
                fairplace.rate(point["lower_ppm"], 1),
                fairplace.rate(point["upper_ppm"], 1),
            ]
            for point in ordered
        ],
    )


def _interval(point: dict) -> str:
    return _("%(rate)s, between %(lower)s and %(upper)s") % {
        "rate": fairplace.rate(point["rate_ppm"], 1),
        "lower": fairplace.rate(point["lower_ppm"], 1),
        "upper": fairplace.rate(point["upper_ppm"], 1),
    }
