"""The agency's worklist over GraphQL."""

import graphene
from django.utils.translation import gettext_lazy as _

from agencies import policies
from config import errors
from config.graphql import queries, scalars, types
from portfolios.graphql.loans import Loan
from portfolios.services import worklist

WorkReason = scalars.choices(worklist.Reason, "WorkReason")
ROWS_MAX = 100


class WorkItem(types.Value):
    """A loan that waits for the agency, why, and by which day."""

    class Meta:
        allow = policies.AGENCY_WORKERS

    loan = graphene.Field(Loan, required=True)
    reason = graphene.Field(WorkReason, required=True)
    due_on = graphene.Date(required=True)


class Query(graphene.ObjectType):
    worklist = queries.field(
        graphene.List(graphene.NonNull(WorkItem)),
        allow=policies.AGENCY_WORKERS,
        description="The most urgent first.",
        reason=WorkReason(required=True),
        first=graphene.Int(required=True, description="How many, from 1 to 100."),
    )

    def resolve_worklist(root, info, reason, first):
        if not 1 <= first <= ROWS_MAX:
            raise errors.InvalidInput(
                "PAGE_SIZE", _("Say how many you want, from 1 to 100."), field="first"
            )
        found = worklist.of(info.context.actor, reason)[:first]
        return [{"loan": loan, "reason": reason, "due_on": loan.due_on} for loan in found]
