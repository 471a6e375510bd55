"""Balances stated anew and payments received by the bank itself, over GraphQL."""

import graphene

from config.graphql import mutations, scalars
from portfolios.services import balances, direct_payments


class BalanceCorrection(graphene.InputObjectType):
    """What one loan owes now."""

    loan_id = graphene.ID(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class BalancesCorrect(mutations.Mutation):
    """States balances anew, all or none; holders are told, and what is paid is put on hold."""

    allow = balances.MAY_CORRECT

    class Input:
        corrections = graphene.List(graphene.NonNull(BalanceCorrection), required=True)

    changed_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, corrections):
        stated = [balances.Correction(**one) for one in corrections]
        return cls(changed_count=balances.correct_many(actor=actor, corrections=stated))


class DirectPaymentRow(graphene.InputObjectType):
    """Money that a borrower paid to the bank itself."""

    loan_id = graphene.ID(required=True)
    payment_reference = graphene.String(required=True)
    amount_minor = scalars.MinorUnits(required=True)
    value_on = graphene.Date(required=True)


class DirectPaymentsRecord(mutations.Mutation):
    """Records payments, all or none; a reference that was recorded before is left out.

    One on a promise made in a spell counts for its agency within the tail; else it counts for
    whoever holds the loan on its value date.
    """

    allow = direct_payments.MAY_RECORD

    class Input:
        payments = graphene.List(graphene.NonNull(DirectPaymentRow), required=True)

    recorded_count = graphene.Int()
    counted_count = graphene.Int(description="Those that count for an agency.")

    @classmethod
    def perform(cls, info, actor, payments):
        made = direct_payments.record_many(
            actor=actor,
            payments=[
                direct_payments.Payment(reference=one.pop("payment_reference"), **one)
                for one in payments
            ],
        )
        counted = sum(one.recovery_id is not None for one in made)
        return cls(recorded_count=len(made), counted_count=counted)


class Mutation(graphene.ObjectType):
    balances_correct = BalancesCorrect.Field()
    direct_payments_record = DirectPaymentsRecord.Field()
