"""The feed of changes over GraphQL, for an agency's own system to read on from where it was."""

import graphene

from agencies import policies
from config.graphql import queries, scalars, types
from portfolios import models, selectors
from portfolios.services import changes

ChangeKind = scalars.choices(models.PlacementChange.Kind, "PlacementChangeKind")


class PlacementChange(types.Node):
    """One thing that changed about a placement, or about one loan in it."""

    class Meta:
        model = models.PlacementChange
        fields = (
            "placement",
            "loan",
            "reference",
            "detail",
            "currency",
            "amount_minor",
            "due_on",
            "note",
            "at",
        )
        selector = selectors.visible_changes
        allow = policies.AGENCY_WORKERS

    kind = graphene.Field(ChangeKind, required=True)
    placement_id = graphene.ID(required=True, description="Also of a placement that has ended.")
    loan_id = graphene.ID(description="Empty where it is about the whole placement.")


class ChangeFeedConnection(types.Value):
    """A page of the feed; `cursor` is where to read on, also when nothing is new."""

    class Meta:
        allow = policies.AGENCY_WORKERS

    changes = graphene.List(graphene.NonNull(PlacementChange), required=True)
    cursor = graphene.String(required=True)
    has_more = graphene.Boolean(required=True)


class Query(graphene.ObjectType):
    placement_changes = queries.field(
        ChangeFeedConnection,
        allow=policies.AGENCY_WORKERS,
        since=graphene.String(description="Only what came after this cursor."),
        first=graphene.Int(required=True, description="How many, from 1 to 100."),
    )

    def resolve_placement_changes(root, info, first, since=None):
        return changes.read(actor=info.context.actor, since=since or "", first=first)
