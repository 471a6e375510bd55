"""Masks of personal fields: enough to recognise what one knows, too little to learn it."""

import re

DOTS = "•••"
SHOWN_AT_MOST = 4
SHOWN_ONE_OF = 3


def name(text: str) -> str:
    """The first letter of each word: `M••• L•••`, `王•••`."""
    return " ".join(word[0] + DOTS for word in text.split())


def ending(text: str) -> str:
    """The last letters or digits, at most four and at most a third of them: `••• 0100`."""
    kept = re.sub(r"\W", "", text)
    shown = min(SHOWN_AT_MOST, len(kept) // SHOWN_ONE_OF)
    return f"{DOTS} {kept[-shown:]}" if shown else DOTS


def email(text: str) -> str:
    """The first letter and the top-level domain: `m•••@•••.com`."""
    local, _at, domain = text.partition("@")
    _host, dot, top = domain.rpartition(".")
    return f"{local[:1]}{DOTS}@{DOTS}{dot}{top if dot else ''}"


def hidden(text: str) -> str:
    """Nothing but that there is something."""
    return DOTS


BY_FIELD = {
    "name": name,
    "phone": ending,
    "email": email,
    "address": hidden,
    "national_id": ending,
}
"""The personal fields of a borrower, in the order in which they are shown."""


def masked(field: str, text: str) -> str:
    """`text` of a borrower's field as it may be shown without a reason; empty stays empty."""
    return BY_FIELD[field](text) if text.strip() else ""
