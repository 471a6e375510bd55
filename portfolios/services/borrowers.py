"""Borrowers: found again by the indexes under which they are kept, and corrected."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import AuditEntry
from config import encryption, errors
from portfolios.models import Borrower, Loan
from portfolios.selectors import shown_loans, visible_borrowers, visible_loans
from portfolios.services import changes

MAY_CORRECT = policies.VENDOR_MANAGERS | policies.SWEEPS
MAY_LOOK_UP = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS
INDEXED = ("phone", "national_id")
"""The personal fields that have a blind index, in a column of the same name and `_index`."""
CORRECTABLE = ("name", "phone", "email", "address")
"""The personal fields that a bank states anew; who somebody is does not change."""
LONGEST_VALUE = 200
LOANS_MAX = 100


def indexes(*, institution_id: uuid.UUID, field: str, values: Sequence[str]) -> list[bytes | None]:
    """The blind indexes of many values of one field of `INDEXED`; None where there is no value."""
    return encryption.blind_indexes(values, field=field, owner=institution_id)


def look_up(*, actor: Actor, field: str, value: str, reason: str) -> list[Loan]:
    """The loans of whoever has exactly this phone or national identifier, at most 100.

    Only letters and digits of the value count. The audit trail keeps its keyed digest, and how
    many loans were found. Raises `InvalidInput` for another field, an empty value or no reason.
    """
    policies.demand(actor, MAY_LOOK_UP)
    if field not in INDEXED:
        raise errors.InvalidInput("UNKNOWN_FIELD", _("There is no such field."), field="field")
    reason = texts.reason(reason)
    institution = selectors.find(selectors.visible_institutions(actor), pk=actor.institution_id)
    (index,) = indexes(
        institution_id=institution.pk, field=field, values=[value[: LONGEST_VALUE + 1]]
    )
    if index is None or len(value) > LONGEST_VALUE:
        raise errors.InvalidInput(
            "NO_VALUE", _("Give the whole number, with its letters and digits."), field="value"
        )
    found = visible_borrowers(actor).filter(Q((f"{field}_index", index)))
    loans = shown_loans(actor).filter(borrower__in=found).select_related("borrower")
    listed = list(loans.order_by("reference")[:LOANS_MAX])
    audit.record(
        actor,
        "borrower.look_up",
        institution,
        reason=reason,
        changes={"field": field, "digest": index.hex(), "loans": len(listed)},
    )
    return listed


@dataclasses.dataclass(frozen=True, slots=True)
class Correction:
    """What is new about whoever owes a loan: field of `CORRECTABLE` → text, "" where nothing is."""

    loan_id: uuid.UUID
    fields: Mapping[str, str]


def correct_many(*, actor: Actor, corrections: Sequence[Correction]) -> int:
    """State contact data anew, all or none; answers how many corrections changed something.

    Of the same person's loans each correction changes all; who holds one of them is told that it
    was, not what it was. Raises `NotFound` where a loan is not there; `InvalidState`
    (`NOBODY_NAMED`) where nobody is known to owe one.
    """
    policies.demand(actor, MAY_CORRECT)
    institution = selectors.visible_institutions(actor).get()
    wanted = {one.loan_id for one in corrections}
    with transaction.atomic():
        loans = {loan.pk: loan for loan in visible_loans(actor).filter(pk__in=wanted)}
        if len(loans) != len(wanted):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        owing = {pk: loan.borrower_id for pk, loan in loans.items() if loan.borrower_id}
        if len(owing) != len(loans):
            raise errors.InvalidState("NOBODY_NAMED", _("Nobody is known to owe this loan."))
        people = visible_borrowers(actor).filter(pk__in=set(owing.values()))
        known = {one.pk: _in_clear(one) for one in people.select_for_update().order_by("pk")}
        changed: dict[uuid.UUID, set[str]] = defaultdict(set)
        entries = []
        for one in corrections:
            loan = loans[one.loan_id]
            now = known[owing[loan.pk]]
            new = {name: text for name, text in one.fields.items() if text and text != now[name]}
            now.update(new)
            if new:
                changed[owing[loan.pk]] |= set(new)
                entries.append(_entry(actor, loan, sorted(new)))
        for name in CORRECTABLE:
            stated = {pk: known[pk][name] for pk in changed if name in changed[pk]}
            _write(institution.pk, name, stated)
        theirs = visible_loans(actor).filter(borrower__in=list(changed))
        holders = changes.holders(theirs.values("pk"))
        changes.record_loans(changes.Kind.CONTACT_CORRECTED, holders)
        audit.record_many(entries)
    return len(entries)


def _in_clear(borrower: Borrower) -> dict[str, str]:
    return {name: encryption.reveal(borrower, name) for name in CORRECTABLE}


def _entry(actor: Actor, loan: Loan, fields: list[str]) -> AuditEntry:
    return audit.entry(
        actor,
        "borrower.correct",
        loan,
        changes={"fields": fields},
        agency_id=loan.agency_id,
        placement_id=loan.placement_id,
    )


def _write(institution_id: uuid.UUID, name: str, texts_by_id: Mapping[uuid.UUID, str]) -> None:
    """Seal one field of many borrowers anew, and its index where it has one."""
    keys, values = list(texts_by_id), list(texts_by_id.values())
    table = Borrower._meta.db_table
    sealed = encryption.seal_column(values, table=table, column=name, primary_keys=keys)
    given: list[list] = [keys, sealed]
    changes_index = ""
    if name in INDEXED:
        given.append(indexes(institution_id=institution_id, field=name, values=values))
        changes_index = f", {name}_index = told.found_by"
    with connection.cursor() as cursor:
        cursor.execute(
            f"update {table} b set {name} = told.sealed{changes_index}"  # noqa: S608 - names of our own
            f" from unnest(%s::uuid[], {', '.join(['%s::bytea[]'] * (len(given) - 1))})"
            f" as told (borrower_id, sealed{', found_by' if changes_index else ''})"
            " where b.id = told.borrower_id",
            given,
        )
