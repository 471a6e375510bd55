"""Maintenance: what the bank's daily news means for the loans that it is about.

News of one loan count in the order of their rows: a dispute and then a release leaves it released.
News that say what is so already change nothing, so a file may be sent again by another name.
"""

import dataclasses
import datetime
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from agencies import card_numbers
from agencies.actors import Actor
from portfolios.mappings import Mapping
from portfolios.models import Hold, LoanImport
from portfolios.row_batches import Refused, RowBatch
from portfolios.services import balances, borrowers, direct_payments, holds

HOLDS = {
    "deceased": Hold.Reason.DECEASED,
    "insolvent": Hold.Reason.INSOLVENT,
    "dispute": Hold.Reason.DISPUTE,
    "plan": Hold.Reason.PLAN,
    "settled": Hold.Reason.SETTLED,
}
"""Event of a file → the hold that it opens; the event `released` ends those of all these kinds."""
OF_MONEY = ("balance", "direct_payment")

FirstRows = Callable[[list[str], list[int]], dict[str, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """A loan that a file names."""

    loan_id: uuid.UUID
    currency: str
    has_borrower: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Recorded:
    """A payment that a file names and that was recorded before."""

    facts: tuple[uuid.UUID, int, datetime.date]
    recorded_at: datetime.datetime


Outcome = dict[str, list[int]]
"""Event → [rows that changed something, rows that said what was so already]."""


def sift(
    loan_import: LoanImport, batch: RowBatch, mapping: Mapping, *, first_rows: FirstRows
) -> None:
    """Make bad rows of those whose news cannot be taken, as only the database knows.

    `first_rows` answers for references of payments in which row of the file each was met first.
    """
    columns = batch.columns
    loans = _loans(loan_import, columns["reference"])
    paid = [place for place, event in enumerate(columns["event"]) if event == "direct_payment"]
    references = [columns["payment_reference"][place] for place in paid]
    recorded = _recorded(loan_import, references)
    first = first_rows(references, [batch.numbers[place] for place in paid])
    refused: list[Refused] = []
    for place, reference in enumerate(columns["reference"]):
        row = {name: values[place] for name, values in columns.items()}
        found = _wrong(row, loans.get(reference), loan_import.currency)
        if found is None and row["event"] == "direct_payment":
            first_row = first.get(row["payment_reference"], batch.numbers[place])
            if first_row != batch.numbers[place]:
                found = "payment_reference", "DUPLICATE_PAYMENT", {"first": first_row}
            elif payment := recorded.get(row["payment_reference"]):
                found = _recorded_otherwise(loan_import, row, loans[reference].loan_id, payment)
        if found is not None:
            refused.append((place, *found))
    if refused:
        batch.reject(refused, mapping)


Wrong = tuple[str, str, dict[str, Any]]


def _wrong(row: dict[str, Any], loan: Known | None, currency: str) -> Wrong | None:
    """(field, code, params) of what is wrong with one row; None where nothing is."""
    if loan is None:
        return "reference", "UNKNOWN_LOAN", {}
    if row["event"] in OF_MONEY and loan.currency != currency:
        return "reference", "WRONG_CURRENCY", {"given": currency, "expected": loan.currency}
    if row["event"] == "contact" and not loan.has_borrower:
        return "reference", "NOBODY_NAMED", {}
    if card_numbers.contains_card_number(row["note"]):
        return "note", "CARD_NUMBER", {}
    return None


def _recorded_otherwise(
    loan_import: LoanImport, row: dict[str, Any], loan_id: uuid.UUID, payment: Recorded
) -> Wrong | None:
    """What is wrong with news of a payment that is recorded; None where it is the same."""
    if payment.facts != (loan_id, row["amount_minor"], row["value_on"]):
        return "payment_reference", "OTHER_PAYMENT", {}
    begun = loan_import.phase_started_at
    if loan_import.state == LoanImport.State.IMPORTING and begun and payment.recorded_at > begun:
        # An earlier row of this very file did: the check has left this one out, and told so.
        return "payment_reference", "DUPLICATE_PAYMENT", {"first": ""}
    return None


def _loans(loan_import: LoanImport, references: Sequence[str]) -> dict[str, Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select reference, id, currency, borrower_id is not null from portfolios_loan"
            " where institution_id = %s and reference = any (%s::text[])",
            [loan_import.institution_id, list(set(references))],
        )
        return {reference: Known(*facts) for reference, *facts in cursor.fetchall()}


def _recorded(loan_import: LoanImport, references: Sequence[str]) -> dict[str, Recorded]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select reference, loan_id, amount_minor, value_on, recorded_at"
            " from portfolios_directpayment"
            " where institution_id = %s and reference = any (%s::text[])",
            [loan_import.institution_id, list(references)],
        )
        return {
            reference: Recorded((loan_id, amount_minor, value_on), recorded_at)
            for reference, loan_id, amount_minor, value_on, recorded_at in cursor.fetchall()
        }


def apply(actor: Actor, loan_import: LoanImport, batch: RowBatch) -> Outcome:
    """Do what the good rows of a sifted batch say; the caller holds the transaction.

    Each row's note is the reason of what it does, told to whoever holds the loan.
    """
    columns = batch.columns
    known = _loans(loan_import, columns["reference"])
    loan_ids = [known[reference].loan_id for reference in columns["reference"]]
    said = _("Stated in the bank's file “%(file)s”.") % {"file": loan_import.file_name}
    reasons = [note.strip() or said for note in columns["note"]]
    outcome: Outcome = {}
    for places in _rounds(loan_ids, columns["event"]):
        for event, some in _by_event(places, columns["event"]).items():
            changed = _apply_one(actor, event, some, columns, loan_ids, reasons)
            counts = outcome.setdefault(event, [0, 0])
            counts[0] += changed
            counts[1] += len(some) - changed
    return outcome


def _rounds(loan_ids: Sequence[uuid.UUID], events: Sequence[str]) -> list[list[int]]:
    """Places of rows in rounds: in each a loan has one row, or several payments, in their order.

    What different loans are told does not depend on one another, so a round is done by event.
    """
    rounds: list[list[int]] = []
    last: dict[uuid.UUID, tuple[int, str]] = {}
    for place, (loan_id, event) in enumerate(zip(loan_ids, events, strict=True)):
        number, before = last.get(loan_id, (-1, ""))
        if before != event or event != "direct_payment":
            number += 1
        last[loan_id] = (number, event)
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(place)
    return rounds


def _by_event(places: Iterable[int], events: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place in places:
        found[events[place]].append(place)
    return found


def _apply_one(
    actor: Actor,
    event: str,
    places: Sequence[int],
    columns: dict[str, list[Any]],
    loan_ids: Sequence[uuid.UUID],
    reasons: Sequence[str],
) -> int:
    """Do what rows with one event say; answers how many changed something."""
    if event == "balance":
        corrections = [
            balances.Correction(loan_ids[place], columns["balance_minor"][place])
            for place in places
        ]
        return balances.correct_many(actor=actor, corrections=corrections)
    if event == "direct_payment":
        payments = [
            direct_payments.Payment(
                loan_id=loan_ids[place],
                reference=columns["payment_reference"][place],
                amount_minor=columns["amount_minor"][place],
                value_on=columns["value_on"][place],
            )
            for place in places
        ]
        return len(direct_payments.record_many(actor=actor, payments=payments))
    if event == "contact":
        contacts = [
            borrowers.Correction(
                loan_id=loan_ids[place],
                fields={name: columns[name][place] for name in borrowers.CORRECTABLE},
            )
            for place in places
        ]
        return borrowers.correct_many(actor=actor, corrections=contacts)
    told = {loan_ids[place]: reasons[place] for place in places}
    if event == "released":
        return len(set(holds.release_stated(actor=actor, kinds=HOLDS.values(), reasons=told)))
    return len(holds.open_stated(actor=actor, kind=HOLDS[event], reasons=told))
