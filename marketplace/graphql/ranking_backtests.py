"""Back-tests of proposed ranking policies over GraphQL, for the bank alone."""

import datetime

import graphene

from config.graphql import mutations, scalars, types
from marketplace import models, selectors
from marketplace.services import ranking_backtests, ranking_policies

MAY_READ = ranking_policies.MAY_READ


class RankingStanding(types.Value):
    """Where an agency stands under one policy."""

    class Meta:
        allow = MAY_READ

    status = graphene.String(required=True, description="As of a score of a ranking.")
    position = graphene.Int()
    is_tied = graphene.Boolean(required=True)
    index = graphene.Float(required=True)


class RankingMove(types.Value):
    """An agency at one moment under the policy in force and under the one proposed."""

    class Meta:
        allow = MAY_READ

    before = graphene.Field(RankingStanding, description="Null where it had no loans.")
    after = graphene.Field(RankingStanding, description="Null where it had no loans.")


class RankingBacktestRow(types.Value):
    """One agency in a back-test."""

    class Meta:
        allow = MAY_READ

    agency_id = graphene.ID(required=True)
    places = graphene.List(
        graphene.NonNull(RankingMove), required=True, description="One for each moment."
    )

    def resolve_agency_id(root, info):
        return root["agency"]


class RankingBacktest(types.Node):
    """Who would stand elsewhere, had a proposed policy been in force."""

    class Meta:
        model = models.RankingBacktest
        fields = ("currency", "code_version", "made_at", "made_by")
        selector = selectors.visible_backtests
        allow = MAY_READ

    moments = graphene.List(
        graphene.NonNull(scalars.DateTime),
        required=True,
        description="Ends of past quarters by the bank's clock, and last the moment it was made.",
    )
    results = graphene.List(graphene.NonNull(RankingBacktestRow), required=True)

    def resolve_moments(backtest, info):
        return [datetime.datetime.fromisoformat(moment) for moment in backtest.moments]


class RankingPolicyBacktest(mutations.Mutation):
    """Ranks by the policy in force and by a proposed one, now and at the ends of past quarters.

    It reads all loans of the currency for each of them, and may take a while.
    """

    allow = ranking_backtests.MAY_BACKTEST

    class Input:
        policy_id = graphene.ID(required=True)
        currency = graphene.String(required=True)

    ranking_backtest = graphene.Field(RankingBacktest)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(ranking_backtest=ranking_backtests.backtest(actor=actor, **given))


class Mutation(graphene.ObjectType):
    ranking_policy_backtest = RankingPolicyBacktest.Field()
