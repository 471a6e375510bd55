"""How something is spread over ordered bands."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, wording


def distribution_bars(
    bins: list[tuple[str, int]],
    *,
    title: str,
    description: str,
    subject: str,
    measure: str | None = None,
    currency: str | None = None,
) -> dict:
    """How something is spread: one bar for each (label, count) in the order given.

    With `currency` the figures are minor units. `subject` heads the labels, `measure` the figures.
    """
    labels = [wording.plain(label) for label, _count in bins]
    values = [value for _label, value in bins]
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=[wording.size(value, currency) for value in values],
            marker={"color": frame.BLUE},
            text=[wording.words(value, currency) for value in values],
            textposition="none",
            hovertemplate="%{x}<br>%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(zeroline=False, **wording.ticks(currency))
    figure.update_layout(height=frame.HEIGHT, bargap=0.28)
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[subject, measure or _("Loans")],
        rows=[[label, wording.words(value, currency)] for label, value in bins],
    )
