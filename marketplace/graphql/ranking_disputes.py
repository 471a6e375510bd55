"""Disputes about rankings over GraphQL: an agency objects to a figure, the bank answers."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.services import ranking_disputes

MAY_READ = ranking_disputes.MAY_RAISE | ranking_disputes.MAY_ANSWER | policies.AUDITORS

Subject = scalars.choices(models.RankingDispute.Subject, "RankingDisputeSubject")
State = scalars.choices(models.RankingDispute.State, "RankingDisputeState")
Outcome = scalars.choices(models.RankingDispute.Outcome, "RankingDisputeOutcome")


class RankingDispute(types.Node):
    """What an agency says is wrong behind its score. Data are corrected by events, no score is."""

    class Meta:
        model = models.RankingDispute
        fields = (
            "loan_reference",
            "payment_reference",
            "statement",
            "raised_at",
            "raised_by",
            "answer",
            "correction",
            "answered_at",
            "answered_by",
        )
        selector = selectors.visible_ranking_disputes
        allow = MAY_READ

    score_id = graphene.ID(required=True)
    ranking_id = graphene.ID(required=True, description="Of the run that the score is in.")
    institution_id = graphene.ID(required=True)
    agency_id = graphene.ID(required=True)
    subject = graphene.Field(Subject, required=True)
    state = graphene.Field(State, required=True)
    outcome = graphene.Field(Outcome, description="Null until it is answered.")

    def resolve_ranking_id(dispute, info):
        return dispute.run_id

    def resolve_outcome(dispute, info):
        return dispute.outcome or None


class RankingDisputeRaise(mutations.Mutation):
    """Objects to a figure behind one of your scores. Answers the same for every loan."""

    allow = ranking_disputes.MAY_RAISE

    class Input:
        score_id = graphene.ID(required=True)
        subject = Subject(required=True)
        statement = graphene.String(required=True, description="What is wrong, and what is right.")
        loan_reference = graphene.String(
            description="For a payment, and for the time or the kind of a loan. Not looked up."
        )
        payment_reference = graphene.String(description="Your own, for a payment.")

    dispute = graphene.Field(RankingDispute)

    @classmethod
    def perform(cls, info, actor, **given):
        given = {name: value for name, value in given.items() if value is not None}
        return cls(dispute=ranking_disputes.raise_one(actor=actor, **given))


class RankingDisputeAnswer(mutations.Mutation):
    """Answers a dispute, once. A correction is an event; the next ranking shows it."""

    allow = ranking_disputes.MAY_ANSWER

    class Input:
        dispute_id = graphene.ID(required=True)
        outcome = Outcome(required=True)
        answer = graphene.String(required=True, description="The agency reads it.")
        correction = graphene.String(
            description="Where it was corrected: which event was recorded, and when."
        )

    dispute = graphene.Field(RankingDispute)

    @classmethod
    def perform(cls, info, actor, **given):
        given = {name: value for name, value in given.items() if value is not None}
        return cls(dispute=ranking_disputes.answer(actor=actor, **given))


class Query(graphene.ObjectType):
    ranking_disputes = queries.connection(
        RankingDispute,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=State(),
    )


class Mutation(graphene.ObjectType):
    ranking_dispute_raise = RankingDisputeRaise.Field()
    ranking_dispute_answer = RankingDisputeAnswer.Field()
