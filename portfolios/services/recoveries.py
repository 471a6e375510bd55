"""Recoveries: reported by agencies in batches, taken back in part or whole, never edited."""

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import Institution
from config import clock, errors
from portfolios.models import PlacedLoan, Recovery, Reversal
from portfolios.selectors import visible_recoveries, visible_reversals
from portfolios.services import idempotency, work
from portfolios.services.work import Answer

OPERATION = "recoveries.log"
ABOVE_BALANCE = "ABOVE_BALANCE"
MAY_REVERSE = policies.AGENCY_WORKERS | policies.FINANCE_PREPARERS
_SLUG_SHOWN = 20


def log(*, actor: Actor, idempotency_key: str, rows: list[dict]) -> list[Answer]:
    """Report up to 500 payments; each row is answered on its own, the whole has one effect.

    A row is `{loan_reference, institution?, reference, amount_minor, currency?, value_on,
    channel}`; `reference` is the agency's own, unique per agency. The same key with the same
    rows gives the first answer again, save for loans that the agency may not see any more.
    Money above what is left of the loan is recorded, with the warning `ABOVE_BALANCE`.

    Raises `InvalidInput`: `REQUIRED`, `TOO_LONG`, `TOO_MANY_ROWS`, `KEY_REUSED`. Codes of rows:
    `NOT_FOUND`, `REFERENCE_TAKEN`, `NOT_POSITIVE`, `AMOUNT_TOO_LARGE`, `WRONG_CURRENCY`,
    `FUTURE_DATE`, `BEFORE_PLACEMENT`, `AMBIGUOUS_LOAN`, `UNKNOWN_CHOICE`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    work.check_batch(rows)
    with transaction.atomic():
        lock_agency(actor.agency_id)
        first = idempotency.first_answer(actor, OPERATION, idempotency_key, rows)
        if first is not None:
            return work.seen_now(actor, first)
        answers = work.until_live(lambda: _log_rows(actor, rows))
        stored = [answer.stored() for answer in answers]
        idempotency.keep(actor, OPERATION, idempotency_key, rows, stored)
    return answers


def lock_agency(agency_id) -> None:
    """One writer of an agency's money at a time: references and balances are then exact."""
    idempotency.lock("recoveries", agency_id)


def _log_rows(actor: Actor, rows: list[dict]) -> list[Answer]:
    """The answers to the rows, and what they report written.

    References of payments that the agency may not read any more show only as conflicts of the
    insert; it is then undone and planned again without those rows.
    """
    batch = _Batch(actor, rows, taken=set())
    with transaction.atomic():
        batch.taken = _insert(batch.planned)
        transaction.set_rollback(bool(batch.taken))
    if batch.taken:
        batch = _Batch(actor, rows, taken=batch.taken)
        _insert(batch.planned)
    _record(actor, batch.planned)
    return batch.answers


class _Batch:
    """What is to be done about the rows: `answers`, and the recoveries `planned`."""

    def __init__(self, actor: Actor, rows: list[dict], *, taken: set[str]):
        self.actor = actor
        self.moment = clock.now()
        self.taken = taken
        self.planned: list[Recovery] = []
        self.spells = work.open_spells(actor, [row["loan_reference"] for row in rows])
        self.left_minor = left_minor([one for found in self.spells.values() for one in found])
        known = visible_recoveries(actor).filter(reference__in={row["reference"] for row in rows})
        self.known = {recovery.reference: recovery for recovery in known}
        self.answers = [self._answer(number, row) for number, row in enumerate(rows, 1)]

    def _answer(self, number: int, row: dict) -> Answer:
        spell = None
        try:
            work.check_reference(row["reference"])
            work.check_amount(row["amount_minor"])
            spell = work.spell_of(self.spells[row["loan_reference"]], row.get("institution"))
            recovery, outcome = self._recovery(row, spell)
        except errors.DomainError as error:
            return work.refused(number, error, spell)
        return Answer(
            row=number,
            outcome=outcome,
            id=str(recovery.pk),
            spell_id=str(recovery.spell_id),
            warnings=(ABOVE_BALANCE,) if recovery.is_above_balance else (),
        )

    def _recovery(self, row: dict, spell: PlacedLoan) -> tuple[Recovery, str]:
        currency = work.checked_currency(row.get("currency"), spell)
        if row["channel"] not in Recovery.Channel.values:
            raise errors.InvalidInput(
                "UNKNOWN_CHOICE", _("Choose one of the list."), field="channel"
            )
        if row["reference"] in self.taken:
            raise reference_taken()
        known = self.known.get(row["reference"])
        if known is not None:
            if not _says_the_same(known, row, spell):
                raise reference_taken()
            return known, work.ALREADY_RECORDED
        work.check_value_date(row["value_on"], spell, self.moment)
        recovery = new_recovery(
            spell,
            reference=row["reference"],
            currency=currency,
            amount_minor=row["amount_minor"],
            value_on=row["value_on"],
            channel=str(row["channel"]),
            left=self.left_minor[spell.pk],
            logged_at=self.moment,
            logged_by=self.actor.label,
        )
        self.left_minor[spell.pk] -= recovery.amount_minor
        self.known[recovery.reference] = recovery
        self.planned.append(recovery)
        return recovery, work.RECORDED


def _says_the_same(known: Recovery, row: dict, spell: PlacedLoan) -> bool:
    return (
        known.spell_id == spell.pk
        and known.amount_minor == row["amount_minor"]
        and known.value_on == row["value_on"]
        and known.channel == row["channel"]
    )


def reference_taken(field: str = "reference") -> errors.InvalidInput:
    """The refusal for a reference that another payment has."""
    return errors.InvalidInput(
        "REFERENCE_TAKEN", _("Another payment has this reference already."), field=field
    )


def new_recovery(spell: PlacedLoan, *, left: int, **payment) -> Recovery:
    """A recovery in a spell of which `left` minor units are left, not saved."""
    return Recovery(
        institution_id=spell.institution_id,
        agency_id=spell.agency_id,
        placement_id=spell.placement_id,
        spell=spell,
        loan_id=spell.loan_id,
        is_above_balance=payment["amount_minor"] > left,
        **payment,
    )


def left_minor(spells: list[PlacedLoan]) -> dict:
    """Spell → its balance at placement less what was recovered in it, net of reversals."""
    mine = {"spell__in": [spell.pk for spell in spells]}
    left = {spell.pk: spell.balance_minor for spell in spells}
    for model, sign in ((Recovery, -1), (Reversal, 1)):
        totals = model.objects.filter(**mine).values("spell").annotate(total=Sum("amount_minor"))
        for row in totals.order_by():
            left[row["spell"]] += sign * row["total"]
    return left


def _insert(recoveries: list[Recovery]) -> set[str]:
    """Write the recoveries; answers the references that were taken, of which none is written."""
    Recovery.objects.bulk_create(recoveries, ignore_conflicts=True, batch_size=work.ROWS_MAX)
    keys = [recovery.pk for recovery in recoveries]
    written = set(Recovery.objects.filter(pk__in=keys).values_list("pk", flat=True))
    return {recovery.reference for recovery in recoveries if recovery.pk not in written}


def _record(actor: Actor, recoveries: list[Recovery]) -> None:
    audit.record_many([log_entry(actor, recovery) for recovery in recoveries])


def log_entry(actor: Actor, recovery: Recovery):
    """The audit entry about a newly reported recovery."""
    return audit.entry(
        actor,
        "recovery.log",
        recovery,
        changes={
            "amount_minor": recovery.amount_minor,
            "currency": recovery.currency,
        }
        | ({"is_above_balance": True} if recovery.is_above_balance else {}),
        agency_id=recovery.agency_id,
        placement_id=recovery.placement_id,
        at=recovery.logged_at,
    )


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
        lock_agency(_named(actor, recovery_id, reference).agency_id)
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
    own = own_reference(selectors.visible_institutions(actor).get(), reference)
    work.check_reference(own, field="reversal_reference")
    return own


def own_reference(institution: Institution, reference: str) -> str:
    """A reference of the bank's among those of an agency."""
    return f"{institution.slug[:_SLUG_SHOWN]}:{reference}"


def _reversed_before(actor, recovery, reference: str, amount_minor: int | None) -> Reversal | None:
    before = visible_reversals(actor).filter(agency=recovery.agency_id, reference=reference)
    again = before.first()
    if again is not None and (
        again.recovery_id != recovery.pk or amount_minor not in (None, again.amount_minor)
    ):
        raise reference_taken("reversal_reference")
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
        raise reference_taken("reversal_reference")
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
