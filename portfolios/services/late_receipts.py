"""Late receipts: money that reached an agency after its loans were taken back."""

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import Institution, PanelMembership
from agencies.selectors import visible_memberships
from config import clock, errors, money
from portfolios.models import LateReceipt, PlacedLoan, Recovery
from portfolios.selectors import visible_late_receipts, visible_loans, visible_spells
from portfolios.services import recoveries, tails, work

State = LateReceipt.State
STANDINGS = (PanelMembership.State.APPROVED, PanelMembership.State.SUSPENDED)


def submit(
    *,
    actor: Actor,
    institution_id,
    loan_reference: str,
    reference: str,
    amount_minor: int,
    currency: str,
    value_on: date,
    note: str = "",
) -> LateReceipt:
    """Tell a bank of money that came in late. The loan is never read: any reference is taken.

    `reference` is the agency's own; the same one with the same content gives the first late
    receipt again. Also a suspended agency may submit.

    Raises `NotFound` for an institution that never admitted the agency; `InvalidInput`:
    `REQUIRED`, `TOO_LONG`, `NOT_POSITIVE`, `AMOUNT_TOO_LARGE`, `UNKNOWN_CURRENCY`,
    `FUTURE_DATE`, `CARD_NUMBER`, `REFERENCE_TAKEN`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    work.check_reference(loan_reference, field="loan_reference")
    work.check_reference(reference)
    work.check_amount(amount_minor)
    _check_currency(currency)
    institution = _institution(actor, institution_id)
    content: dict[str, Any] = {
        "agency_id": actor.agency_id,
        "institution": institution,
        "loan_reference": loan_reference,
        "currency": currency,
        "amount_minor": amount_minor,
        "value_on": value_on,
        "note": texts.checked(note, field="note", shortest=0),
    }
    if value_on > clock.business_date(institution.time_zone):
        raise errors.InvalidInput(
            "FUTURE_DATE", _("The value date is in the future."), field="value_on"
        )
    with transaction.atomic():
        recoveries.lock_agency(actor.agency_id)
        known = visible_late_receipts(actor).filter(reference=reference).first()
        if known is not None:
            if any(getattr(known, name) != value for name, value in content.items()):
                raise recoveries.reference_taken()
            return known
        late_receipt = LateReceipt.objects.create(
            reference=reference, submitted_at=clock.now(), **content
        )
        audit.record(
            actor,
            "late_receipt.submit",
            late_receipt,
            changes={"amount_minor": amount_minor, "currency": currency},
        )
    return late_receipt


def _check_currency(currency: str) -> None:
    try:
        money.exponent(currency)
    except errors.InvalidInput as error:
        error.field = "currency"
        raise


def _institution(actor: Actor, institution_id) -> Institution:
    memberships = visible_memberships(actor).filter(state__in=STANDINGS)
    found = memberships.select_related("institution")
    return selectors.find(found, institution=institution_id).institution


def decide(*, actor: Actor, late_receipt_id, accept: bool, reason: str) -> LateReceipt:
    """Accept a late receipt as a recovery in the spell that the agency had, or refuse it.

    The recovery is reported, and confirmed by a receipt like any other.

    Raises `NotFound`; `InvalidInput`: `REQUIRED`, `CARD_NUMBER`; `InvalidState`: `DECIDED`, and
    where it cannot be accepted `LOAN_UNKNOWN`, `NEVER_PLACED`, `STILL_PLACED`,
    `BEFORE_PLACEMENT`, `AFTER_THE_TAIL`, `WRONG_CURRENCY`, `REFERENCE_TAKEN`.
    """
    policies.demand(actor, policies.FINANCE_PREPARERS)
    reason = texts.reason(reason)
    late_receipt = selectors.find(
        visible_late_receipts(actor).select_related("agency", "institution"), pk=late_receipt_id
    )
    state = State.ACCEPTED if accept else State.REFUSED
    with transaction.atomic():
        recoveries.lock_agency(late_receipt.agency_id)
        decided = LateReceipt.objects.filter(pk=late_receipt.pk, state=State.SUBMITTED).update(
            state=state, decided_at=clock.now(), decision_reason=reason
        )
        if not decided:
            raise errors.InvalidState("DECIDED", _("This has been decided already."))
        if accept:
            recovery = _recover(actor, late_receipt)
            LateReceipt.objects.filter(pk=late_receipt.pk).update(recovery=recovery)
        audit.record(
            actor,
            "late_receipt.accept" if accept else "late_receipt.refuse",
            late_receipt,
            reason=reason,
            changes={"state": state},
            agency_id=late_receipt.agency_id,
        )
    late_receipt.refresh_from_db()
    return late_receipt


def _recover(actor: Actor, late_receipt: LateReceipt) -> Recovery:
    """The recovery that the late receipt becomes."""
    spell = _spell(actor, late_receipt)
    recovery = recoveries.new_recovery(
        spell,
        reference=late_receipt.reference,
        currency=late_receipt.currency,
        amount_minor=late_receipt.amount_minor,
        value_on=late_receipt.value_on,
        channel=Recovery.Channel.OTHER,
        left=recoveries.left_minor([spell])[spell.pk],
        logged_at=clock.now(),
        logged_by=late_receipt.agency.name,
    )
    Recovery.objects.bulk_create([recovery], ignore_conflicts=True)
    if not Recovery.objects.filter(pk=recovery.pk).exists():
        raise errors.InvalidState(
            "REFERENCE_TAKEN", _("The agency has reported a payment with this reference already.")
        )
    audit.record_many([recoveries.log_entry(actor, recovery)])
    return recovery


def _spell(actor: Actor, late_receipt: LateReceipt) -> PlacedLoan:
    """The last spell of the agency with the loan that had begun on the value date."""
    loan = visible_loans(actor).filter(reference=late_receipt.loan_reference).first()
    if loan is None:
        raise errors.InvalidState(
            "LOAN_UNKNOWN", _("You have no loan with this reference. Refuse it, or ask the agency.")
        )
    if loan.currency != late_receipt.currency:
        raise errors.InvalidState(
            "WRONG_CURRENCY",
            _("This loan is in %(currency)s. Refuse it and say so.") % {"currency": loan.currency},
        )
    spells = visible_spells(actor).filter(loan=loan, agency=late_receipt.agency_id)
    spells = spells.select_related("institution", "placement").order_by("-opened_at")
    if not spells:
        raise errors.InvalidState(
            "NEVER_PLACED", _("This loan was never placed with the agency. Refuse it.")
        )
    members = visible_memberships(actor).filter(agency=late_receipt.agency_id)
    in_standing = members.filter(state=PanelMembership.State.APPROVED).exists()
    return _ended(list(spells), late_receipt, in_standing)


def _ended(spells: list[PlacedLoan], late_receipt: LateReceipt, in_standing: bool) -> PlacedLoan:
    """The spell among the agency's with the loan, newest first, that the money belongs to."""
    moment = clock.now()
    for spell in spells:
        try:
            work.check_value_date(late_receipt.value_on, spell, moment)
        except errors.InvalidInput:
            continue
        if in_standing and tails.ends_at(spell) > moment:
            raise errors.InvalidState(
                "STILL_PLACED",
                _("The agency still holds this loan and can report the payment itself."),
            )
        day = late_receipt.value_on
        if day > tails.last_day(spell) and day not in tails.of([spell]).get(spell.pk, tails.NONE):
            raise errors.InvalidState(
                "AFTER_THE_TAIL",
                _("The payment came after the placement and on no promise made in it. Refuse it."),
            )
        return spell
    raise errors.InvalidState(
        "BEFORE_PLACEMENT",
        _("The value date is before the loan was placed with the agency. Refuse it."),
    )
