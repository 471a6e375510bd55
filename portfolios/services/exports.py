"""Exports: the loans of a placement as rows for a file, as long as the agency may see them.

`ask` makes a link for one person or machine, `begin` follows it once, and `rows` reads what is
sent: at most 500 loans at a time, each part in a transaction of its own that asks again whether
the actor may. What was read is written down, with who and when, before it is sent.
"""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, dberrors, errors
from portfolios import certificates, masks
from portfolios.models import Borrower, Export, ExportPart, Loan
from portfolios.selectors import loan_order, visible_exports, visible_loans, visible_placements
from portfolios.services import loans

LINK_LIFETIME = datetime.timedelta(minutes=5)
PART_ROWS = 500
LOAN_FIELDS = (
    "reference",
    "currency",
    "balance_minor",
    "rate_ppm",
    "opened_on",
    "last_payment_on",
    "days_past_due",
    "region",
    "grade",
    "is_on_hold",
)
FIELDS = (*LOAN_FIELDS, *masks.BY_FIELD)
"""The columns of an export; those of the borrower are masked."""


class CutShort(Exception):
    """Access ended while rows were being sent: whoever sends them must not end the file well."""


def ask(*, actor: Actor, placement_id) -> Export:
    """A link to the loans of a live placement, for this actor alone and for five minutes."""
    policies.demand(actor, policies.AGENCY_WORKERS)
    placement = selectors.find(visible_placements(actor), pk=placement_id)
    moment = clock.now()
    with dberrors.translated(), transaction.atomic():
        export = Export.objects.create(
            institution_id=placement.institution_id,
            agency_id=placement.agency_id,
            placement_id=placement.pk,
            title=placement.title,
            fields=list(FIELDS),
            actor_id=_person(actor),
            actor_label=actor.label,
            requested_at=moment,
            expires_at=moment + LINK_LIFETIME,
        )
        audit.record(
            actor,
            "placement.export",
            placement,
            changes={"columns": len(FIELDS)},
            placement_id=placement.pk,
        )
    return export


def begin(*, actor: Actor, export_id) -> Export:
    """The export behind a link, about to be sent.

    Raises `NotFound` for a link that is somebody else's, `InvalidState` with `LINK_EXPIRED` after
    its five minutes or when access to the placement has ended, or `LINK_USED`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    own = visible_exports(actor).filter(actor_id=_person(actor))
    export = selectors.find(own, pk=export_id)
    is_live = visible_placements(actor).filter(pk=export.placement_id).exists()
    if not is_live or export.expires_at <= clock.now():
        raise errors.InvalidState(
            "LINK_EXPIRED", _("This link has expired. Ask for another one at the placement.")
        )
    if export.parts.exists():
        raise _used()
    return export


def _person(actor: Actor) -> uuid.UUID:
    """Whose a link is: every worker of an agency is a person or a machine."""
    if actor.id is None:
        raise errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))
    return actor.id


def _used() -> errors.InvalidState:
    return errors.InvalidState(
        "LINK_USED", _("This link was used already. Ask for another one at the placement.")
    )


def rows(*, actor: Actor, export: Export) -> Iterator[list[dict[str, Any]]]:
    """The rows of a begun export in parts of at most 500, each a dict of `FIELDS`.

    Opens a scope for each part: take them outside of any other. Raises `CutShort` where access
    has ended since the part before.
    """
    last_read, is_last, number = None, False, 0
    while not is_last:
        try:
            with dberrors.translated(), scope(actor):
                part = _next_loans(actor, export, after=last_read)
                is_last = len(part) < PART_ROWS
                _write_down(export, number, part, is_last)
                found = [_row(loan) for loan in part]
        except (errors.DomainError, IntegrityError) as error:
            raise CutShort(export.pk) from error
        yield found
        last_read, number = part[-1].pk if part else last_read, number + 1


def _next_loans(actor: Actor, export: Export, *, after) -> list[Loan]:
    # Were the placement not live any more, there would simply be no more loans in it.
    selectors.find(visible_placements(actor), pk=export.placement_id)
    left = visible_loans(actor).filter(placement=export.placement_id)
    if after is not None:
        left = left.filter(pk__gt=after)
    return list(left.select_related("borrower").order_by(*loan_order(actor), "pk")[:PART_ROWS])


def _write_down(export: Export, number: int, part: list[Loan], is_last: bool) -> None:
    ExportPart.objects.create(
        institution_id=export.institution_id,
        agency_id=export.agency_id,
        placement_id=export.placement_id,
        export=export,
        number=number,
        row_count=len(part),
        digests=b"".join(
            certificates.digest_of(settings.BLIND_INDEX_KEY, loan.pk) for loan in part
        ),
        is_last=is_last,
        read_at=clock.now(),
    )


def _row(loan: Loan) -> dict[str, Any]:
    borrower: Borrower | None = loan.borrower
    facts = {name: getattr(loan, name) for name in LOAN_FIELDS}
    return facts | loans.masked_fields(borrower)
