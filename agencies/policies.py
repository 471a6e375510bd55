"""Who may do what, as sets of roles and pure predicates over an actor."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from agencies.models.users import Role
from config import errors

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR.value})
VENDOR_MANAGERS = frozenset({Role.VENDOR_MANAGER.value})
COMPLIANCE_OFFICERS = frozenset({Role.COMPLIANCE_OFFICER.value})
FINANCE_PREPARERS = frozenset({Role.FINANCE_PREPARER.value})
FINANCE_APPROVERS = frozenset({Role.FINANCE_APPROVER.value})
AUDITORS = frozenset({Role.AUDITOR.value})

INSTITUTION_PEOPLE = (
    ADMINISTRATORS
    | VENDOR_MANAGERS
    | COMPLIANCE_OFFICERS
    | FINANCE_PREPARERS
    | FINANCE_APPROVERS
    | AUDITORS
)
FINANCE = FINANCE_PREPARERS | FINANCE_APPROVERS

AGENCY_ADMINISTRATORS = frozenset({Role.AGENCY_ADMINISTRATOR.value})
AGENCY_PEOPLE = AGENCY_ADMINISTRATORS | {Role.COLLECTOR.value}
MACHINE_CLIENTS = frozenset({"machine_client"})
AGENCY_WORKERS = AGENCY_PEOPLE | MACHINE_CLIENTS
"""Everybody and everything that may log work for an agency."""

EVERYBODY = INSTITUTION_PEOPLE | AGENCY_WORKERS
PEOPLE = INSTITUTION_PEOPLE | AGENCY_PEOPLE
PEOPLE_MANAGERS = ADMINISTRATORS | AGENCY_ADMINISTRATORS
"""Those who invite and deactivate their own people."""

SWEEPS = frozenset({"sweep"})
FOUNDERS = frozenset({"founder"})
LOGIN = frozenset({"login"})
PUBLIC = frozenset({"public"})
ANYBODY = EVERYBODY | PUBLIC
"""Whoever asks, known or not."""


def side_of(actor: Actor) -> dict[str, Any]:
    """The column, and its value, by which a new row belongs to the actor's side."""
    if actor.agency_id:
        return {"agency_id": actor.agency_id}
    return {"institution_id": actor.institution_id}


def allows(actor: Actor, roles: frozenset[str]) -> bool:
    """Whether the actor's role is one of `roles`."""
    return actor.role in roles


def demand(actor: Actor, roles: frozenset[str]) -> None:
    """Raise `NotAllowed` unless the actor's role is one of `roles`."""
    if not allows(actor, roles):
        raise errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))
