"""Agencies: anybody may register one; what it may see, banks decide afterwards."""

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, countries, mail, policies, texts
from agencies.actors import Actor
from agencies.models import Agency
from agencies.models.users import Role
from agencies.services import people
from config import errors


def register(
    *, actor: Actor, name: str, country: str, contact_email: str, administrator_name: str
) -> None:
    """Enter a new agency and invite its administrator at `contact_email`.

    `actor` is `founder_of_agency` of the identifier that the agency gets; `country` an
    ISO 3166-1 code. Answers nothing: whoever asks must not learn whether the address is known
    here. If it is, its owner is told by mail and nothing else happens. Raises `InvalidInput`.
    """
    policies.demand(actor, policies.FOUNDERS)
    name = texts.fitting(Agency, "name", name, _("Enter the agency's name."))
    if country not in countries.CODES:
        raise errors.InvalidInput("UNKNOWN_COUNTRY", _("Choose a country."), field="country")
    contact_email = people.checked_email(contact_email, field="contact_email")
    administrator_name = people.checked_name(administrator_name, field="administrator_name")
    try:
        with transaction.atomic():
            agency = Agency(
                pk=actor.agency_id, name=name, country=country, contact_email=contact_email
            )
            agency.group = Group.objects.create(name=f"agency {agency.pk}")
            agency.save(force_insert=True)
            audit.record(actor, "agency.register", agency)
            people.invite(
                actor=actor,
                email=contact_email,
                name=administrator_name,
                role=Role.AGENCY_ADMINISTRATOR,
            )
    except people.EmailInUse:
        mail.send(
            contact_email,
            _("Your registration with Fairplace"),
            _(
                "Hello,\n\nsomebody registered an agency with this address, which already has "
                "an account. Log in here, or ask for a new password there:\n\n%(link)s\n\n"
                "If that was not you, ignore this message: nothing has changed."
            )
            % {"link": mail.address("/accounts/login/")},
        )
