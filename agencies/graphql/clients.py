"""Machine clients: an agency's own systems."""

import graphene

from agencies import models, policies, selectors
from agencies.services import clients
from config.graphql import mutations, queries, types


class MachineClient(types.Node):
    """A system of the agency's own, known by OAuth client credentials."""

    class Meta:
        model = models.MachineClient
        fields = ("name", "is_enabled", "created_at")
        selector = selectors.visible_machine_clients
        allow = policies.AGENCY_ADMINISTRATORS

    client_id = graphene.String(required=True, description="What it calls itself for a token.")


class MachineClientCreate(mutations.Mutation):
    """Makes a client. Its secret is in this answer and nowhere else."""

    allow = policies.AGENCY_ADMINISTRATORS

    class Input:
        name = graphene.String(required=True)

    machine_client = graphene.Field(MachineClient)
    secret = graphene.String()

    @classmethod
    def perform(cls, info, actor, *, name):
        made = clients.create(actor=actor, name=name)
        return cls(machine_client=made.machine, secret=made.secret)


class MachineClientDisable(mutations.Mutation):
    """Shuts a client out: its tokens are deleted and it gets no new ones."""

    allow = policies.AGENCY_ADMINISTRATORS

    class Input:
        machine_client_id = graphene.ID(required=True)

    machine_client = graphene.Field(MachineClient)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(machine_client=clients.disable(actor=actor, **given))


class MachineClientEnable(mutations.Mutation):
    """Lets a client ask for tokens again."""

    allow = policies.AGENCY_ADMINISTRATORS

    class Input:
        machine_client_id = graphene.ID(required=True)

    machine_client = graphene.Field(MachineClient)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(machine_client=clients.enable(actor=actor, **given))


class Query(graphene.ObjectType):
    machine_clients = queries.connection(MachineClient)


class Mutation(graphene.ObjectType):
    machine_client_create = MachineClientCreate.Field()
    machine_client_disable = MachineClientDisable.Field()
    machine_client_enable = MachineClientEnable.Field()
