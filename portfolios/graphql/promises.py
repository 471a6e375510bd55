"""Promises to pay over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql import batches
from portfolios.graphql.contacts import MAY_READ
from portfolios.services import promises


class Promise(types.Node):
    """An amount that a borrower promised to pay by a day."""

    class Meta:
        model = models.Promise
        fields = (
            "loan",
            "placement",
            "agency",
            "currency",
            "amount_minor",
            "due_on",
            "logged_at",
            "logged_by",
        )
        selector = selectors.shown_promises
        allow = MAY_READ

    loan_reference = graphene.String(required=True)

    def resolve_loan_reference(promise, info):
        return promise.loan.reference


class PromiseLog(mutations.Mutation):
    """Records what a borrower promised to pay."""

    allow = policies.AGENCY_WORKERS

    class Input(batches.Named):
        amount_minor = scalars.MinorUnits(required=True)
        currency = graphene.String(description="The loan's, where it is left out.")
        due_on = graphene.Date(required=True)

    promise = graphene.Field(Promise)

    @classmethod
    def perform(cls, info, actor, loan_reference=None, **given):
        logged = promises.log(actor=actor, reference=loan_reference, **given)
        return cls(promise=Promise.load(info, [logged.pk])[logged.pk])


class Query(graphene.ObjectType):
    promises = queries.connection(
        Promise,
        narrow=lambda visible, root, loan_reference=None: (
            visible.filter(loan__reference=loan_reference) if loan_reference else visible
        ),
        newest_first=True,
        loan_reference=graphene.String(),
    )


class Mutation(graphene.ObjectType):
    promise_log = PromiseLog.Field()
