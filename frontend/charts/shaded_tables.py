"""Indices as a table whose cells are shaded by how far they are from 1."""

import bisect
import itertools
from decimal import Decimal

from django.utils.translation import gettext as _

from frontend.charts import wording

# Hundredths, because that is what is printed: equal figures have equal shades.
BELOW = (Decimal("0.77"), Decimal("0.87"), Decimal("0.95"))
ABOVE = (Decimal("1.05"), Decimal("1.15"), Decimal("1.30"))
HUNDREDTH = Decimal("0.01")


def shaded_table(
    rows: list[tuple[str, list[float | None]]],
    columns: list[str],
    *,
    title: str,
    description: str,
    subject: str,
) -> dict:
    """Indices of agency × segment for `{% render_shaded chart %}`: blue above 1, vermilion below.

    `rows`: (label, an index or None per column); an index is a ratio, None is too little data.
    `subject` heads the labels. Each cell comes with its shade in seven steps, m3 … 0 … p3, and
    `scale` says what they mean, from the lowest to the highest.
    """
    return {
        "title": title,
        "description": description,
        "subject": subject,
        "columns": columns,
        "rows": [
            {
                "label": label,
                "cells": [_cell(index) for _column, index in zip(columns, indices, strict=True)],
            }
            for label, indices in rows
        ],
        "scale": _scale(),
    }


def _cell(index: float | None) -> dict:
    if index is None:
        return {"text": "", "shade": ""}
    rounded = Decimal(str(float(index))).quantize(HUNDREDTH)
    return {"text": wording.times(rounded), "shade": shade(rounded)}


def shade(index: Decimal) -> str:
    """The step of an index in hundredths: m3 far below 1, 0 near it, p3 far above."""
    step = bisect.bisect_right(BELOW, index) - len(BELOW) + bisect.bisect_left(ABOVE, index)
    return f"{'m' if step < 0 else 'p'}{abs(step)}" if step else "0"


def _scale() -> list[dict]:
    """What each shade means, in the hundredths that belong to it."""
    edges = [
        *((low, high - HUNDREDTH) for low, high in itertools.pairwise(BELOW)),
        (BELOW[-1], ABOVE[0]),
        *((low + HUNDREDTH, high) for low, high in itertools.pairwise(ABOVE)),
    ]
    between = [f"{wording.times(low)[:-1]}–{wording.times(high)}" for low, high in edges]
    texts = [
        _("below %(index)s") % {"index": wording.times(BELOW[0])},
        *between,
        _("above %(index)s") % {"index": wording.times(ABOVE[-1])},
    ]
    shades = ["m3", "m2", "m1", "0", "p1", "p2", "p3"]
    return [{"shade": step, "text": text} for step, text in zip(shades, texts, strict=True)]
