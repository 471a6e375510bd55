"""Figures month by month."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, wording


def monthly_bars(
    months: list[str],
    series: list[tuple[str, list[int]]],
    *,
    title: str,
    description: str,
    currency: str | None = None,
) -> dict:
    """One group of bars a month: `months` as `2026-11`, each series (label, a figure per month).

    With `currency` the figures are minor units. At most three series can be told apart.
    """
    figure = go.Figure()
    looks = ((frame.BLUE, ""), (frame.VERMILION, "/"), (frame.GREEN, "."))
    for (label, values), (colour, shape) in zip(series, looks, strict=False):
        figure.add_bar(
            name=wording.plain(label),
            x=months,
            y=[wording.size(value, currency) for value in values],
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.2},
            },
            text=[wording.words(value, currency) for value in values],
            textposition="none",
            hovertemplate=f"{wording.plain(label)}<br>%{{x}}<br>%{{text}}<extra></extra>",
        )
    figure.update_xaxes(type="category", showgrid=False, nticks=12)
    figure.update_yaxes(**wording.ticks(currency))
    figure.update_layout(
        height=frame.HEIGHT,
        bargap=0.28,
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": 1.12, "x": 0, "yanchor": "bottom"},
    )
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[_("Month"), *(label for label, _values in series)],
        rows=[
            [month, *(wording.words(values[place], currency) for _label, values in series)]
            for place, month in enumerate(months)
        ],
    )
