"""How a gross sum becomes a net one."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, wording
from frontend.templatetags import fairplace


def waterfall(
    steps: list[tuple[str, int]], *, total: str, currency: str, title: str, description: str
) -> dict:
    """From gross to net: (label, signed minor units) one after another, and their sum at the end.

    `total` is the label of the sum, in `currency`.
    """
    sum_minor = sum(amount_minor for _label, amount_minor in steps)
    bars = [*steps, (total, sum_minor)]
    figure = go.Figure(
        go.Waterfall(
            x=[wording.plain(label) for label, _amount in bars],
            y=[wording.size(amount_minor, currency) for _label, amount_minor in bars],
            measure=["relative"] * len(steps) + ["total"],
            increasing={"marker": {"color": frame.BLUE}},
            decreasing={"marker": {"color": frame.VERMILION}},
            totals={"marker": {"color": frame.GREEN}},
            connector={"line": {"color": frame.GREY, "width": 1, "dash": "dot"}},
            text=[fairplace.money_short(amount_minor, currency) for _label, amount_minor in bars],
            customdata=[fairplace.money(amount_minor, currency) for _label, amount_minor in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}<br>%{customdata}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(**wording.ticks(currency))
    figure.update_layout(height=frame.HEIGHT, showlegend=False)
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[_("Step"), _("Amount")],
        rows=[[label, fairplace.money(amount_minor, currency)] for label, amount_minor in bars],
    )
