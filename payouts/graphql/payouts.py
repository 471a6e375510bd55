"""Payouts over GraphQL: how a statement's payment fares."""

import graphene

from agencies import policies as roles
from config.graphql import mutations, queries, scalars, types
from payouts import models, policies, selectors
from payouts.services import payouts

PayoutState = scalars.choices(models.Payout.State, "PayoutState")
AttemptState = scalars.choices(models.PayoutAttempt.State, "PayoutAttemptState")


class PayoutAttempt(types.Node):
    """One try under one idempotency key. `outcomeCode` is our word for what Stripe said."""

    class Meta:
        model = models.PayoutAttempt
        fields = (
            "number",
            "idempotency_key",
            "destination",
            "currency",
            "amount_minor",
            "prepared_at",
            "next_try_at",
            "tries",
            "settled_at",
            "outcome_code",
        )
        selector = selectors.visible_payout_attempts
        allow = policies.BANK_READERS

    state = graphene.Field(AttemptState, required=True)


class Payout(types.Node):
    """The payment of one approved statement."""

    class Meta:
        model = models.Payout
        fields = (
            "institution",
            "agency",
            "statement",
            "currency",
            "amount_minor",
            "remote_id",
            "approved_at",
            "paid_at",
            "failure_code",
            "reversed_minor",
        )
        selector = selectors.visible_payouts
        allow = policies.READERS
        allow_fields = {"failure_code": policies.BANK_READERS}

    state = graphene.Field(PayoutState, required=True)
    attempts = queries.connection(
        PayoutAttempt,
        allow=policies.BANK_READERS,
        narrow=lambda visible, payout: visible.filter(payout=payout),
    )


class PayoutRetry(mutations.Mutation):
    """Has a failed payout sent again under a new key, once its cause is dealt with."""

    allow = roles.FINANCE_APPROVERS

    class Input:
        payout_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    payout = graphene.Field(Payout)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(payout=payouts.retry(actor=actor, **given))


class Query(graphene.ObjectType):
    payout = queries.node(Payout)
    payouts = queries.connection(
        Payout,
        narrow=lambda visible, root, **filters: visible.filter(
            **{name: value for name, value in filters.items() if value is not None}
        ),
        newest_first=True,
        state=PayoutState(),
        agency_id=graphene.ID(),
        statement_id=graphene.ID(),
    )


class Mutation(graphene.ObjectType):
    payout_retry = PayoutRetry.Field()
