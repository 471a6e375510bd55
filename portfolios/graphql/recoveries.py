"""Recoveries and reversals over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql import batches
from portfolios.services import recoveries, reversals

Channel = scalars.choices(models.Recovery.Channel, "RecoveryChannel")


class RecoveryState(graphene.Enum):
    """Whether one of the bank's receipts proves it; only confirmed money counts."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"


class Reversal(types.Node):
    """Part or all of one recovery taken back."""

    class Meta:
        model = models.Reversal
        fields = ("reference", "amount_minor", "reason", "logged_at", "logged_by")
        selector = selectors.visible_reversals
        allow = policies.EVERYBODY


class Recovery(types.Node):
    """One payment as an agency reported it."""

    class Meta:
        model = models.Recovery
        fields = (
            "loan",
            "placement",
            "agency",
            "institution",
            "reference",
            "currency",
            "amount_minor",
            "value_on",
            "is_above_balance",
            "logged_at",
            "logged_by",
        )
        selector = selectors.shown_recoveries
        allow = policies.EVERYBODY

    loan_reference = graphene.String(required=True)
    channel = graphene.Field(Channel, required=True)
    state = graphene.Field(RecoveryState, required=True)
    confirmed_at = scalars.DateTime()
    reversed_minor = scalars.MinorUnits(required=True)
    reversals = queries.connection(
        Reversal, narrow=lambda visible, recovery: visible.filter(recovery=recovery)
    )

    def resolve_loan_reference(recovery, info):
        return recovery.loan.reference

    def resolve_state(recovery, info):
        return RecoveryState.CONFIRMED if recovery.confirmed_at else RecoveryState.REPORTED


class RecoveryRow(batches.Row):
    """One payment of a batch; `reference` is your own and names one payment only."""

    reference = graphene.String(required=True)
    amount_minor = scalars.MinorUnits(required=True)
    currency = graphene.String(description="The loan's, where it is left out.")
    value_on = graphene.Date(required=True)
    channel = Channel(required=True)


class RecoveryRowAnswer(batches.Answer):
    """What became of one row."""

    class Meta:
        allow = policies.AGENCY_WORKERS

    recovery = graphene.Field(Recovery)


class RecoveriesLog(mutations.Mutation):
    """Reports up to 500 payments, each row answered on its own.

    The whole has one effect per key: the same key and rows give the first answer again.
    """

    allow = policies.AGENCY_WORKERS

    class Input:
        idempotency_key = graphene.String(required=True)
        rows = graphene.List(graphene.NonNull(RecoveryRow), required=True)

    rows = graphene.List(graphene.NonNull(RecoveryRowAnswer))

    @classmethod
    def perform(cls, info, actor, **given):
        answers = recoveries.log(actor=actor, **given)
        return cls(rows=batches.shown(info, answers, recovery=Recovery))


class RecoveryReverse(mutations.Mutation):
    """Takes a recovery back, in part or, without an amount, all that is left of it."""

    allow = reversals.MAY_REVERSE

    class Input:
        recovery_id = graphene.ID()
        reference = graphene.String(description="Your own, in place of the id.")
        reversal_reference = graphene.String(required=True)
        amount_minor = scalars.MinorUnits()
        reason = graphene.String(required=True)

    reversal = graphene.Field(Reversal)
    recovery = graphene.Field(Recovery)

    @classmethod
    def perform(cls, info, actor, **given):
        reversal = reversals.reverse(actor=actor, **given)
        loaded = Recovery.load(info, [reversal.recovery_id])
        return cls(reversal=reversal, recovery=loaded[reversal.recovery_id])


class Query(graphene.ObjectType):
    recovery = queries.node(Recovery)
    recoveries = queries.connection(
        Recovery,
        narrow=lambda visible, root, **filters: selectors.narrow_recoveries(visible, **filters),
        newest_first=True,
        state=RecoveryState(),
        loan_reference=graphene.String(),
        reference=graphene.String(),
        is_above_balance=graphene.Boolean(),
        agency_id=graphene.ID(),
    )


class Mutation(graphene.ObjectType):
    recoveries_log = RecoveriesLog.Field()
    recovery_reverse = RecoveryReverse.Field()
