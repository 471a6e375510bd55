"""An institution's own rules about placements over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import rules

FIELDS = (*rules.DAYS, *rules.SHARES, *rules.SWITCHES)


class PlacementRules(types.Node):
    """Rules about placements; an empty share is no limit."""

    class Meta:
        model = models.PlacementRules
        fields = (*FIELDS, "changed_at", "reason")
        selector = selectors.visible_rules
        allow = policies.INSTITUTION_PEOPLE


class PlacementRulesChange(mutations.Mutation):
    """Sets the rules that are given; placements that are open keep their frozen terms."""

    allow = rules.MAY_CHANGE

    class Input:
        recall_notice_days = graphene.Int()
        recent_payment_days = graphene.Int()
        tail_days = graphene.Int()
        untouched_days = graphene.Int()
        balance_share_max_ppm = scalars.RatePpm(description="Null takes the limit away.")
        loan_share_max_ppm = scalars.RatePpm(description="Null takes the limit away.")
        is_never_twice = graphene.Boolean()
        is_one_agency_per_borrower = graphene.Boolean()
        reason = graphene.String(required=True)

    placement_rules = graphene.Field(PlacementRules)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(placement_rules=rules.change(actor=actor, **given))


class Query(graphene.ObjectType):
    placement_rules = queries.field(PlacementRules, allow=policies.INSTITUTION_PEOPLE)

    def resolve_placement_rules(root, info):
        return rules.current(actor=info.context.actor)


class Mutation(graphene.ObjectType):
    placement_rules_change = PlacementRulesChange.Field()
