"""What has been recovered by each month on book, beside what was to be expected."""

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.charts import frame, wording
from frontend.templatetags import fairplace

OBSERVED, EXPECTED = "observed", "expected"
LOOKS = {
    OBSERVED: ((frame.BLUE, "solid", "circle"), (frame.VERMILION, "solid", "diamond")),
    EXPECTED: ((frame.GREY, "dash", ""), (frame.GREY, "dot", "")),
}
MOST_LETTERED_MONTHS = 12
STEPS = (1, 3, 6, 12, 24)


def cumulative_curves(
    months: list[int],
    series: list[tuple[str, list[int | None], str]],
    *,
    title: str,
    description: str,
) -> dict:
    """Liquidation against what was expected: cumulative rates by month on book.

    `months` are 1..n. Each series is (label, a cumulative rate in parts per million or None per
    month, role); the role is "observed" or "expected", at most two of each: more curves cannot be
    told apart. Expected curves are grey, the first one dashed and the second one dotted.
    """
    months = [int(month) for month in months]
    figure = go.Figure()
    left = {role: list(looks) for role, looks in LOOKS.items()}
    for label, rates, role in series:
        if not left[role]:
            raise ValueError(f"More than two curves that are {role}.")
        figure.add_trace(_curve(months, label, rates, left[role].pop(0)))
    figure.update_xaxes(
        title=frame.axis_title(_("Month on book")),
        tick0=0,
        dtick=next((step for step in STEPS if len(months) <= MOST_LETTERED_MONTHS * step), 60),
        range=[0.5, max([*months, 2]) + 0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(ticksuffix=" %", rangemode="tozero", zeroline=False)
    frame.legend_below(figure, shown=bool(series))
    figure.update_layout(height=frame.HEIGHT + 60)
    return frame.chart(
        figure,
        title=title,
        description=description,
        columns=[_("Month on book"), *(label for label, _rates, _role in series)],
        rows=[
            [
                fairplace.integer(month),
                *(fairplace.rate(rates[place], 1) for _label, rates, _role in series),
            ]
            for place, month in enumerate(months)
        ],
    )


def _curve(
    months: list[int], label: str, rates: list[int | None], look: tuple[str, str, str]
) -> go.Scatter:
    """One curve, broken where a rate is not known; a month alone is a point in any case."""
    colour, dash, symbol = look
    around = [None, *rates, None]
    alone = [
        before is None and after is None for before, after in zip(around, around[2:], strict=False)
    ]
    return go.Scatter(
        name=wording.plain(label),
        x=months,
        y=[None if rate_ppm is None else wording.per_cent(rate_ppm) for rate_ppm in rates],
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={
            "color": colour,
            "symbol": symbol or "circle",
            # What Plotly sets for itself once sizes differ, as if they were bubbles.
            "opacity": 1,
            "line": {"width": 0},
            "size": [6 if symbol or is_alone else 0 for is_alone in alone],
        },
        connectgaps=False,
        text=[fairplace.rate(rate_ppm, 1) for rate_ppm in rates],
        hovertemplate=f"{wording.plain(label)}<br>%{{x}}: %{{text}}<extra></extra>",
    )
