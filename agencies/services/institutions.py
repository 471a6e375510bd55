"""Institutions: made by whoever runs the deployment, together with their first administrator."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, texts
from agencies.actors import Actor
from agencies.models import Institution
from agencies.models.users import Role
from agencies.services import people
from config import errors


def create(
    *,
    actor: Actor,
    name: str,
    slug: str,
    time_zone: str,
    administrator_email: str,
    administrator_name: str,
) -> people.Invited:
    """Enter an institution and invite its administrator; answers the person and the link.

    `actor` is `founder_of_institution` of the identifier that it gets; `slug` names it in
    addresses; `time_zone` is an IANA zone. Raises `InvalidInput`.
    """
    policies.demand(actor, policies.FOUNDERS)
    name = texts.fitting(Institution, "name", name, _("Enter the institution's name."))
    _check(slug, time_zone)
    email = people.checked_email(administrator_email, field="administrator_email")
    person = people.checked_name(administrator_name, field="administrator_name")
    institution = Institution(pk=actor.institution_id, name=name, slug=slug, time_zone=time_zone)
    with transaction.atomic():
        try:
            with transaction.atomic():
                institution.save(force_insert=True)
        except IntegrityError:
            raise errors.InvalidInput(
                "SLUG_IN_USE", _("Another institution has this short name."), field="slug"
            ) from None
        audit.record(actor, "institution.create", institution)
        return people.invite(
            actor=actor,
            email=email,
            name=person,
            role=Role.ADMINISTRATOR,
        )


def _check(slug: str, time_zone: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        raise errors.InvalidInput(
            "INVALID_SLUG", _("Use letters, digits and hyphens only."), field="slug"
        ) from None
    if time_zone not in zoneinfo.available_timezones():
        raise errors.InvalidInput(
            "UNKNOWN_TIME_ZONE",
            _("Name a time zone such as Europe/London or Asia/Shanghai."),
            field="time_zone",
        )
