"""Machine clients: an agency's own systems, which get bearer tokens for their credentials."""

import dataclasses

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import MachineClient
from config import errors

SCOPE = "api"
NO_GRANT = ""


@dataclasses.dataclass(frozen=True)
class Credentials:
    """A machine client and its secret, which is shown now and never again."""

    machine: MachineClient
    secret: str


def create(*, actor: Actor, name: str) -> Credentials:
    """Enter a system of the agency's own; with its credentials it can ask for tokens at once."""
    policies.demand(actor, policies.AGENCY_ADMINISTRATORS)
    name = texts.fitting(MachineClient, "name", name, _("Enter a name."))
    secret = get_adapter().generate_client_secret()
    client = Client(
        name=name,
        type=Client.Type.CONFIDENTIAL,
        grant_types=Client.GrantType.CLIENT_CREDENTIALS,
        response_types="",
        scopes=SCOPE,
        default_scopes=SCOPE,
    )
    client.set_secret(secret)
    with transaction.atomic():
        client.save(force_insert=True)
        machine = MachineClient.objects.create(client=client, name=name, **policies.side_of(actor))
        audit.record(actor, "machine_client.create", machine)
    return Credentials(machine, secret)


def disable(*, actor: Actor, machine_client_id) -> MachineClient:
    """Shut a system out at its next request: its tokens are deleted and it gets no new ones."""
    return _switch(actor, machine_client_id, "machine_client.disable", is_enabled=False)


def enable(*, actor: Actor, machine_client_id) -> MachineClient:
    """Let a system ask for tokens again."""
    return _switch(actor, machine_client_id, "machine_client.enable", is_enabled=True)


def _switch(actor: Actor, machine_client_id, action: str, *, is_enabled: bool) -> MachineClient:
    policies.demand(actor, policies.AGENCY_ADMINISTRATORS)
    machine = selectors.find(selectors.visible_machine_clients(actor), pk=machine_client_id)
    grant = Client.GrantType.CLIENT_CREDENTIALS if is_enabled else NO_GRANT
    with transaction.atomic():
        switched = MachineClient.objects.filter(pk=machine.pk, is_enabled=not is_enabled)
        if not switched.update(is_enabled=is_enabled):
            raise errors.InvalidState(
                "NOT_IN_THAT_STATE", _("This client has been switched meanwhile. Look again.")
            )
        Client.objects.filter(pk=machine.client_id).update(grant_types=grant)
        if not is_enabled:
            Token.objects.filter(client=machine.client_id).delete()
        audit.record(actor, action, machine, changes={"is_enabled": is_enabled})
    machine.refresh_from_db()
    return machine
