"""Texts that people enter, as they are kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agencies import card_numbers
from config import errors

LONGEST = 2_000
"""Characters of a reason or a note."""
FILL_IN = _("Fill this in.")


def reason(text: str, *, field: str = "reason") -> str:
    """Why somebody does something, as it is kept in the audit trail. Raises as `checked`."""
    return checked(text, field=field, missing=_("Give a reason."))


def checked(
    text: str, *, field: str, longest: int = LONGEST, shortest: int = 1, missing=FILL_IN
) -> str:
    """A text of any number of lines without blank ends; it may be empty where `shortest` is 0.

    Raises `InvalidInput`: `REQUIRED` with the sentence `missing`, `TOO_SHORT`, `TOO_LONG`, or
    `CARD_NUMBER` for what looks like the number of a payment card, which must not be kept.
    """
    text = text.strip()
    if shortest and not text:
        raise errors.InvalidInput("REQUIRED", missing, field=field)
    if len(text) < shortest:
        message = _("Give at least %(count)d characters.") % {"count": shortest}
        raise errors.InvalidInput("TOO_SHORT", message, field=field)
    if len(text) > longest:
        raise errors.InvalidInput("TOO_LONG", _too_long(longest), field=field)
    if card_numbers.contains_card_number(text):
        raise errors.InvalidInput(
            "CARD_NUMBER",
            _("This looks like a card number. Never write one down; take it out."),
            field=field,
        )
    return text


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
        raise errors.InvalidInput("TOO_LONG", _too_long(longest), field=field or column)
    return words


def _too_long(longest: int) -> str:
    return _("This is too long: %(count)d characters at most.") % {"count": longest}
