"""How labels and figures are written in a chart."""

import html

from frontend.templatetags import fairplace

PPM_PER_CENT = 10_000


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
