"""Holds over GraphQL: pauses in the collection of loans, one by one or many after a preview."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, types
from portfolios import models, selectors
from portfolios.graphql import bulk
from portfolios.graphql.loans import HoldKind, Loan
from portfolios.services import bulk_holds, holds

MAY_HOLD = holds.MAY_HOLD


class Hold(types.Node):
    """A pause in the collection of one loan."""

    class Meta:
        model = models.Hold
        fields = (
            "loan",
            "reason",
            "is_automatic",
            "opened_at",
            "review_on",
            "expires_on",
            "released_at",
            "release_reason",
        )
        selector = selectors.visible_holds
        allow = policies.INSTITUTION_PEOPLE

    kind = graphene.Field(HoldKind, required=True)


class Given:
    """What is said about a hold."""

    kind = HoldKind(required=True)
    reason = graphene.String(required=True)
    review_on = graphene.Date(description="When to look at it again.")
    expires_on = graphene.Date(description="The day on which it has ended by itself.")


class LoanHold(mutations.Mutation):
    """Pauses the collection of one loan until it is released."""

    allow = MAY_HOLD

    class Input(Given):
        loan_id = graphene.ID(required=True)

    hold = graphene.Field(Hold)
    loan = graphene.Field(Loan)

    @classmethod
    def perform(cls, info, actor, loan_id, **given):
        hold = holds.open_hold(actor=actor, loan_id=loan_id, **given)
        return cls(hold=hold, loan=Loan.load(info, [loan_id])[loan_id])


class LoanRelease(mutations.Mutation):
    """Ends one hold; collection goes on when no other is open."""

    allow = MAY_HOLD

    class Input:
        hold_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    hold = graphene.Field(Hold)
    loan = graphene.Field(Loan)

    @classmethod
    def perform(cls, info, actor, **given):
        hold = holds.release(actor=actor, **given)
        return cls(hold=hold, loan=Loan.load(info, [hold.loan_id])[hold.loan_id])


class LoansHold(mutations.Mutation):
    """Puts many loans on hold: exactly what `holdPreview` showed under this digest."""

    allow = MAY_HOLD

    class Input(Given, bulk.Order):
        pass

    held_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, loan_references, **given):
        made = bulk_holds.open_previewed(actor=actor, references=loan_references, **given)
        return cls(held_count=len(made))


class LoansRelease(mutations.Mutation):
    """Releases every hold of many loans: exactly what `releasePreview` showed."""

    allow = MAY_HOLD

    class Input(bulk.Order):
        reason = graphene.String(required=True)

    released_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, loan_references, **given):
        count = bulk_holds.release_previewed(actor=actor, references=loan_references, **given)
        return cls(released_count=count)


class Query(graphene.ObjectType):
    holds = queries.connection(
        Hold,
        narrow=lambda visible, root, is_open=None: (
            visible if is_open is None else visible.filter(released_at__isnull=is_open)
        ),
        newest_first=True,
        is_open=graphene.Boolean(),
    )
    hold_preview = queries.field(
        bulk.Plan,
        allow=MAY_HOLD,
        loan_references=bulk.References,
        kind=HoldKind(required=True),
    )
    release_preview = queries.field(bulk.Plan, allow=MAY_HOLD, loan_references=bulk.References)

    def resolve_hold_preview(root, info, loan_references, kind):
        return bulk_holds.preview(actor=info.context.actor, references=loan_references, kind=kind)

    def resolve_release_preview(root, info, loan_references):
        return bulk_holds.preview_release(actor=info.context.actor, references=loan_references)


class Mutation(graphene.ObjectType):
    loan_hold = LoanHold.Field()
    loan_release = LoanRelease.Field()
    loans_hold = LoansHold.Field()
    loans_release = LoansRelease.Field()
