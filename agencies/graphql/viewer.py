"""The viewer: who the one who asks is."""

import graphene

from agencies import policies, selectors
from agencies.graphql.institutions import Agency, Institution
from config.graphql import queries, types


class Viewer(types.Value):
    """Who asks: a person or an agency's machine client."""

    class Meta:
        allow = policies.EVERYBODY

    id = graphene.ID(required=True)
    name = graphene.String(required=True)
    role = graphene.String(required=True, description="A role in lower case, or `machine_client`.")
    institution = graphene.Field(Institution)
    agency = graphene.Field(Agency)

    def resolve_institution(viewer, info):
        actor = info.context.actor
        return selectors.visible_institutions(actor).filter(pk=actor.institution_id).first()

    def resolve_agency(viewer, info):
        actor = info.context.actor
        return selectors.visible_agencies(actor).filter(pk=actor.agency_id).first()


class Query(graphene.ObjectType):
    viewer = queries.field(Viewer, allow=policies.EVERYBODY, description="Who you are here.")

    def resolve_viewer(root, info):
        actor = info.context.actor
        return {"id": actor.id, "name": actor.label, "role": actor.role}
