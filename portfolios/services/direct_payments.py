"""Direct payments: money that a borrower paid to the bank itself, and for whom it counts.

A payment on a promise made in a spell still counts for the agency of that spell for the days of
its tail; else it counts for the agency that holds the loan on its value date; else for nobody.
It is then a recovery of that spell, confirmed by the bank's receipts like any other.
"""

import dataclasses
import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import DirectPayment, Loan, PlacedLoan, Recovery
from portfolios.selectors import visible_direct_payments, visible_loans, visible_spells
from portfolios.services import changes, idempotency, recoveries, tails, work

MAY_RECORD = policies.FINANCE_PREPARERS | policies.VENDOR_MANAGERS
BATCH = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Payment:
    """One payment; `reference` is the bank's own, and unique in it."""

    loan_id: uuid.UUID
    reference: str
    amount_minor: int
    value_on: datetime.date


def record_many(*, actor: Actor, payments: Sequence[Payment]) -> list[DirectPayment]:
    """Record payments, all or none; an agency that is concerned is told.

    A reference that was recorded before is left out: nothing counts twice. Raises `NotFound`
    where a loan is not there; `InvalidInput` with the row counted from 1: `REQUIRED`, `TOO_LONG`,
    `NOT_POSITIVE`, `AMOUNT_TOO_LARGE`, `FUTURE_DATE`, `TWICE`.
    """
    policies.demand(actor, MAY_RECORD | policies.SWEEPS)
    institution = selectors.visible_institutions(actor).get()
    _check(payments, clock.business_date(institution.time_zone))
    with transaction.atomic():
        idempotency.lock("direct payments", institution.pk)
        known = visible_direct_payments(actor).filter(reference__in=[p.reference for p in payments])
        recorded = set(known.values_list("reference", flat=True))
        fresh = [payment for payment in payments if payment.reference not in recorded]
        loans = {loan.pk: loan for loan in visible_loans(actor).filter(pk__in=_loan_ids(fresh))}
        if len(loans) != len(_loan_ids(fresh)):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        spells = _spells_that_earn(actor, fresh)
        for agency_id in sorted({spell.agency_id for spell in spells.values()}):
            recoveries.lock_agency(agency_id)
        made = _write(institution, fresh, loans, spells)
        _tell(actor, made, spells)
    return made


def _loan_ids(payments: Iterable[Payment]) -> set[uuid.UUID]:
    return {payment.loan_id for payment in payments}


def _check(payments: Sequence[Payment], today: datetime.date) -> None:
    seen = set()
    for row, payment in enumerate(payments, 1):
        try:
            work.check_reference(payment.reference)
            work.check_amount(payment.amount_minor)
            if payment.value_on > today:
                raise errors.InvalidInput(
                    "FUTURE_DATE", _("The value date is in the future."), field="value_on"
                )
            if payment.reference in seen:
                raise recoveries.reference_taken()
        except errors.InvalidInput as error:
            error.row = row
            raise
        seen.add(payment.reference)


def _spells_that_earn(actor: Actor, payments: Sequence[Payment]) -> dict[str, PlacedLoan]:
    """The spell for which each payment counts, by the payment's reference."""
    spells = visible_spells(actor).filter(loan__in=_loan_ids(payments))
    by_loan = defaultdict(list)
    for spell in spells.select_related("placement", "institution", "loan").order_by("-opened_at"):
        by_loan[spell.loan_id].append(spell)
    days = tails.of([spell for some in by_loan.values() for spell in some])
    found = {}
    for payment in payments:
        mine, day = by_loan[payment.loan_id], payment.value_on
        tail = [spell for spell in mine if day in days.get(spell.pk, tails.NONE)]
        held = [s for s in mine if tails.first_day(s) <= day <= tails.last_day(s)]
        if tail or held:
            found[payment.reference] = (tail or held)[0]
    return found


def _write(
    institution,
    payments: Sequence[Payment],
    loans: dict[uuid.UUID, Loan],
    spells: dict[str, PlacedLoan],
) -> list[DirectPayment]:
    moment = clock.now()
    left = recoveries.left_minor(list({spell.pk: spell for spell in spells.values()}.values()))
    counted = {}
    for payment in payments:
        spell = spells.get(payment.reference)
        if spell is not None:
            counted[payment.reference] = recoveries.new_recovery(
                spell,
                reference=recoveries.own_reference(institution, payment.reference),
                currency=loans[payment.loan_id].currency,
                amount_minor=payment.amount_minor,
                value_on=payment.value_on,
                channel=Recovery.Channel.OTHER,
                left=left[spell.pk],
                logged_at=moment,
                logged_by=institution.name,
            )
            left[spell.pk] -= payment.amount_minor
    Recovery.objects.bulk_create(counted.values(), batch_size=BATCH)
    return DirectPayment.objects.bulk_create(
        [
            DirectPayment(
                institution=institution,
                loan=loans[payment.loan_id],
                reference=payment.reference,
                currency=loans[payment.loan_id].currency,
                amount_minor=payment.amount_minor,
                value_on=payment.value_on,
                recovery=counted.get(payment.reference),
                recorded_at=moment,
            )
            for payment in payments
        ],
        batch_size=BATCH,
    )


def _tell(actor: Actor, made: list[DirectPayment], spells: dict[str, PlacedLoan]) -> None:
    """The holders of the loans are told of each payment, the trail of all."""
    holders = {spell.loan_id: spell for spell in changes.holders({one.loan_id for one in made})}
    changes.record_payments([(holders[one.loan_id], one) for one in made if one.loan_id in holders])
    audit.record_many(
        [
            audit.entry(
                actor,
                "loan.direct_payment",
                one.loan,
                changes={"amount_minor": one.amount_minor, "currency": one.currency},
                at=one.recorded_at,
            )
            for one in made
        ]
    )
    audit.record_many(
        [recoveries.log_entry(actor, one.recovery) for one in made if one.recovery is not None]
    )
