"""Texts that people enter, as they are kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import errors


def fitting(model: type[models.Model], column: str, text: str, missing, *, field: str = "") -> str:
    """`text` for a column of `model`, with single spaces between its words.

    `field` is what the input is called, the column's name unless given. Raises `InvalidInput`:
    `REQUIRED` with the sentence `missing` when there is none, `TOO_LONG` when it does not fit.
    """
    words = " ".join(text.split())
    longest = getattr(model._meta.get_field(column), "max_length", None)
    if not words:
        raise errors.InvalidInput("REQUIRED", missing, field=field or column)
    if longest is not None and len(words) > longest:
        raise errors.InvalidInput(
            "TOO_LONG",
            _("This is too long: %(count)d characters at most.") % {"count": longest},
            field=field or column,
        )
    return words
