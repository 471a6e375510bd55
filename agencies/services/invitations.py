"""Invitations: a link by mail, good once and for seven days, that sets the password."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from agencies import audit, mail, policies, selectors
from agencies.actors import Actor
from agencies.models import Invitation, User
from config import clock, errors

LIFETIME = timedelta(days=7)
SECRET_BYTES = 32
PASSWORD_MAX_LENGTH = 128


def issue(user: User) -> str:
    """Mail a new link to somebody who has not set a password yet; answers the link.

    Only the SHA-256 of its secret is kept, so the link cannot be read again anywhere.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    Invitation.objects.create(
        user=user,
        institution_id=user.institution_id,
        agency_id=user.agency_id,
        secret_sha256=_digest(secret),
        expires_at=clock.now() + LIFETIME,
    )
    link = mail.address(f"/invitations/{secret}/")
    organisation = user.institution or user.agency
    mail.send(
        user.email,
        _("Your invitation to Fairplace"),
        _(
            "Hello %(name)s,\n\n"
            "%(organisation)s invites you to Fairplace as %(role)s.\n"
            "Choose your password here:\n\n%(link)s\n\n"
            "The link works once and for seven days. If you did not expect this message, "
            "ignore it."
        )
        % {
            "name": user.name,
            "organisation": organisation,
            "role": user.get_role_display(),
            "link": link,
        },
    )
    return link


def pending(*, actor: Actor, secret: str) -> Invitation:
    """The invitation behind a link that still works; `NotFound` for every other link."""
    policies.demand(actor, policies.LOGIN)
    return selectors.find(
        selectors.open_invitations(actor).select_related("user", "institution", "agency"),
        secret_sha256=_digest(secret),
    )


def accept(*, actor: Actor, secret: str, password: str) -> User:
    """Set the invited person's password; from now on they can log in.

    Raises `NotFound` for a link that was used, has run out or never was, and `InvalidInput`
    with `WEAK_PASSWORD` for a password that is refused.
    """
    invitation = pending(actor=actor, secret=secret)
    user = invitation.user
    _check_password(password, user)
    with transaction.atomic():
        moment = clock.now()
        used = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=moment)
        if not used.update(used_at=moment):
            raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
        Invitation.objects.filter(user=user, used_at=None).update(used_at=moment)
        user.set_password(password)
        user.save(update_fields=["password"])
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
        audit.record(
            actor,
            "person.accept_invitation",
            user,
            agency_id=user.agency_id,
        )
    return user


def _check_password(password: str, user: User) -> None:
    if len(password) > PASSWORD_MAX_LENGTH:
        raise errors.InvalidInput(
            "WEAK_PASSWORD", _("Choose a password of at most 128 characters."), field="password"
        )
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise errors.InvalidInput(
            "WEAK_PASSWORD", " ".join(error.messages), field="password"
        ) from None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
