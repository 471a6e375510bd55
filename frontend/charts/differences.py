"""How the lots of a draw differ from one another."""

import plotly.graph_objects as go

from frontend.charts import frame, wording
from frontend.templatetags import fairplace

PPM = 1_000_000


def love_plot(
    rows: list[tuple[str, list[int]]],
    lots: list[str],
    *,
    limit_ppm: int,
    drawn: int,
    title: str,
    description: str,
    subject: str,
) -> dict:
    """How lots differ from the rest: (measure, a difference per lot), the largest on top.

    Differences and the limit, drawn as two lines, are parts per million of a standard deviation.
    The first `drawn` measures are drawn, the table has all. Love 2004.
    """
    shown = rows[:drawn]
    figure = go.Figure(
        go.Scatter(
            x=[ppm / PPM for _label, differences in shown for ppm in differences],
            y=[wording.plain(label) for label, differences in shown for _ppm in differences],
            mode="markers",
            marker={"size": 9, "color": frame.BLUE, "opacity": 0.75},
            text=[
                f"{wording.plain(lot)}: {_difference(ppm)}"
                for _label, differences in shown
                for lot, ppm in zip(lots, differences, strict=True)
            ],
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": frame.GREY, "width": 1})
    for side in (-1, 1):
        figure.add_vline(
            x=side * limit_ppm / PPM, line={"color": frame.VERMILION, "dash": "dash", "width": 1.5}
        )
    widest = max([limit_ppm, *(abs(ppm) for _label, many in shown for ppm in many)]) / PPM
    figure.update_xaxes(zeroline=False, range=[-1.15 * widest, 1.15 * widest])
    figure.update_yaxes(type="category", autorange="reversed", showgrid=True)
    figure.update_layout(height=frame.FRAME_HEIGHT + frame.LINE_HEIGHT * max(len(shown), 2))
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[subject, *lots],
        rows=[[label, *map(_difference, differences)] for label, differences in rows],
    )


def _difference(difference_ppm: int) -> str:
    """A standardised difference with its sign, to the thousandth."""
    return fairplace.signed(difference_ppm / PPM, 3)
