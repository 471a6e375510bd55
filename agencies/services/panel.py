"""The panel: agencies apply, compliance officers decide, suspend and reinstate."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import PanelMembership, VettingDocument
from config import clock, errors

DOCUMENT_BYTES = 5 * 1024 * 1024
DOCUMENTS_MAX = 10
DOCUMENT_BEGINNINGS = {
    "application/pdf": b"%PDF-",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
}
"""What a file of each permitted type begins with: what somebody says it is proves nothing."""

CAPACITY_MAX = 10_000_000
JURISDICTION = re.compile(r"[A-Z0-9]{2,3}(-[A-Z0-9]{1,6})?")

State = PanelMembership.State


def apply(
    *,
    actor: Actor,
    institution_id,
    licence_number: str,
    jurisdictions: list[str],
    capacity_loans: int,
    documents: Sequence[tuple[str, str, bytes]] = (),
) -> PanelMembership:
    """Ask an institution for a place on its panel, or ask again after a rejection.

    `documents` are `(file name, content type, content)`. Raises `InvalidInput` for an empty or
    impossible field and `InvalidState` when the agency has applied or is on the panel already.
    """
    policies.demand(actor, policies.AGENCY_ADMINISTRATORS)
    institution = selectors.find(selectors.visible_institutions(actor), pk=institution_id)
    licence_number = texts.fitting(
        PanelMembership, "licence_number", licence_number, _("Give the number of your licence.")
    )
    _check_application(jurisdictions, capacity_loans, documents)
    fields: dict[str, Any] = {
        "state": State.APPLIED,
        "licence_number": licence_number,
        "jurisdictions": jurisdictions,
        "capacity_loans": capacity_loans,
        "applied_at": clock.now(),
    }
    with transaction.atomic():
        membership = _open_application(actor, institution, fields)
        VettingDocument.objects.bulk_create(
            VettingDocument(
                membership=membership,
                institution=institution,
                **policies.side_of(actor),
                file_name=name[:120],
                content_type=content_type,
                content=content,
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                uploaded_at=fields["applied_at"],
            )
            for name, content_type, content in documents
        )
        audit.record(
            actor,
            "panel.apply",
            membership,
            changes={"licence_number": licence_number, "documents": len(documents)},
        )
    return membership


def _open_application(actor, institution, fields) -> PanelMembership:
    """A new membership, or the rejected one applied for again."""
    again = PanelMembership.objects.filter(
        institution=institution, agency=actor.agency_id, state=State.REJECTED
    )
    if again.update(decided_at=None, decided_by=None, reason="", **fields):
        return again.model.objects.get(institution=institution, agency=actor.agency_id)
    try:
        with transaction.atomic():
            return PanelMembership.objects.create(
                institution=institution, agency_id=actor.agency_id, **fields
            )
    except IntegrityError:
        raise errors.InvalidState(
            "ALREADY_APPLIED", _("You have already applied to this institution.")
        ) from None


def _check_application(jurisdictions, capacity_loans, documents) -> None:
    if not jurisdictions:
        raise errors.InvalidInput(
            "REQUIRED", _("Name at least one jurisdiction."), field="jurisdictions"
        )
    if not all(JURISDICTION.fullmatch(code) for code in jurisdictions):
        raise errors.InvalidInput(
            "UNKNOWN_JURISDICTION",
            _("Write jurisdictions as codes such as GB or US-NY."),
            field="jurisdictions",
        )
    if not 1 <= capacity_loans <= CAPACITY_MAX:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("Say how many loans you can take."), field="capacity_loans"
        )
    _check_documents(documents)


def _check_documents(documents) -> None:
    if len(documents) > DOCUMENTS_MAX:
        raise errors.InvalidInput("TOO_MANY", _("Send at most ten documents."), field="documents")
    for _name, content_type, content in documents:
        beginning = DOCUMENT_BEGINNINGS.get(content_type)
        if beginning is None or not bytes(content).startswith(beginning):
            raise errors.InvalidInput(
                "BAD_DOCUMENT", _("Documents are PDF, PNG or JPEG files."), field="documents"
            )
        if len(content) > DOCUMENT_BYTES:
            raise errors.InvalidInput(
                "BAD_DOCUMENT", _("A document may have at most 5 MB."), field="documents"
            )


def approve(*, actor: Actor, membership_id, reason: str) -> PanelMembership:
    """Admit an applicant to the panel; from then on it may bid."""
    return _decide(actor, membership_id, reason, State.APPLIED, State.APPROVED, "panel.approve")


def reject(*, actor: Actor, membership_id, reason: str) -> PanelMembership:
    """Turn an applicant down; it may apply again."""
    return _decide(actor, membership_id, reason, State.APPLIED, State.REJECTED, "panel.reject")


def suspend(*, actor: Actor, membership_id, reason: str) -> PanelMembership:
    """End an agency's access to this institution's loans at the next statement."""
    return _decide(actor, membership_id, reason, State.APPROVED, State.SUSPENDED, "panel.suspend")


def reinstate(*, actor: Actor, membership_id, reason: str) -> PanelMembership:
    """Give a suspended agency its standing, and its live placements, back."""
    return _decide(actor, membership_id, reason, State.SUSPENDED, State.APPROVED, "panel.reinstate")


def _decide(actor, membership_id, reason, before, after, action) -> PanelMembership:
    policies.demand(actor, policies.COMPLIANCE_OFFICERS)
    reason = texts.reason(reason)
    membership = selectors.find(selectors.visible_memberships(actor), pk=membership_id)
    with transaction.atomic():
        decided = PanelMembership.objects.filter(pk=membership.pk, state=before).update(
            state=after, decided_at=clock.now(), decided_by=actor.user_id, reason=reason
        )
        if not decided:
            raise errors.InvalidState(
                "NOT_IN_THAT_STATE", _("The membership has changed meanwhile. Look at it again.")
            )
        audit.record(
            actor,
            action,
            membership,
            reason=reason,
            changes={"state": after},
            agency_id=membership.agency_id,
        )
    membership.refresh_from_db()
    return membership
