"""Tails: days after a spell in which a payment on a promise made in it still counts for it."""

import dataclasses
import datetime
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from config import clock
from portfolios.models import PlacedLoan, Promise


@dataclasses.dataclass(frozen=True, slots=True)
class Days:
    """The days after `after` up to and including `until`."""

    after: datetime.date
    until: datetime.date

    def __contains__(self, day: datetime.date) -> bool:
        return self.after < day <= self.until


NONE = Days(datetime.date.max, datetime.date.max)


def last_day(spell: PlacedLoan) -> datetime.date:
    """The business day on which a spell ended, or on which its term will end."""
    return ends_at(spell).astimezone(ZoneInfo(spell.institution.time_zone)).date()


def ends_at(spell: PlacedLoan) -> datetime.datetime:
    """When a spell ended, or when its term will end."""
    return spell.closed_at or spell.placement.closed_at or spell.placement.ends_at


def first_day(spell: PlacedLoan) -> datetime.date:
    """The business day on which a spell began."""
    return spell.opened_at.astimezone(ZoneInfo(spell.institution.time_zone)).date()


def of(spells: Sequence[PlacedLoan]) -> dict[uuid.UUID, Days]:
    """Spell → the days of its tail, for those of `spells` that have one.

    A spell has one once it has ended with a promise still open: due on its last day or later.
    How long it is was frozen in the placement. Spells with their `placement` and `institution`.
    """
    moment = clock.now()
    ended = {spell.pk: spell for spell in spells if ends_at(spell) <= moment}
    latest = Promise.objects.filter(spell__in=ended).order_by("spell", "-due_on")
    found = {}
    for pk, due_on in latest.distinct("spell").values_list("spell", "due_on"):
        day = last_day(ended[pk])
        if due_on >= day:
            tail = datetime.timedelta(days=ended[pk].placement.tail_days)
            found[pk] = Days(day, day + tail)
    return found
