"""Whose something is, for commands that are given nothing but its identifier."""

import uuid
from collections.abc import Callable

from django.core.management.base import CommandError
from django.db.models import QuerySet

from agencies import actors
from agencies.models import Institution
from agencies.scope import scope


def owner_of(
    visible: Callable[[actors.Actor], QuerySet], pk: uuid.UUID, absent: str
) -> actors.Actor:
    """The sweep of the institution to which `visible` shows the row; else `absent` is raised."""
    with scope(actors.sweep()):
        institutions = list(Institution.objects.values_list("pk", flat=True))
    for institution_id in institutions:
        actor = actors.sweep(institution_id)
        with scope(actor):
            if visible(actor).filter(pk=pk).exists():
                return actor
    raise CommandError(absent)
