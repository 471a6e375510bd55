"""Reversals: recoveries taken back, in part or whole, by an event of their own."""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import Recovery, Reversal
from portfolios.selectors import visible_recoveries, visible_reversals
from portfolios.services import recoveries, work

MAY_REVERSE = policies.AGENCY_WORKERS | policies.FINANCE_PREPARERS


def reverse(
    *,
    actor: Actor,
    reversal_reference: str,
    reason: str,
    recovery_id=None,
    reference: str | None = None,
    amount_minor: int | None = None,
) -> Reversal:
    """Take a recovery back, in part or, without an amount, all that is left of it.

    An agency does so while it holds the loan and may name the recovery by its own reference; a
    finance preparer of the bank does so at any time. The same reversal reference with the same
    content gives the first reversal again.

    Raises `NotFound`; `InvalidInput`: `REQUIRED`, `TOO_LONG`, `CARD_NUMBER`, `NOT_POSITIVE`,
    `ABOVE_RECOVERY`, `REFERENCE_TAKEN`; `InvalidState`: `NOTHING_LEFT`.
    """
    policies.demand(actor, MAY_REVERSE)
    reason = texts.reason(reason)
    work.check_reference(reversal_reference, field="reversal_reference")
    if amount_minor is not None:
        work.check_amount(amount_minor)
    reversal_reference = _own_reference(actor, reversal_reference)

    def attempt() -> Reversal:
        moment = clock.now()
        recovery = _named(actor, recovery_id, reference)
        again = _reversed_before(actor, recovery, reversal_reference, amount_minor)
        if again is not None:
            return again
        return _reverse(actor, recovery, reversal_reference, amount_minor, reason, moment)

    with transaction.atomic():
        recoveries.lock_agency(_named(actor, recovery_id, reference).agency_id)
        return work.until_live(attempt)


def _named(actor: Actor, recovery_id, reference: str | None) -> Recovery:
    visible = visible_recoveries(actor)
    if recovery_id is not None:
        return selectors.find(visible, pk=recovery_id)
    if actor.agency_id is None or reference is None:
        raise errors.InvalidInput("REQUIRED", _("Say which recovery."), field="recovery_id")
    return selectors.find(visible, reference=reference)


def _own_reference(actor: Actor, reference: str) -> str:
    """References are the agency's; the bank's begin with its own name so that none collide."""
    if actor.agency_id is not None:
        return reference
    own = recoveries.own_reference(selectors.visible_institutions(actor).get(), reference)
    work.check_reference(own, field="reversal_reference")
    return own


def _reversed_before(actor, recovery, reference: str, amount_minor: int | None) -> Reversal | None:
    before = visible_reversals(actor).filter(agency=recovery.agency_id, reference=reference)
    again = before.first()
    if again is not None and (
        again.recovery_id != recovery.pk or amount_minor not in (None, again.amount_minor)
    ):
        raise recoveries.reference_taken("reversal_reference")
    return again


def _reverse(
    actor: Actor,
    recovery: Recovery,
    reference: str,
    amount_minor: int | None,
    reason: str,
    moment: datetime,
) -> Reversal:
    back = Reversal.objects.filter(recovery=recovery).aggregate(total=Sum("amount_minor"))
    left = recovery.amount_minor - (back["total"] or 0)
    if left == 0:
        raise errors.InvalidState("NOTHING_LEFT", _("All of this was taken back already."))
    if amount_minor is not None and amount_minor > left:
        raise errors.InvalidInput(
            "ABOVE_RECOVERY", _("Reversals cannot exceed the recovery."), field="amount_minor"
        )
    reversal = Reversal(
        institution_id=recovery.institution_id,
        agency_id=recovery.agency_id,
        placement_id=recovery.placement_id,
        spell_id=recovery.spell_id,
        recovery=recovery,
        reference=reference,
        amount_minor=amount_minor or left,
        reason=reason,
        logged_at=moment,
        logged_by=actor.label,
    )
    written = Reversal.objects.bulk_create([reversal], ignore_conflicts=True)
    if not Reversal.objects.filter(pk=written[0].pk).exists():
        raise recoveries.reference_taken("reversal_reference")
    audit.record(
        actor,
        "recovery.reverse",
        recovery,
        reason=reason,
        changes={
            "reference": reversal.reference,
            "amount_minor": reversal.amount_minor,
            "currency": recovery.currency,
        },
        agency_id=recovery.agency_id,
        placement_id=recovery.placement_id,
    )
    return reversal
