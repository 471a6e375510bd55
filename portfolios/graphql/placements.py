"""Placements over GraphQL: an agency sees those that are live for it, the bank all its own."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import placements

PlacementState = scalars.choices(models.Placement.State, "PlacementState")


class Placement(types.Node):
    """One agency's spell with one lot under one set of frozen terms."""

    class Meta:
        model = models.Placement
        fields = (
            "title",
            "currency",
            "jurisdiction",
            "rate_ppm",
            "loan_count",
            "balance_minor",
            "tail_days",
            "untouched_days",
            "opened_at",
            "ends_at",
            "closed_at",
            "close_reason",
            "portfolio",
        )
        selector = selectors.shown_placements
        allow = policies.EVERYBODY
        allow_fields = {"portfolio": policies.INSTITUTION_PEOPLE}

    state = graphene.Field(PlacementState, required=True)
    agency_name = graphene.String(required=True)
    institution_name = graphene.String(required=True)
    open_count = graphene.Int(required=True, description="Loans that are still in it.")
    open_minor = scalars.MinorUnits(
        required=True, description="Their balance when the placement opened."
    )
    reported_minor = scalars.MinorUnits(
        required=True, description="Recoveries reported on the loans in sight, net of reversals."
    )
    confirmed_minor = scalars.MinorUnits(
        required=True, description="Of these, what receipts of the bank confirm."
    )

    def resolve_agency_name(placement, info):
        return placement.agency.name

    def resolve_institution_name(placement, info):
        return placement.institution.name


class PlacementRecall(mutations.Mutation):
    """Takes a whole placement back: from the next statement the agency sees nothing of it."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        placement_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    placement = graphene.Field(Placement)

    @classmethod
    def perform(cls, info, actor, **given):
        recalled = placements.recall(actor=actor, **given)
        return cls(placement=Placement.load(info, [recalled.pk])[recalled.pk])


class LoansRecall(mutations.Mutation):
    """Takes single loans of a placement back; all of them or none."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        placement_id = graphene.ID(required=True)
        loan_ids = graphene.List(graphene.NonNull(graphene.ID), required=True)
        reason = graphene.String(required=True)

    placement = graphene.Field(Placement)
    recalled_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, placement_id, **given):
        count = placements.recall_loans(actor=actor, placement_id=placement_id, **given)
        placement = Placement.load(info, [placement_id])[placement_id]
        return cls(placement=placement, recalled_count=count)


class PlacementReturn(mutations.Mutation):
    """An agency gives a whole placement back and sees nothing of it from the next statement."""

    allow = policies.AGENCY_WORKERS

    class Input:
        placement_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    returned_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(returned_count=placements.give_back(actor=actor, **given))


class LoansReturn(mutations.Mutation):
    """An agency gives single loans of a placement back; all of them or none."""

    allow = policies.AGENCY_WORKERS

    class Input:
        placement_id = graphene.ID(required=True)
        loan_ids = graphene.List(graphene.NonNull(graphene.ID), required=True)
        reason = graphene.String(required=True)

    returned_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(returned_count=placements.give_back(actor=actor, **given))


class Query(graphene.ObjectType):
    placement = queries.node(Placement)
    placements = queries.connection(
        Placement,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=PlacementState(),
    )


class Mutation(graphene.ObjectType):
    placement_recall = PlacementRecall.Field()
    loans_recall = LoansRecall.Field()
    placement_return = PlacementReturn.Field()
    loans_return = LoansReturn.Field()
