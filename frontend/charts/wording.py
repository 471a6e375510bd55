"""How labels and figures are written in a chart."""

import html
import textwrap
import unicodedata

from frontend.templatetags import fairplace

PPM_PER_CENT = 10_000
LABEL_WIDTH = 20


def plain(label: str) -> str:
    """A label that Plotly, which reads some HTML in labels, draws as it is written."""
    return html.escape(str(label), quote=False).replace("%{", "%\u200b{")


def per_cent(rate_ppm: int) -> float:
    """Parts per million as per cent."""
    return rate_ppm / PPM_PER_CENT


def size(value: int, currency: str | None) -> float:
    """A figure as it is drawn: with `currency` minor units become the main unit."""
    return float(fairplace.major(value, currency)) if currency else value


def words(value: int, currency: str | None) -> str:
    """A figure as it is written: an amount of minor units with `currency`, else a count."""
    return fairplace.money(value, currency) if currency else fairplace.integer(value)


def ticks(currency: str | None) -> dict:
    """How an axis of figures is lettered: k and M where the language says them, else in full."""
    short = fairplace.locale().language == "en"
    sign = fairplace.currency_sign(currency) if currency else ""
    return {"tickformat": "~s" if short else ",~f", "tickprefix": sign}


def times(ratio: float | None) -> str:
    """A ratio as it is written: 1.18×."""
    if ratio is None:
        return fairplace.NO_VALUE
    return fairplace.decimal(ratio, 2) + "×"


def axis_label(label: str) -> str:
    """A label beside an axis, in at most two short lines; the table has the whole of it."""
    text = str(label)
    is_wide = any(unicodedata.east_asian_width(letter) in "FW" for letter in text)
    width = LABEL_WIDTH // 2 if is_wide else LABEL_WIDTH
    first, *rest = textwrap.wrap(text, width) or [""]
    lines = [first, *rest[:1]]
    if len(rest) > 1:
        lines[1] = lines[1][: width - 1].rstrip() + "…"
    return "<br>".join(map(plain, lines))
