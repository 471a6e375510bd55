"""People: invited, given a role, deactivated and brought back by their own administrator."""

import dataclasses

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, sessions, texts
from agencies.actors import Actor
from agencies.models import User
from agencies.models.users import AGENCY_ROLES, INSTITUTION_ROLES, Role
from agencies.services import invitations
from config import errors

INVALID_EMAIL = _("Enter an e-mail address.")
ADMINISTRATOR_ROLES = (Role.ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR)


@dataclasses.dataclass(frozen=True)
class Invited:
    """A new person and the link that was mailed to them; show the link to nobody else."""

    user: User
    link: str


class EmailInUse(errors.InvalidInput):
    """Somebody, here or elsewhere, logs in with this address."""

    def __init__(self):
        super().__init__("EMAIL_IN_USE", _("This e-mail address cannot be invited."), field="email")


def invite(*, actor: Actor, email: str, name: str, role: str) -> Invited:
    """Enter a new colleague and mail them a link to choose a password.

    Raises `InvalidInput` for an address that is none (`INVALID_EMAIL`) or is taken
    (`EMAIL_IN_USE`), an empty name, or a role of the other side (`ROLE_DOES_NOT_FIT`).
    """
    policies.demand(actor, policies.PEOPLE_MANAGERS | policies.FOUNDERS)
    email, name = checked_email(email), checked_name(name)
    user = User(
        email=email,
        name=name,
        role=_fitting_role(actor, role),
        **policies.side_of(actor),
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailInUse from None
    audit.record(actor, "person.invite", user, changes={"role": user.role})
    return Invited(user, invitations.issue(user))


def resend(*, actor: Actor, user_id) -> Invited:
    """Mail another link to somebody who has not used theirs; raises `InvalidState` if they have."""
    policies.demand(actor, policies.PEOPLE_MANAGERS)
    user = selectors.find(selectors.visible_users(actor), pk=user_id)
    if not user.is_active or user.has_usable_password():
        raise errors.InvalidState("NOT_PENDING", _("This person needs no invitation."))
    audit.record(actor, "person.resend_invitation", user)
    return Invited(user, invitations.issue(user))


def deactivate(*, actor: Actor, user_id, reason: str) -> User:
    """Shut somebody out at their next request, in every browser.

    Raises `InvalidInput` for oneself, `InvalidState` when they are inactive already or the last
    administrator who can log in.
    """
    policies.demand(actor, policies.PEOPLE_MANAGERS)
    reason = texts.reason(reason)
    user = _colleague(actor, user_id)
    with transaction.atomic():
        _keep_an_administrator(actor, user)
        _swap(user, {"is_active": True}, {"is_active": False})
        sessions.end_all(user.pk)
        audit.record(actor, "person.deactivate", user, reason=reason, changes={"is_active": False})
    user.refresh_from_db()
    return user


def reactivate(*, actor: Actor, user_id, reason: str) -> User:
    """Let somebody log in again, with the password they had; no old session comes back."""
    policies.demand(actor, policies.PEOPLE_MANAGERS)
    reason = texts.reason(reason)
    user = _colleague(actor, user_id)
    with transaction.atomic():
        _swap(user, {"is_active": False}, {"is_active": True})
        # One that was being written while the person was deactivated.
        sessions.end_all(user.pk)
        audit.record(actor, "person.reactivate", user, reason=reason, changes={"is_active": True})
    user.refresh_from_db()
    return user


def change_role(*, actor: Actor, user_id, role: str, reason: str) -> User:
    """Give a colleague another role of the same side, from their next request on."""
    policies.demand(actor, policies.PEOPLE_MANAGERS)
    reason = texts.reason(reason)
    user = _colleague(actor, user_id)
    role = _fitting_role(actor, role)
    with transaction.atomic():
        if role not in ADMINISTRATOR_ROLES:
            _keep_an_administrator(actor, user)
        if role == user.role:
            raise errors.InvalidInput(
                "SAME_ROLE", _("This person has that role already."), field="role"
            )
        _swap(user, {"role": user.role}, {"role": role})
        audit.record(
            actor,
            "person.change_role",
            user,
            reason=reason,
            changes={"role": role},
        )
    user.refresh_from_db()
    return user


def _colleague(actor: Actor, user_id) -> User:
    user = selectors.find(selectors.visible_users(actor), pk=user_id)
    if user.pk == actor.user_id:
        raise errors.InvalidInput(
            "ONESELF", _("Ask another administrator to change your own access.")
        )
    return user


def _keep_an_administrator(actor: Actor, user: User) -> None:
    """Refuse what would leave nobody to manage people, two at the same moment included."""
    administrators = selectors.visible_users(actor).filter(
        role__in=ADMINISTRATOR_ROLES, is_active=True
    )
    locked = administrators.select_for_update().order_by("pk")
    if not any(other.pk != user.pk and other.has_usable_password() for other in locked):
        raise errors.InvalidState(
            "LAST_ADMINISTRATOR", _("This is the last administrator; name another one first.")
        )


def _swap(user: User, before: dict, after: dict) -> None:
    if not User.objects.filter(pk=user.pk, **before).update(**after):
        raise errors.InvalidState(
            "NOT_IN_THAT_STATE", _("This person has been changed meanwhile. Look again.")
        )


def checked_email(email: str, *, field: str = "email") -> str:
    """The address as it is kept, in lower case; raises `InvalidInput` if it is none."""
    email = texts.fitting(User, "email", email, INVALID_EMAIL, field=field).lower()
    try:
        validate_email(email)
    except ValidationError:
        raise errors.InvalidInput("INVALID_EMAIL", INVALID_EMAIL, field=field) from None
    return email


def checked_name(name: str, *, field: str = "name") -> str:
    """The name as it is kept; raises `InvalidInput` if it is empty or too long."""
    return texts.fitting(User, "name", name, _("Enter a name."), field=field)


def _fitting_role(actor: Actor, role: str) -> str:
    fitting = AGENCY_ROLES if actor.agency_id else INSTITUTION_ROLES
    if role not in [one.value for one in fitting]:
        raise errors.InvalidInput(
            "ROLE_DOES_NOT_FIT", _("Choose one of your organisation's roles."), field="role"
        )
    return str(role)
