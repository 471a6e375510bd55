"""Recoveries: reported by agencies in batches, never edited."""

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies
from agencies.actors import Actor
from agencies.models import Institution
from config import clock, errors
from portfolios.models import PlacedLoan, Recovery, Reversal
from portfolios.selectors import visible_recoveries
from portfolios.services import idempotency, work
from portfolios.services.work import Answer

OPERATION = "recoveries.log"
ABOVE_BALANCE = "ABOVE_BALANCE"
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


def own_reference(institution: Institution, reference: str) -> str:
    """A reference of the bank's among those of an agency."""
    return f"{institution.slug[:_SLUG_SHOWN]}:{reference}"
