"""Plans of actions on many loans over GraphQL: shown first, then ordered by their digest."""

import graphene

from agencies import policies
from config.graphql import scalars, types

MAY_PLAN = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS
References = graphene.List(graphene.NonNull(graphene.String), required=True)


class PlanLeftOut(types.Value):
    """One loan that an action does not take."""

    class Meta:
        allow = MAY_PLAN

    reference = graphene.String(required=True)
    code = graphene.String(required=True)
    words = graphene.String(required=True)


class Plan(types.Value):
    """What an action on many loans would do now; send `digest` back to have it done."""

    class Meta:
        allow = MAY_PLAN
        name = "BulkPlan"

    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)
    currency = graphene.String(required=True, description="Empty where there are several.")
    skipped = graphene.List(graphene.NonNull(PlanLeftOut), required=True)
    kept = graphene.List(
        graphene.NonNull(PlanLeftOut),
        required=True,
        description="Loans that are recalled, but stay because the portal's own data say so.",
    )
    digest = graphene.String(required=True)


class Order:
    """The loans of a plan, and its digest."""

    loan_references = References
    digest = graphene.String(required=True)
