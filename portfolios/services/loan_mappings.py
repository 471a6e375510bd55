"""Mappings that a bank keeps for its files, and the one that is guessed for a new file."""

import dataclasses
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios import tables
from portfolios.mappings import MAPPINGS, Mapping, guessing
from portfolios.models import LoanMapping
from portfolios.selectors import visible_mappings

SAMPLE_ROWS = 20


def guess(actor: Actor, file: IO[bytes]) -> Mapping:
    """What the columns of a file probably hold. Raises as `tables.open_table`."""
    try:
        table = tables.open_table(file)
    except errors.InvalidInput as error:
        error.field = error.field or "file"
        raise
    return guessing.guess(table.columns, sample=table.sample(SAMPLE_ROWS), saved=saved(actor))


def saved(actor: Actor) -> list[Mapping]:
    """The mappings that the bank has saved, the newest first, then those built in."""
    own = visible_mappings(actor).order_by("-saved_at").values_list("definition", flat=True)
    return [*(Mapping.from_dict(definition) for definition in own), *MAPPINGS.values()]


def called(actor: Actor, name: str) -> Mapping:
    """The saved or built-in mapping of this name, else `UNKNOWN_MAPPING`."""
    for mapping in saved(actor):
        if mapping.name == name:
            return mapping
    raise errors.InvalidInput("UNKNOWN_MAPPING", _("There is no such mapping."), field="mapping")


def keep(actor: Actor, name: str, mapping: Mapping) -> None:
    """Save a mapping under a name, in place of one of that name. Raises `TOO_LONG`."""
    if len(name) > 80:
        raise errors.InvalidInput(
            "TOO_LONG",
            _("This has more than %(longest)s characters.") % {"longest": 80},
            field="save_as",
        )
    manager: Any = actor.user_id
    LoanMapping.objects.update_or_create(
        institution=selectors.visible_institutions(actor).get(),
        name=name,
        defaults={
            "definition": dataclasses.replace(mapping, name=name).to_dict(),
            "saved_at": clock.now(),
            "saved_by_id": manager,
        },
    )
