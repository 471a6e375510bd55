"""Spells: each loan's time in a placement, opened with it, closed once and with a reason."""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from agencies import policies
from agencies.actors import Actor
from config import errors, ids, plans
from portfolios.models import PlacedLoan, Placement
from portfolios.selectors import visible_spells

CLOSED_AT_ONCE = 1_000
"""Access ends with the placement's one row; above so many loans a sweep closes their spells, so
that nobody has to wait for it."""
OPEN = """
    insert into portfolios_placedloan (
        id, institution_id, agency_id, placement_id, loan_id, balance_minor, days_past_due,
        product, region, grade, score, earlier_placements, is_comparison, opened_at, close_kind,
        close_reason)
    select given.id, p.institution_id, p.agency_id, p.id, l.id, l.balance_minor, l.days_past_due,
        coalesce(nullif(l.product, ''), %(product)s), l.region, l.grade, l.score,
        l.earlier_placements, l.id in (select unnest(%(comparison)s::uuid[])), p.opened_at, '', ''
    from unnest(%(ids)s::uuid[], %(loans)s::uuid[]) as given (id, loan_id)
    join portfolios_loan l on l.id = given.loan_id
    join portfolios_placement p on p.id = %(placement)s
"""
HOLD = """
    update portfolios_loan set placement_id = %(placement)s, agency_id = %(agency)s
    where id = any (%(loans)s::uuid[])
"""
CLOSE = """
    with ended as (
        update portfolios_placedloan s
        set closed_at = %(closed_at)s, close_reason = %(reason)s,
            close_kind = case
                when exists (
                    select from portfolios_loan l
                    where l.id = s.loan_id and l.balance_minor = 0
                ) then 'settled' else %(kind)s end
        where s.placement_id = %(placement)s and s.closed_at is null
            and (%(spells)s::uuid[] is null or s.id = any (%(spells)s::uuid[]))
        returning s.loan_id
    )
    update portfolios_loan l
    set placement_id = null, agency_id = null, earlier_placements = earlier_placements + 1
    from ended where l.id = ended.loan_id
"""


def open_all(placement: Placement, loan_ids: list, comparison_loan_ids: Set) -> None:
    """A spell for each loan, frozen as it is now; the placement holds the loans."""
    given: dict[str, Any] = {
        "placement": placement.pk,
        "agency": placement.agency_id,
        "product": placement.portfolio.product,
        "ids": ids.uuid7s(len(loan_ids)),
        "loans": list(loan_ids),
        "comparison": list(comparison_loan_ids),
    }
    with plans.without_nested_loops(), connection.cursor() as cursor:
        cursor.execute(OPEN, given)
        cursor.execute(HOLD, given)


def of_loans(actor: Actor, placement: Placement, loan_ids: list) -> list[PlacedLoan]:
    """The open spells of these loans, all of which must be in the placement."""
    found = visible_spells(actor).filter(
        placement=placement, loan__in=loan_ids, closed_at__isnull=True
    )
    spells = list(found.select_related("loan").order_by("pk"))
    if not loan_ids or len(spells) != len(set(loan_ids)):
        raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    return spells


def close(
    placement: Placement,
    kind: str,
    reason: str,
    closed_at: datetime,
    *,
    spell_ids: Sequence | None = None,
) -> None:
    """Close what is open of a placement, all of it or these spells.

    A spell over a loan that owes nothing ends as settled.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLOSE,
            {
                "placement": placement.pk,
                "spells": None if spell_ids is None else list(spell_ids),
                "kind": str(kind),
                "reason": reason,
                "closed_at": closed_at,
            },
        )


def close_ended(*, actor: Actor) -> int:
    """Close some spells that ended placements have left open, as at their end; answers how many.

    At most `CLOSED_AT_ONCE` in one transaction: call it again until there is nothing left.
    """
    policies.demand(actor, policies.SWEEPS)
    with transaction.atomic():
        left = PlacedLoan.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            institution=actor.institution_id, closed_at__isnull=True
        )
        left = left.exclude(placement__state=Placement.State.LIVE).select_related("placement")
        spells = list(left[:CLOSED_AT_ONCE])
        for placement in {spell.placement for spell in spells}:
            mine = [spell.pk for spell in spells if spell.placement_id == placement.pk]
            closed_at: Any = placement.closed_at
            close(placement, placement.state, placement.close_reason, closed_at, spell_ids=mine)
    return len(spells)
