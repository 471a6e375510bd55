"""Rankings over GraphQL: the bank reads its panel, an agency itself and the field without names."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import selectors
from marketplace.services import rankings

MAY_READ = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_ADMINISTRATORS
    | policies.MACHINE_CLIENTS
)


class Rates:
    """A success rate with its interval, in parts per million; above 1,000,000 it is over 100 %."""

    loans = graphene.Int(required=True)
    rate_ppm = graphene.Int(required=True, description="Confirmed net recoveries ÷ placed balance.")
    low_ppm = graphene.Int(description="Null where there are too few loans to tell.")
    high_ppm = graphene.Int(description="Null where there are too few loans to tell.")


class RankingRow(Rates, types.Value):
    """One agency in a ranking."""

    class Meta:
        allow = MAY_READ

    agency_id = graphene.ID(required=True)
    agency_name = graphene.String(required=True)
    position = graphene.Int(description="Null where the field is too small to be shown.")
    placed_minor = scalars.MinorUnits(required=True)
    recovered_minor = scalars.MinorUnits(required=True)
    is_distinguishable = graphene.Boolean(
        description="Whether the interval excludes the rate of all agencies together."
    )
    complaints_received = graphene.Int(required=True)
    complaints_upheld = graphene.Int(
        required=True, description="Upheld, and the agency's own doing."
    )


class RankingPoint(Rates, types.Value):
    """One agency of the field, without its name."""

    class Meta:
        allow = MAY_READ


class Ranking(types.Value):
    """Unadjusted: agencies may have been given easier or harder loans. Not for awards."""

    class Meta:
        allow = MAY_READ

    institution_id = graphene.ID(required=True)
    institution_name = graphene.String(required=True)
    currency = graphene.String(required=True)
    computed_at = scalars.DateTime(required=True)
    pooled_rate_ppm = graphene.Int(
        description="All agencies together; null for an agency in a field of fewer than five."
    )
    rows = graphene.List(
        graphene.NonNull(RankingRow),
        required=True,
        description="Best first: the whole panel for the bank, an agency itself.",
    )
    field = graphene.List(
        graphene.NonNull(RankingPoint),
        required=True,
        description="Best first, without names; empty in a field of fewer than five.",
    )


class RankingCompute(mutations.Mutation):
    """Computes a ranking now; a sweep does so every night."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        currency = graphene.String(required=True)

    ranking = graphene.Field(Ranking)

    @classmethod
    def perform(cls, info, actor, currency):
        rankings.compute(actor=actor, currency=currency)
        return cls(ranking=selectors.shown_ranking(actor, currency=currency))


class Query(graphene.ObjectType):
    ranking = queries.field(
        Ranking,
        allow=MAY_READ,
        currency=graphene.String(required=True),
        institution_id=graphene.ID(description="For an agency on several panels."),
        description="The newest in a currency; null where there is none.",
    )

    def resolve_ranking(root, info, currency, institution_id=None):
        return selectors.shown_ranking(
            info.context.actor, currency=currency, institution_id=institution_id
        )


class Mutation(graphene.ObjectType):
    ranking_compute = RankingCompute.Field()
