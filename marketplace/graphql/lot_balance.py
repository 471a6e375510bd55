"""How alike lots are, over GraphQL: one lot against the rest of the loans."""

import graphene

from agencies import policies
from config.graphql import scalars, types


class LotDifference(types.Value):
    """One measure: the lot's mean less the mean of the rest, in standard deviations of all."""

    class Meta:
        allow = policies.EVERYBODY

    covariate = graphene.String(
        required=True,
        description="`balance`, `log_balance`, `days_past_due`, `score`, `expected_recovery`,"
        " `product`, `region` or `earlier_placements`.",
    )
    level = graphene.String(
        required=True,
        description="The product, region or number; `missing` where a score is unknown; `other`"
        " for rare ones together; else empty.",
    )
    difference_ppm = graphene.Int(
        required=True, description="Parts per million of a standard deviation; may be negative."
    )


class LotBalance(types.Value):
    """One lot: how it differs from the rest of the loans, and what was allowed for its size."""

    class Meta:
        allow = policies.EVERYBODY

    loans = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)
    differences = graphene.List(graphene.NonNull(LotDifference), required=True)
    acceptable_ppm = graphene.Int(
        required=True, description="A larger difference had to be accepted by a person."
    )
    refused_ppm = graphene.Int(required=True, description="A larger one is never placed.")
