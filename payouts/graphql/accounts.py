"""Payout accounts over GraphQL: where one institution pays one agency."""

import graphene

from agencies import policies as roles
from config.graphql import mutations, queries, scalars, types
from payouts import models, policies, selectors
from payouts.services import accounts

PayoutAccountState = scalars.choices(models.PayoutAccount.State, "PayoutAccountState")


class PayoutAccount(types.Node):
    """The account at Stripe of one panel membership."""

    class Meta:
        model = models.PayoutAccount
        fields = ("institution", "agency", "remote_id", "requested_at", "refusal_code")
        selector = selectors.visible_payout_accounts
        allow = policies.READERS
        allow_fields = {"refusal_code": policies.BANK_READERS}

    state = graphene.Field(PayoutAccountState, required=True)


class PayoutAccountRequest(mutations.Mutation):
    """Asks for an account for an approved agency, or asks again after a refusal."""

    allow = roles.FINANCE_PREPARERS

    class Input:
        membership_id = graphene.ID(required=True)

    payout_account = graphene.Field(PayoutAccount)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(payout_account=accounts.request(actor=actor, **given))


class Query(graphene.ObjectType):
    payout_accounts = queries.connection(PayoutAccount)


class Mutation(graphene.ObjectType):
    payout_account_request = PayoutAccountRequest.Field()
