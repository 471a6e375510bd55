"""Ranking policies over GraphQL: agencies read what was adopted, the bank what is proposed too."""

import graphene

from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.graphql.ranking_backtests import RankingBacktest
from marketplace.graphql.rankings import MAY_READ
from marketplace.services import ranking_policies, ranking_policy_values, ranking_proposals

RankingPolicyState = scalars.choices(models.RankingPolicy.State, "RankingPolicyState")
RATIOS = "Parts per million of the complaints to be expected; above 1000000."


class RankingStratum(types.Value):
    """A fact of a loan's first day, and where its bands begin."""

    class Meta:
        allow = MAY_READ

    name = graphene.String(required=True)
    edges = graphene.List(
        graphene.NonNull(graphene.Int),
        description="Where each band after the lowest begins, balances in whole units; null where "
        "each value is a band.",
    )


class RankingPolicy(types.Node):
    """One version of a bank's rules about its ranking. What it says never changes."""

    class Meta:
        model = models.RankingPolicy
        fields = (
            "institution",
            "version",
            *(name for name in ranking_policy_values.FIELDS if name != "strata"),
            "reason",
            "proposed_at",
            "proposed_by",
            "decided_at",
            "decided_by",
            "decision_reason",
        )
        selector = selectors.visible_ranking_policies
        allow = MAY_READ
        allow_fields = dict.fromkeys(
            ("reason", "proposed_by", "decided_by", "decision_reason", "backtests"),
            ranking_policies.MAY_READ,
        )

    state = graphene.Field(RankingPolicyState, required=True)
    strata = graphene.List(
        graphene.NonNull(RankingStratum), required=True, description="The weightiest first."
    )
    red_ratio_ppm = graphene.Int(required=True, description=RATIOS)
    amber_ratio_ppm = graphene.Int(required=True, description=RATIOS)
    backtests = queries.connection(
        RankingBacktest, narrow=lambda visible, policy: visible.filter(policy=policy)
    )

    def resolve_strata(policy, info):
        return [{"name": name, "edges": edges} for name, edges in policy.strata]


class RankingStratumInput(graphene.InputObjectType):
    """A fact of a loan's first day, and where its bands begin."""

    name = graphene.String(required=True)
    edges = graphene.List(graphene.NonNull(graphene.Int))


class RankingPolicyPropose(mutations.Mutation):
    """Proposes the policy in force with the changes that are given; somebody else adopts it."""

    allow = ranking_proposals.MAY_PROPOSE

    class Input:
        strata = graphene.List(graphene.NonNull(RankingStratumInput))
        window_months = graphene.Int()
        least_payment = graphene.Int(description="In whole units of the currency.")
        least_share_ppm = scalars.RatePpm()
        lead_days = graphene.Int()
        settlement_floor_ppm = scalars.RatePpm()
        cap_quantile_ppm = scalars.RatePpm()
        tie_probability_ppm = scalars.RatePpm()
        ranked_from_ppm = scalars.RatePpm()
        provisional_from_ppm = scalars.RatePpm()
        least_months = graphene.Int()
        smallest_field = graphene.Int()
        largest_share_ppm = scalars.RatePpm()
        red_ratio_ppm = graphene.Int(description=RATIOS)
        amber_ratio_ppm = graphene.Int(description=RATIOS)
        reason = graphene.String(required=True)

    ranking_policy = graphene.Field(RankingPolicy)

    @classmethod
    def perform(cls, info, actor, strata=None, **given):
        if strata is not None:
            given["strata"] = [[one["name"], one.get("edges")] for one in strata]
        return cls(ranking_policy=ranking_proposals.propose(actor=actor, **given))


class RankingPolicyAdopt(mutations.Mutation):
    """Lets a proposed version be in force; never its proposer's to do."""

    allow = ranking_proposals.MAY_DECIDE

    class Input:
        policy_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    ranking_policy = graphene.Field(RankingPolicy)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(ranking_policy=ranking_proposals.adopt(actor=actor, **given))


class RankingPolicyRefuse(mutations.Mutation):
    """Lets a proposed version be; its proposer withdraws it by this."""

    allow = ranking_proposals.MAY_DECIDE

    class Input:
        policy_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    ranking_policy = graphene.Field(RankingPolicy)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(ranking_policy=ranking_proposals.refuse(actor=actor, **given))


class Query(graphene.ObjectType):
    ranking_policies = queries.connection(
        RankingPolicy,
        newest_first=True,
        narrow=lambda visible, root, institution_id=None: (
            visible.filter(institution=institution_id) if institution_id else visible
        ),
        institution_id=graphene.ID(description="For an agency on several panels."),
        description="All versions, the newest first; for an agency those that were adopted.",
    )


class Mutation(graphene.ObjectType):
    ranking_policy_propose = RankingPolicyPropose.Field()
    ranking_policy_adopt = RankingPolicyAdopt.Field()
    ranking_policy_refuse = RankingPolicyRefuse.Field()
