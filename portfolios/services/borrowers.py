"""Borrowers found again: the indexes under which they are kept, and looking them up by them."""

import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import encryption, errors
from portfolios.models import Loan
from portfolios.selectors import shown_loans, visible_borrowers

MAY_LOOK_UP = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS
INDEXED = ("phone", "national_id")
"""The personal fields that have a blind index, in a column of the same name and `_index`."""
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
