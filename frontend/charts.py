"""Charts: the only importer of plotly. Plain data in, a chart out that also reads as a table.

A chart is a dict for `{% render_chart chart %}`: `title` states the finding, `description` says in
a sentence what is drawn, `figure_json` is Plotly's figure as plain data, `columns` and `rows` are
the same figures in words. Text and grid take the page's colours in the browser; here are only the
colours that carry meaning, from Okabe and Ito's palette, which colour-blind people tell apart.
"""

import html
import json

import plotly.graph_objects as go
from django.utils.translation import gettext as _

from frontend.templatetags import fairplace

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
GREY = "#7F8794"

PPM = 1_000_000
PPM_PER_CENT = 10_000
ROW_HEIGHT = 34
LINE_HEIGHT = 24
FRAME_HEIGHT = 96
HEIGHT = 320
INVISIBLE = "rgba(0,0,0,0)"


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
    centres = [_per_cent(point["rate_ppm"]) for point in ordered]
    figure = go.Figure(
        go.Scatter(
            x=centres,
            y=[_plain(point["label"]) for point in ordered],
            mode="markers",
            marker={
                "size": 10,
                "color": [VERMILION if mine else BLUE for mine in own],
                "symbol": ["diamond" if mine else "circle" for mine in own],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_per_cent(point["upper_ppm"] - point["rate_ppm"]) for point in ordered],
                "arrayminus": [
                    _per_cent(point["rate_ppm"] - point["lower_ppm"]) for point in ordered
                ],
                "color": GREY,
                "thickness": 2,
                "width": 5,
            },
            text=[_interval(point) for point in ordered],
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    if pooled_ppm is not None:
        figure.add_vline(
            x=_per_cent(pooled_ppm),
            line={"color": GREY, "dash": "dash", "width": 1.5},
            annotation={
                "text": _("all together %(rate)s") % {"rate": fairplace.rate(pooled_ppm, 1)},
                "yshift": 4,
            },
            annotation_position="top",
        )
    figure.update_xaxes(ticksuffix=" %", rangemode="tozero", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(height=FRAME_HEIGHT + ROW_HEIGHT * max(len(ordered), 2))
    return _chart(
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
            y=[_plain(label) for label, differences in shown for _ppm in differences],
            mode="markers",
            marker={"size": 9, "color": BLUE, "opacity": 0.75},
            text=[
                f"{_plain(lot)}: {_difference(ppm)}"
                for _label, differences in shown
                for lot, ppm in zip(lots, differences, strict=True)
            ],
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    for side in (-1, 1):
        figure.add_vline(
            x=side * limit_ppm / PPM, line={"color": VERMILION, "dash": "dash", "width": 1.5}
        )
    widest = max([limit_ppm, *(abs(ppm) for _label, many in shown for ppm in many)]) / PPM
    figure.update_xaxes(zeroline=False, range=[-1.15 * widest, 1.15 * widest])
    figure.update_yaxes(type="category", autorange="reversed", showgrid=True)
    figure.update_layout(height=FRAME_HEIGHT + LINE_HEIGHT * max(len(shown), 2))
    return _chart(
        figure,
        title=title,
        description=description,
        columns=[subject, *lots],
        rows=[[label, *map(_difference, differences)] for label, differences in rows],
    )


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
    labels = [_plain(label) for label, _count in bins]
    values = [value for _label, value in bins]
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=[_size(value, currency) for value in values],
            marker={"color": BLUE},
            text=[_words(value, currency) for value in values],
            textposition="none",
            hovertemplate="%{x}<br>%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(zeroline=False, **_ticks(currency))
    figure.update_layout(height=HEIGHT, bargap=0.28)
    return _chart(
        figure,
        title=title,
        description=description,
        columns=[subject, measure or _("Loans")],
        rows=[[label, _words(value, currency)] for label, value in bins],
    )


def lying_bars(
    bars: list[tuple[str, int]], *, title: str, description: str, subject: str, measure: str
) -> dict:
    """Counts of things with long names: one lying bar for each (label, count), the first on top."""
    figure = go.Figure(
        go.Bar(
            x=[count for _label, count in bars],
            y=[_plain(label) for label, _count in bars],
            orientation="h",
            marker={"color": BLUE},
            text=[_words(count, None) for _label, count in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_layout(height=FRAME_HEIGHT + ROW_HEIGHT * max(len(bars), 2), bargap=0.35)
    return _chart(
        figure,
        title=title,
        description=description,
        columns=[subject, measure],
        rows=[[label, _words(count, None)] for label, count in bars],
    )


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
            x=[_plain(label) for label, _amount in bars],
            y=[_size(amount_minor, currency) for _label, amount_minor in bars],
            measure=["relative"] * len(steps) + ["total"],
            increasing={"marker": {"color": BLUE}},
            decreasing={"marker": {"color": VERMILION}},
            totals={"marker": {"color": GREEN}},
            connector={"line": {"color": GREY, "width": 1, "dash": "dot"}},
            text=[fairplace.money_short(amount_minor, currency) for _label, amount_minor in bars],
            customdata=[fairplace.money(amount_minor, currency) for _label, amount_minor in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}<br>%{customdata}<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(**_ticks(currency))
    figure.update_layout(height=HEIGHT, showlegend=False)
    return _chart(
        figure,
        title=title,
        description=description,
        columns=[_("Step"), _("Amount")],
        rows=[[label, fairplace.money(amount_minor, currency)] for label, amount_minor in bars],
    )


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
    looks = ((BLUE, ""), (VERMILION, "/"), (GREEN, "."))
    for (label, values), (colour, shape) in zip(series, looks, strict=False):
        figure.add_bar(
            name=_plain(label),
            x=months,
            y=[_size(value, currency) for value in values],
            marker={
                "color": colour,
                "pattern": {"shape": shape, "fillmode": "overlay", "size": 6, "solidity": 0.2},
            },
            text=[_words(value, currency) for value in values],
            textposition="none",
            hovertemplate=f"{_plain(label)}<br>%{{x}}<br>%{{text}}<extra></extra>",
        )
    figure.update_xaxes(type="category", showgrid=False, nticks=12)
    figure.update_yaxes(**_ticks(currency))
    figure.update_layout(
        height=HEIGHT,
        bargap=0.28,
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": 1.12, "x": 0, "yanchor": "bottom"},
    )
    return _chart(
        figure,
        title=title,
        description=description,
        columns=[_("Month"), *(label for label, _values in series)],
        rows=[
            [month, *(_words(values[place], currency) for _label, values in series)]
            for place, month in enumerate(months)
        ],
    )


def _chart(figure: go.Figure, *, title, description, columns, rows) -> dict:
    figure.update_layout(
        template=None,
        paper_bgcolor=INVISIBLE,
        plot_bgcolor=INVISIBLE,
        margin={"l": 8, "r": 16, "t": 24, "b": 8},
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
    return {
        "title": title,
        "description": description,
        "figure_json": json.loads(figure.to_json()),
        "columns": columns,
        "rows": rows,
    }


def _plain(label: str) -> str:
    """A label that Plotly, which reads some HTML in labels, draws as it is written."""
    return html.escape(str(label), quote=False).replace("%{", "%\u200b{")


def _per_cent(rate_ppm: int) -> float:
    return rate_ppm / PPM_PER_CENT


def _difference(difference_ppm: int) -> str:
    """A standardised difference with its sign, to the thousandth."""
    return fairplace.signed(difference_ppm / PPM, 3)


def _interval(point: dict) -> str:
    return _("%(rate)s, between %(lower)s and %(upper)s") % {
        "rate": fairplace.rate(point["rate_ppm"], 1),
        "lower": fairplace.rate(point["lower_ppm"], 1),
        "upper": fairplace.rate(point["upper_ppm"], 1),
    }


def _size(value: int, currency: str | None) -> float:
    return float(fairplace.major(value, currency)) if currency else value


def _words(value: int, currency: str | None) -> str:
    return fairplace.money(value, currency) if currency else fairplace.integer(value)


def _ticks(currency: str | None) -> dict:
    """How an axis of figures is lettered: k and M where the language says them, else in full."""
    short = fairplace.locale().language == "en"
    sign = fairplace.currency_sign(currency) if currency else ""
    return {"tickformat": "~s" if short else ",~f", "tickprefix": sign}
