"""Recalls over GraphQL: announced after a preview or carried out at once."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql import bulk
from portfolios.graphql.objections import MAY_READ, Objection
from portfolios.services import recalls

RecallState = scalars.choices(models.Recall.State, "RecallState")


class RecalledLoan(types.Node):
    """One loan in an announced recall; it goes unless it is kept."""

    class Meta:
        model = models.RecalledLoan
        fields = ("loan", "is_kept")
        selector = selectors.visible_recalled_loans
        allow = MAY_READ


class Recall(types.Node):
    """What a bank said it will take back of a placement, and when that is final."""

    class Meta:
        model = models.Recall
        fields = (
            "placement",
            "reason",
            "is_whole",
            "loan_count",
            "balance_minor",
            "announced_at",
            "final_at",
            "settled_at",
        )
        selector = selectors.visible_recalls
        allow = MAY_READ

    state = graphene.Field(RecallState, required=True)
    loans = queries.connection(
        RecalledLoan, narrow=lambda visible, recall: visible.filter(recall=recall)
    )
    objections = queries.connection(
        Objection,
        narrow=lambda visible, recall: visible.filter(recalled_loan__recall=recall),
        newest_first=True,
    )


class RecallAnnounce(mutations.Mutation):
    """Announces what will be taken back: exactly what `recallPreview` showed under this digest.

    Without loans it is the whole placement. The notice defaults to the institution's.
    """

    allow = policies.VENDOR_MANAGERS

    class Input:
        placement_id = graphene.ID(required=True)
        loan_references = graphene.List(graphene.NonNull(graphene.String))
        reason = graphene.String(required=True)
        notice_days = graphene.Int()
        digest = graphene.String(required=True)

    recall = graphene.Field(Recall)

    @classmethod
    def perform(cls, info, actor, loan_references=None, **given):
        return cls(recall=recalls.announce(actor=actor, references=loan_references, **given))


class RecallWithdraw(mutations.Mutation):
    """Gives an announced recall up; the loans stay with the agency."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        recall_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    recall = graphene.Field(Recall)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(recall=recalls.withdraw(actor=actor, **given))


class LoansRecallPreviewed(mutations.Mutation):
    """Takes loans back at once: exactly what `recallPreview` showed as immediate."""

    allow = policies.VENDOR_MANAGERS

    class Input(bulk.Order):
        placement_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    recalled_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, loan_references, **given):
        count = recalls.recall_now(actor=actor, references=loan_references, **given)
        return cls(recalled_count=count)


class Query(graphene.ObjectType):
    recall = queries.node(Recall)
    recalls = queries.connection(
        Recall,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=RecallState(),
    )
    recall_preview = queries.field(
        bulk.Plan,
        allow=policies.VENDOR_MANAGERS,
        placement_id=graphene.ID(required=True),
        loan_references=graphene.List(graphene.NonNull(graphene.String)),
        is_immediate=graphene.Boolean(),
    )

    def resolve_recall_preview(root, info, placement_id, loan_references=None, is_immediate=False):
        return recalls.preview(
            actor=info.context.actor,
            placement_id=placement_id,
            references=loan_references,
            is_immediate=is_immediate,
        )


class Mutation(graphene.ObjectType):
    recall_announce = RecallAnnounce.Field()
    recall_withdraw = RecallWithdraw.Field()
    loans_recall_previewed = LoansRecallPreviewed.Field()
