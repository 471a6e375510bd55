"""Writing the audit trail and the log of refusals."""

import logging

from agencies.actors import Actor
from agencies.models import AuditEntry, Denial
from config import clock

logger = logging.getLogger(__name__)


def entry(
    actor: Actor,
    action: str,
    subject,
    *,
    reason: str = "",
    changes: dict | None = None,
    institution_id=None,
    agency_id=None,
    placement_id=None,
    sealed_until=None,
    at=None,
) -> AuditEntry:
    """An entry about `subject` (a saved model), not yet written.

    `action` is `noun.verb`. `institution_id` defaults to the subject's or the actor's; an agency
    reads the entry only when `agency_id` is given, or when it acted itself. `changes` maps names
    of columns to new values and never holds personal data.
    """
    return AuditEntry(
        at=at or clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        object_type=subject._meta.model_name,
        object_id=subject.pk,
        reason=reason,
        changes=changes or {},
        institution_id=institution_id
        or getattr(subject, "institution_id", None)
        or actor.institution_id,
        agency_id=agency_id or actor.agency_id,
        placement_id=placement_id,
        sealed_until=sealed_until,
    )


def record(actor: Actor, action: str, subject, **details) -> None:
    """Write one entry, in the transaction of the change that it is about."""
    entry(actor, action, subject, **details).save(force_insert=True)


def record_many(entries: list[AuditEntry]) -> None:
    """Write the entries of a bulk change in few statements."""
    AuditEntry.objects.bulk_create(entries, batch_size=2000)


def deny(actor: Actor, operation: str, error) -> None:
    """Log that `actor` was refused `operation`; kept when the operation itself is rolled back."""
    logger.warning("denied %s to %s %s: %s", operation, actor.kind, actor.id, error.code)
    Denial(
        at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        operation=operation[:120],
        code=error.code,
        institution_id=actor.institution_id,
        agency_id=actor.agency_id,
    ).save(force_insert=True)
