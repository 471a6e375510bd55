"""Mappings that a bank keeps for its files, and the one that is guessed for a new file."""

import dataclasses
from typing import IO, Any

from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios import tables
from portfolios.mappings import MAINTENANCE_MAPPINGS, MAPPINGS, Mapping, guessing
from portfolios.models import LoanMapping
from portfolios.selectors import visible_mappings

SAMPLE_ROWS = 20


def guess(actor: Actor, file: IO[bytes], kind: str) -> Mapping:
    """What the columns of a file probably hold. Raises as `tables.open_table`."""
    try:
        table = tables.open_table(file)
    except errors.InvalidInput as error:
        error.field = error.field or "file"
        raise
    sample = table.sample(SAMPLE_ROWS)
    return guessing.guess(table.columns, sample=sample, saved=saved(actor, kind), kind=kind)


def saved(actor: Actor, kind: str) -> list[Mapping]:
    """The mappings for a kind of file that the bank has saved, the newest first, then those built
    in."""
    own = visible_mappings(actor).order_by("-saved_at").values_list("definition", flat=True)
    mappings = [*map(Mapping.from_dict, own), *MAPPINGS.values(), *MAINTENANCE_MAPPINGS.values()]
    return [mapping for mapping in mappings if mapping.kind == kind]


def called(actor: Actor, name: str, kind: str) -> Mapping:
    """The saved or built-in mapping of this name for a kind of file, else `UNKNOWN_MAPPING`."""
    for mapping in saved(actor, kind):
        if mapping.name == name:
            return mapping
    raise errors.InvalidInput("UNKNOWN_MAPPING", _("There is no such mapping."), field="mapping")


def keep(actor: Actor, name: str, mapping: Mapping) -> None:
    """Save a mapping under a name, in place of one of that name for the same kind of file.

    Raises `TOO_LONG`, `NAME_TAKEN`.
    """
    if len(name) > 80:
        raise errors.InvalidInput(
            "TOO_LONG",
            _("This has more than %(longest)s characters.") % {"longest": 80},
            field="save_as",
        )
    others = visible_mappings(actor).filter(name=name).exclude(definition__kind=mapping.kind)
    if others.exists():
        raise errors.InvalidInput(
            "NAME_TAKEN",
            _("A mapping for another kind of file has this name."),
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
