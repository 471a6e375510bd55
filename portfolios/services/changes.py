"""The feed of changes: written in the transaction of the change, read by a cursor.

Whoever reads on from a cursor misses nothing: the entries of one agency are written by one
transaction at a time, which takes their moment once it has the lock, so that they become visible
in the order of their moments.
"""

import base64
import dataclasses
import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from config import clock, errors
from portfolios.models import DirectPayment, PlacedLoan, Placement, PlacementChange
from portfolios.selectors import visible_changes
from portfolios.services import idempotency

Kind = PlacementChange.Kind
BATCH = 2000
PAGE_MAX = 100


def record_placements(
    kind: str, placements: Iterable[Placement], *, due_on: datetime.date | None = None
) -> None:
    """Tell the agencies what happened to all that is left of these placements."""
    _write(
        [
            PlacementChange(
                institution_id=placement.institution_id,
                agency_id=placement.agency_id,
                placement=placement,
                kind=kind,
                reference=placement.title,
                currency=placement.currency,
                due_on=due_on,
            )
            for placement in placements
        ]
    )


def record_loans(
    kind: str,
    spells: Iterable[PlacedLoan],
    *,
    detail: str = "",
    note: str = "",
    notes: Mapping[uuid.UUID, str] | None = None,
    due_on: datetime.date | None = None,
    amounts_minor: Mapping[uuid.UUID, int] | None = None,
) -> None:
    """Tell the agencies what happened to single loans; spells with their `loan`.

    `amounts_minor` maps loans to the amount that the entry is about, `notes` to what is told of
    them instead of `note`. Loans that nobody holds have
    no spell and nobody to tell.
    """
    amounts, own_notes = amounts_minor or {}, notes or {}
    _write(
        [
            _about(
                spell,
                kind,
                detail=detail,
                amount_minor=amounts.get(spell.loan_id),
                due_on=due_on,
                note=own_notes.get(spell.loan_id, note),
            )
            for spell in spells
        ]
    )


def record_payments(received: Iterable[tuple[PlacedLoan, DirectPayment]]) -> None:
    """Tell the agencies that hold loans what was paid to the bank; spells with their `loan`."""
    _write(
        [
            _about(
                spell,
                Kind.DIRECT_PAYMENT,
                amount_minor=payment.amount_minor,
                due_on=payment.value_on,
                note=payment.reference,
            )
            for spell, payment in received
        ]
    )


def _about(spell: PlacedLoan, kind: str, **told) -> PlacementChange:
    return PlacementChange(
        institution_id=spell.institution_id,
        agency_id=spell.agency_id,
        placement_id=spell.placement_id,
        spell=spell,
        loan_id=spell.loan_id,
        kind=kind,
        reference=spell.loan.reference,
        currency=spell.loan.currency,
        **told,
    )


def holders(loan_ids: Iterable) -> list[PlacedLoan]:
    """The open spells of loans, with their `loan`."""
    spells = PlacedLoan.objects.filter(loan__in=loan_ids, closed_at__isnull=True)
    return list(spells.select_related("loan").order_by("pk"))


def _write(entries: list[PlacementChange]) -> None:
    for agency_id in sorted({entry.agency_id for entry in entries}):
        idempotency.lock("placement changes", agency_id)
    moment = clock.now()
    for entry in entries:
        entry.at = moment
    PlacementChange.objects.bulk_create(entries, batch_size=BATCH)


@dataclasses.dataclass(frozen=True)
class Page:
    """Entries in their order; reading on from `cursor` gives those that came after them."""

    changes: Sequence[PlacementChange]
    cursor: str
    has_more: bool


def read(*, actor: Actor, since: str = "", first: int = 100) -> Page:
    """Up to 100 changes after a cursor, from the first one without.

    Raises `InvalidInput`: `PAGE_SIZE`, `INVALID_CURSOR`.
    """
    if not 1 <= first <= PAGE_MAX:
        raise errors.InvalidInput(
            "PAGE_SIZE", _("Say how many you want, from 1 to 100."), field="first"
        )
    found = visible_changes(actor).order_by("at", "pk")
    if since:
        at, pk = _position(since)
        found = found.filter(Q(at__gt=at) | Q(at=at, pk__gt=pk))
    rows = list(found[: first + 1])
    shown = rows[:first]
    return Page(shown, _cursor(shown[-1]) if shown else since, len(rows) > first)


def _cursor(entry: PlacementChange) -> str:
    text = f"{entry.at.isoformat()}|{entry.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[Any, Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, pk = text.split("|")
        moment = datetime.datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(cursor)
        return moment, uuid.UUID(pk)
    except ValueError as error:
        raise errors.InvalidInput(
            "INVALID_CURSOR", _("This is not a cursor of this list."), field="since"
        ) from error
