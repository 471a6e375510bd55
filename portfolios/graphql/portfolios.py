"""Portfolios over GraphQL: the bank's alone; bidders see the summary of a listing."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import portfolios

PortfolioState = scalars.choices(models.Portfolio.State, "PortfolioState")


class LoanBand(types.Value):
    """Loans whose figure is at least `lower` and below `upper`."""

    class Meta:
        allow = policies.INSTITUTION_PEOPLE

    lower = scalars.MinorUnits(required=True, description="Minor units, or days.")
    upper = scalars.MinorUnits(description="Null where there is no limit.")
    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class LoanGroup(types.Value):
    """Loans that share a word; `name` is empty for those without one, null for all the rest."""

    class Meta:
        allow = policies.INSTITUTION_PEOPLE

    name = graphene.String()
    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class PortfolioComposition(types.Value):
    """What the loans of a portfolio amount to and how they are spread."""

    class Meta:
        allow = policies.INSTITUTION_PEOPLE

    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)
    placed_count = graphene.Int(required=True)
    placed_minor = scalars.MinorUnits(required=True)
    on_hold_count = graphene.Int(required=True)
    by_balance = graphene.List(graphene.NonNull(LoanBand), required=True)
    by_days_past_due = graphene.List(graphene.NonNull(LoanBand), required=True)
    by_region = graphene.List(graphene.NonNull(LoanGroup), required=True)
    by_grade = graphene.List(graphene.NonNull(LoanGroup), required=True)


class Portfolio(types.Node):
    """Loans of one bank in one currency that are published and placed together."""

    class Meta:
        model = models.Portfolio
        fields = ("name", "currency", "jurisdiction", "product", "created_at")
        selector = selectors.visible_portfolios
        allow = policies.INSTITUTION_PEOPLE

    state = graphene.Field(PortfolioState, required=True)
    composition = graphene.Field(PortfolioComposition, required=True)

    def resolve_composition(portfolio, info):
        tallies = selectors.visible_tallies(info.context.actor).filter(portfolio=portfolio)
        return portfolios.composition_of(tallies)


class PortfolioCreate(mutations.Mutation):
    """Makes an empty draft; `currency` is a code of ISO 4217, `jurisdiction` of ISO 3166."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        name = graphene.String(required=True)
        currency = graphene.String(required=True)
        jurisdiction = graphene.String(required=True)
        product = graphene.String(required=True)

    portfolio = graphene.Field(Portfolio)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(portfolio=portfolios.create(actor=actor, **given))


class Query(graphene.ObjectType):
    portfolio = queries.node(Portfolio)
    portfolios = queries.connection(
        Portfolio,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=PortfolioState(),
    )


class Mutation(graphene.ObjectType):
    portfolio_create = PortfolioCreate.Field()
