"""The whole GraphQL schema, put together from the chapters; imported by nobody but entry points."""

import graphene

from agencies import policies
from agencies.graphql import audit, clients, institutions, panel, people, viewer
from config.graphql import queries
from marketplace.graphql import (
    awards,
    bids,
    listings,
    ranking_backtests,
    ranking_disputes,
    ranking_policies,
    rankings,
    room_steps,
)
from payouts.graphql import accounts, commissions, payouts, statements
from portfolios.graphql import (
    balances,
    changes,
    complaints,
    contacts,
    exports,
    holds,
    imports,
    loans,
    means,
    objections,
    placements,
    portfolios,
    promises,
    recalls,
    receipts,
    recoveries,
    rules,
    worklist,
)

API_VERSION = "1"


class Query(
    viewer.Query,
    institutions.Query,
    panel.Query,
    people.Query,
    clients.Query,
    audit.Query,
    portfolios.Query,
    placements.Query,
    loans.Query,
    holds.Query,
    recalls.Query,
    objections.Query,
    changes.Query,
    worklist.Query,
    rules.Query,
    imports.Query,
    exports.Query,
    contacts.Query,
    complaints.Query,
    promises.Query,
    receipts.Query,
    recoveries.Query,
    means.Query,
    listings.Query,
    bids.Query,
    awards.Query,
    rankings.Query,
    ranking_policies.Query,
    ranking_disputes.Query,
    commissions.Query,
    statements.Query,
    payouts.Query,
    accounts.Query,
    graphene.ObjectType,
):
    """Everything that can be read."""

    api_version = queries.field(
        graphene.String,
        allow=policies.EVERYBODY,
        resolver=lambda root, info: API_VERSION,
        description="Grows when something is removed, never when something is added.",
    )


class Mutation(
    panel.Mutation,
    people.Mutation,
    clients.Mutation,
    portfolios.Mutation,
    placements.Mutation,
    loans.Mutation,
    holds.Mutation,
    recalls.Mutation,
    objections.Mutation,
    rules.Mutation,
    balances.Mutation,
    imports.Mutation,
    exports.Mutation,
    contacts.Mutation,
    complaints.Mutation,
    promises.Mutation,
    receipts.Mutation,
    recoveries.Mutation,
    listings.Mutation,
    room_steps.Mutation,
    bids.Mutation,
    awards.Mutation,
    rankings.Mutation,
    ranking_policies.Mutation,
    ranking_backtests.Mutation,
    ranking_disputes.Mutation,
    commissions.Mutation,
    statements.Mutation,
    payouts.Mutation,
    accounts.Mutation,
    graphene.ObjectType,
):
    """Everything that can be done."""


schema = graphene.Schema(query=Query, mutation=Mutation)
