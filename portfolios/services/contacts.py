"""Contacts with borrowers: every one is recorded; what seems to break a rule is flagged."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, texts
from agencies.actors import Actor
from config import clock, errors
from portfolios import conduct
from portfolios.models import Contact, PlacedLoan
from portfolios.selectors import visible_contacts
from portfolios.services import idempotency, work
from portfolios.services.work import Answer

OPERATION = "contacts.log"
HISTORY = timedelta(days=31)
"""Longer than any window in `portfolios.conduct`."""

CHOICES = {
    "measure": Contact.Measure,
    "channel": Contact.Channel,
    "direction": Contact.Direction,
    "outcome": Contact.Outcome,
}


def log(
    *,
    actor: Actor,
    measure: str,
    channel: str,
    direction: str,
    outcome: str,
    happened_at: datetime,
    loan_id=None,
    reference: str | None = None,
    institution: str | None = None,
    note: str = "",
) -> Contact:
    """Record one attempt or conversation about a loan, named by its id or its reference.

    `happened_at` knows its time zone. Never refused for breaking a rule of conduct: `flags` of
    the contact say which it seems to break (codes of `portfolios.conduct`), for compliance.

    Raises `NotFound` for a loan that the actor may not work on; `InvalidInput`: `FUTURE_DATE`,
    `BEFORE_PLACEMENT`, `UNKNOWN_CHOICE`, `TOO_LONG`, `CARD_NUMBER`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    row = {
        "measure": measure,
        "channel": channel,
        "direction": direction,
        "outcome": outcome,
        "happened_at": happened_at,
        "note": note,
    }

    def attempt() -> Contact:
        spell = work.find_spell(
            actor, loan_id=loan_id, reference=reference, institution=institution
        )
        contact = _contact(actor, spell, row, clock.now())
        contact.flags = _flags(contact, spell, _history(actor, [contact])[spell.loan_id])
        _insert(actor, [contact])
        return contact

    with transaction.atomic():
        idempotency.lock(OPERATION, actor.agency_id)
        return work.until_live(attempt)


def log_many(*, actor: Actor, idempotency_key: str, rows: list[dict]) -> list[Answer]:
    """Record up to 500 contacts, each row answered on its own; one effect per key.

    A row is `{loan_reference, institution?, measure, channel, direction, outcome, happened_at,
    note?}`. The warnings of an answer are the flags of the contact.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    work.check_batch(rows)
    with transaction.atomic():
        idempotency.lock(OPERATION, actor.agency_id)
        first = idempotency.first_answer(actor, OPERATION, idempotency_key, rows)
        if first is not None:
            return work.seen_now(actor, first)
        answers = work.until_live(lambda: _log_rows(actor, rows))
        stored = [answer.stored() for answer in answers]
        idempotency.keep(actor, OPERATION, idempotency_key, rows, stored)
    return answers


def _log_rows(actor: Actor, rows: list[dict]) -> list[Answer]:
    moment = clock.now()
    found = work.open_spells(actor, [row["loan_reference"] for row in rows])
    answers: list[Answer] = []
    planned: dict[int, tuple[Contact, PlacedLoan]] = {}
    for number, row in enumerate(rows, 1):
        spell = None
        try:
            spell = work.spell_of(found[row["loan_reference"]], row.get("institution"))
            planned[number] = (_contact(actor, spell, row, moment), spell)
        except errors.DomainError as error:
            answers.append(work.refused(number, error, spell))
    history = _history(actor, [contact for contact, _spell in planned.values()])
    for number, (contact, spell) in planned.items():
        contact.flags = _flags(contact, spell, history[spell.loan_id])
        history[spell.loan_id].append(_plain(contact))
        answers.append(
            Answer(
                row=number,
                outcome=work.RECORDED,
                id=str(contact.pk),
                spell_id=str(spell.pk),
                warnings=tuple(contact.flags),
            )
        )
    _insert(actor, [contact for contact, _spell in planned.values()])
    return sorted(answers, key=lambda answer: answer.row)


def _contact(actor: Actor, spell: PlacedLoan, row: dict, moment: datetime) -> Contact:
    """The contact of a row, checked, not yet flagged or saved."""
    for field, kind in CHOICES.items():
        if row[field] not in kind.values:
            raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the list."), field=field)
    if row["happened_at"] > moment:
        raise errors.InvalidInput(
            "FUTURE_DATE", _("This moment is in the future."), field="happened_at"
        )
    if row["happened_at"] < spell.opened_at:
        raise errors.InvalidInput(
            "BEFORE_PLACEMENT",
            _("This moment is before the loan was placed with you."),
            field="happened_at",
        )
    return Contact(
        institution_id=spell.institution_id,
        agency_id=spell.agency_id,
        placement_id=spell.placement_id,
        spell=spell,
        loan_id=spell.loan_id,
        logged_at=moment,
        logged_by=actor.label,
        happened_at=row["happened_at"],
        note=texts.checked(row.get("note") or "", field="note", shortest=0),
        **{field: str(row[field]) for field in CHOICES},
    )


def _history(actor: Actor, contacts: list[Contact]) -> dict:
    """What is known of the same loans around the same time, by loan."""
    history = defaultdict(list)
    if contacts:
        moments = [contact.happened_at for contact in contacts]
        known = visible_contacts(actor).filter(
            loan__in={contact.loan_id for contact in contacts},
            happened_at__range=(min(moments) - HISTORY, max(moments) + HISTORY),
        )
        for contact in known:
            history[contact.loan_id].append(_plain(contact))
    return history


def _plain(contact: Contact) -> conduct.Contact:
    return conduct.Contact(contact.happened_at, contact.channel, contact.direction, contact.outcome)


def _flags(contact: Contact, spell: PlacedLoan, history: list[conduct.Contact]) -> list[str]:
    jurisdiction = spell.placement.jurisdiction
    return conduct.flags(
        _plain(contact),
        history,
        conduct.rules_for(jurisdiction),
        zones=conduct.time_zones(
            jurisdiction, spell.loan.region, fallback=spell.institution.time_zone
        ),
        on_hold=spell.loan.is_on_hold,
    )


def _insert(actor: Actor, contacts: list[Contact]) -> None:
    Contact.objects.bulk_create(contacts, batch_size=work.ROWS_MAX)
    audit.record_many(
        [
            audit.entry(
                actor,
                "contact.log",
                contact,
                changes={"flags": contact.flags} if contact.flags else {},
                agency_id=contact.agency_id,
                placement_id=contact.placement_id,
                at=contact.logged_at,
            )
            for contact in contacts
        ]
    )
