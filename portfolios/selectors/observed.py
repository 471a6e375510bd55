"""Whose work is looked at: one bank's placements in one currency, as far as the actor sees them.

What the figures of means, promises and coverage share: the spells, the money that counts, and
the day it is. Each figure is one statement over all spells; nothing is asked row by row.
"""

import dataclasses
import datetime
import uuid
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from agencies.actors import Actor
from config import clock, money, plans
from portfolios.selectors.placements import visible_placements
from portfolios.selectors.portfolios import visible_portfolios

SPELLS = """
with spells as materialized (
    select s.id, s.agency_id, s.loan_id, s.balance_minor, s.days_past_due, s.opened_at,
        e.ended_at <= %(now)s as is_over,
        (e.ended_at at time zone %(zone)s)::date + p.tail_days as last_on
    from portfolios_placedloan s
    join portfolios_placement p on p.id = s.placement_id
    cross join lateral (select coalesce(s.closed_at, p.closed_at, p.ends_at) as ended_at) e
    where s.placement_id = any(%(placements)s) and (not %(is_agency)s or s.closed_at is null)
)"""
"""Begins a statement: one row a spell. `last_on` is the last day on which a payment counts for it,
the tail included."""

PAYMENTS = """
payments as materialized (
    select r.id, r.spell_id, r.value_on, r.amount_minor - coalesce(b.back_minor, 0) as net_minor
    from portfolios_recovery r
    join spells s on s.id = r.spell_id
    join portfolios_confirmation c on c.recovery_id = r.id
    left join (
        select recovery_id, sum(amount_minor)::bigint as back_minor
        from portfolios_reversal group by recovery_id
    ) b on b.recovery_id = r.id
    where r.amount_minor > coalesce(b.back_minor, 0)
)"""
"""One row a payment that counts: confirmed, less what was taken back, if anything is left."""


class Placed(NamedTuple):
    """The keys of a placement, its portfolio and its agency."""

    placement_id: uuid.UUID
    portfolio_id: uuid.UUID
    agency_id: uuid.UUID


@dataclasses.dataclass(frozen=True, slots=True)
class Observed:
    """One bank's placements in one currency. `agencies` and `portfolios` are names by key, in
    order of the names; an agency is told no portfolio."""

    institution_id: uuid.UUID
    institution_name: str
    time_zone: str
    currency: str
    now: datetime.datetime
    is_agency: bool
    agencies: dict[uuid.UUID, str]
    portfolios: dict[uuid.UUID, str]
    placements: list[Placed]

    @property
    def today(self) -> datetime.date:
        """The bank's business day."""
        return self.now.astimezone(ZoneInfo(self.time_zone)).date()

    def within(self, portfolio_id: uuid.UUID) -> "Observed":
        """The same of one portfolio; of one that is not in it nothing is left."""
        placements = [one for one in self.placements if one.portfolio_id == portfolio_id]
        holders = {one.agency_id for one in placements}
        agencies = {pk: name for pk, name in self.agencies.items() if pk in holders}
        return dataclasses.replace(self, placements=placements, agencies=agencies)

    def rows(self, parts: list[str], **values: Any) -> list[tuple]:
        """What a statement answers that begins with `SPELLS`, its parts one after another."""
        given = {
            "placements": [one.placement_id for one in self.placements],
            "zone": self.time_zone,
            "now": self.now,
            "today": self.today,
            "is_agency": self.is_agency,
            **values,
        }
        with plans.without_nested_loops(), connection.cursor() as cursor:
            cursor.execute(",".join(parts), given)
            return cursor.fetchall()


def observed_work(actor: Actor) -> list[Observed]:
    """One for each bank and currency of the placements that the actor may see, by name.

    A bank sees all its placements, those that are over too; an agency its own that are live.
    """
    rows = visible_placements(actor).values_list(
        "institution_id",
        "institution__name",
        "institution__time_zone",
        "currency",
        "pk",
        "portfolio_id",
        "agency_id",
        "agency__name",
    )
    named = dict(visible_portfolios(actor).order_by("name").values_list("pk", "name"))
    grouped: dict[tuple, list[tuple[Placed, str]]] = {}
    for row in rows.order_by("institution__name", "institution_id", "currency", "agency__name"):
        grouped.setdefault(row[:4], []).append((Placed(*row[4:7]), row[7]))
    now = clock.now()
    found = []
    for (institution_id, institution_name, time_zone, currency), placed in grouped.items():
        used = {one.portfolio_id for one, _agency in placed}
        found.append(
            Observed(
                institution_id,
                institution_name,
                time_zone,
                currency,
                now=now,
                is_agency=actor.kind == "agency",
                agencies={one.agency_id: name for one, name in placed},
                portfolios={pk: name for pk, name in named.items() if pk in used},
                placements=[one for one, _name in placed],
            )
        )
    return found


def rate_ppm(part: int, whole: int) -> int | None:
    """Parts per million; None of nothing."""
    return money.round_half_away(part * money.PPM, whole) if whole else None
