"""Ratios and shares as people write them: `{% load ratios %}`."""

from django import template

from frontend.charts import wording
from frontend.templatetags import fairplace

register = template.Library()


@register.filter
def times(ratio: float | None) -> str:
    """1.18 as `1.18×`."""
    return wording.times(ratio)


@register.filter
def per_cent(share: float) -> str:
    """0.713 as `71 %`."""
    return fairplace.rate(round(share * 1_000_000), 0)
