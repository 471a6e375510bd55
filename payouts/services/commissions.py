"""Commission: accrued on confirmed money, taken back by reversals, held above the balance.

What a recovery has earned is `round(base × rate)` of the base that counts now; every entry is the
step from one such value to the next (`payouts.commission`).
"""

import itertools
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, OuterRef, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors
from payouts import commission
from payouts.models import CommissionEntry, Excess
from payouts.selectors import visible_excesses
from portfolios.models import Recovery, Reversal
from portfolios.selectors import visible_recoveries, visible_reversals, with_reversed

MAY_ACCRUE = policies.SWEEPS | policies.FINANCE_PREPARERS
BATCH = 2000

Kind = CommissionEntry.Kind


def accrue(*, actor: Actor) -> int:
    """Bring the institution's commission up to date; answers how many entries were written.

    Safe to call at any time and any number of times: an advisory lock lets one run at a time,
    and unique keys let a recovery accrue once and a reversal take back once.
    """
    policies.demand(actor, MAY_ACCRUE)
    with transaction.atomic():
        lock_books(actor)
        written = _accrue_confirmed(actor) + _take_back_reversed(actor)
        return written


def lock_books(actor: Actor) -> None:
    """Let one transaction at a time write or state a bank's commission; held to its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"commission {actor.institution_id}"],
        )


_SIGNED_BASE = Case(When(kind=Kind.ACCRUAL, then=F("base_minor")), default=-F("base_minor"))


def _counted(**of):
    """The base that counts now, over the entries of one spell or one recovery."""
    entries = CommissionEntry.objects.filter(**of).order_by().values(*of)
    return Coalesce(Subquery(entries.annotate(base=Sum(_SIGNED_BASE)).values("base")), 0)


def _accrue_confirmed(actor: Actor) -> int:
    """Entries for confirmed recoveries that have none; what exceeds the balance waits."""
    moment = clock.now()
    fresh = (
        visible_recoveries(actor)
        .filter(confirmation__isnull=False)
        .exclude(pk__in=CommissionEntry.objects.filter(reversal=None).values("recovery"))
        .annotate(
            rate_ppm=F("placement__rate_ppm"),
            room_minor=F("spell__balance_minor") - _counted(spell=OuterRef("spell")),
        )
        .order_by("spell", "value_on", "logged_at", "pk")
    )
    entries, excesses = [], []
    for _spell, group in itertools.groupby(fresh, key=attrgetter("spell_id")):
        recoveries = list(group)
        amounts = [recovery.amount_minor for recovery in recoveries]
        parts = commission.eligible(amounts, recoveries[0].room_minor)
        for recovery, base_minor in zip(recoveries, parts, strict=True):
            entries.append(_entry(recovery, 0, base_minor, recovery.rate_ppm, moment))
            if base_minor < recovery.amount_minor:
                excesses.append(
                    Excess(
                        institution_id=recovery.institution_id,
                        recovery=recovery,
                        amount_minor=recovery.amount_minor - base_minor,
                        currency=recovery.currency,
                        found_at=moment,
                    )
                )
    CommissionEntry.objects.bulk_create(entries, batch_size=BATCH)
    Excess.objects.bulk_create(excesses, batch_size=BATCH)
    _audit(actor, entries, moment)
    return len(entries)


def _take_back_reversed(actor: Actor) -> int:
    """Entries for reversals of recoveries that have accrued; money above the balance goes first."""
    moment = clock.now()
    fresh = (
        visible_reversals(actor)
        .filter(recovery__in=CommissionEntry.objects.values("recovery"))
        .exclude(pk__in=CommissionEntry.objects.exclude(reversal=None).values("reversal"))
        .select_related("recovery")
        .annotate(
            rate_ppm=F("placement__rate_ppm"),
            counted_minor=_counted(recovery=OuterRef("recovery")),
            settled_minor=Coalesce(Subquery(_settled_reversals()), 0),
        )
        .order_by("recovery", "logged_at", "pk")
    )
    entries = []
    for _recovery, group in itertools.groupby(fresh, key=attrgetter("recovery_id")):
        reversals = list(group)
        base_minor = reversals[0].counted_minor
        left_minor = reversals[0].recovery.amount_minor - reversals[0].settled_minor
        for reversal in reversals:
            left_minor -= reversal.amount_minor
            after_minor = min(base_minor, left_minor)
            entries.append(
                _entry(
                    reversal.recovery,
                    base_minor,
                    after_minor,
                    reversal.rate_ppm,
                    moment,
                    reversal=reversal,
                )
            )
            base_minor = after_minor
    CommissionEntry.objects.bulk_create(entries, batch_size=BATCH)
    _audit(actor, entries, moment)
    return len(entries)


def _settled_reversals():
    """What earlier runs have taken into account of one recovery's reversals."""
    return (
        Reversal.objects.filter(
            recovery=OuterRef("recovery"),
            pk__in=CommissionEntry.objects.exclude(reversal=None).values("reversal"),
        )
        .order_by()
        .values("recovery")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )


def _entry(
    recovery: Recovery, before_minor: int, after_minor: int, rate_ppm: int, moment, **cause
) -> CommissionEntry:
    """The step of one recovery's commission from one base to another."""
    step_minor = commission.adjustment(before_minor, after_minor, rate_ppm)
    return CommissionEntry(
        institution_id=recovery.institution_id,
        agency_id=recovery.agency_id,
        placement_id=recovery.placement_id,
        spell_id=recovery.spell_id,
        recovery=recovery,
        kind=Kind.CLAWBACK if cause.get("reversal") else Kind.ACCRUAL,
        currency=recovery.currency,
        base_minor=abs(after_minor - before_minor),
        rate_ppm=rate_ppm,
        amount_minor=abs(step_minor),
        accrued_at=moment,
        **cause,
    )


def _audit(actor: Actor, entries: list[CommissionEntry], moment) -> None:
    audit.record_many(
        [
            audit.entry(
                actor,
                f"commission.{entry.kind}",
                entry.recovery,
                changes={
                    "base_minor": entry.base_minor,
                    "amount_minor": entry.amount_minor,
                    "currency": entry.currency,
                },
                at=moment,
            )
            for entry in entries
        ]
    )


def decide_excess(*, actor: Actor, excess_id, accept: bool, reason: str) -> Excess:
    """Say whether money above the balance counts; it accrues at the same rate if it does."""
    policies.demand(actor, policies.FINANCE_APPROVERS)
    reason = texts.reason(reason)
    excess = selectors.find(visible_excesses(actor), pk=excess_id)
    with transaction.atomic():
        lock_books(actor)
        moment = clock.now()
        state = Excess.State.ACCEPTED if accept else Excess.State.DECLINED
        decided = Excess.objects.filter(pk=excess.pk, state=Excess.State.OPEN).update(
            state=state, decided_at=moment, decision_reason=reason
        )
        if not decided:
            raise errors.InvalidState("DECIDED", _("This has been decided already."))
        recovery: Any = with_reversed(
            visible_recoveries(actor)
            .select_related("placement")
            .annotate(counted_minor=_counted(recovery=OuterRef("pk")))
        ).get(pk=excess.recovery_id)
        if accept:
            before_minor = recovery.counted_minor
            left_minor = recovery.amount_minor - recovery.reversed_minor
            after_minor = max(before_minor, min(before_minor + excess.amount_minor, left_minor))
            _entry(
                recovery,
                before_minor,
                after_minor,
                recovery.placement.rate_ppm,
                moment,
                excess=excess,
            ).save(force_insert=True)
        audit.record(actor, "excess.decide", excess, reason=reason, changes={"state": state})
    excess.refresh_from_db()
    return excess
