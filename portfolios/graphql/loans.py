"""Loans, their borrowers' masked fields and pauses of their collection over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import holds, loans

HoldKind = scalars.choices(models.Hold.Reason, "HoldKind")


class Borrower(types.Node):
    """Who owes. Every field is masked; `borrowerReveal` shows one in clear, for a reason."""

    class Meta:
        model = models.Borrower
        fields = ()
        selector = selectors.visible_borrowers
        allow = policies.EVERYBODY

    name = graphene.String(required=True)
    phone = graphene.String(required=True)
    email = graphene.String(required=True)
    address = graphene.String(required=True)
    national_id = graphene.String(required=True)

    def _masked(borrower, info):
        return loans.masked_fields(borrower)[info.field_name]

    resolve_name = resolve_phone = resolve_email = resolve_address = _masked

    def resolve_national_id(borrower, info):
        return loans.masked_fields(borrower)["national_id"]


class Hold(types.Node):
    """A pause in the collection of one loan."""

    class Meta:
        model = models.Hold
        fields = ("reason", "opened_at", "released_at", "release_reason")
        selector = selectors.visible_holds
        allow = policies.INSTITUTION_PEOPLE

    kind = graphene.Field(HoldKind, required=True)


class Loan(types.Node):
    """One overdue debt. An agency sees those of its live placements and no others."""

    class Meta:
        model = models.Loan
        fields = (
            "reference",
            "currency",
            "balance_minor",
            "rate_ppm",
            "opened_on",
            "last_payment_on",
            "days_past_due",
            "region",
            "grade",
            "is_on_hold",
            "held_out_until",
            "borrower",
            "placement",
            "portfolio",
        )
        selector = selectors.visible_loans
        allow = policies.EVERYBODY
        allow_fields = {
            "portfolio": policies.INSTITUTION_PEOPLE,
            "held_out_until": policies.INSTITUTION_PEOPLE,
        }

    holds = queries.connection(
        lambda: Hold,
        narrow=lambda visible, loan: visible.filter(loan=loan),
        newest_first=True,
    )


class BorrowerReveal(mutations.Mutation):
    """Shows one personal field in clear; the reason stays in the audit trail."""

    allow = loans.MAY_REVEAL

    class Input:
        loan_id = graphene.ID(required=True)
        field = graphene.String(
            required=True, description="`name`, `phone`, `email`, `address` or `national_id`."
        )
        reason = graphene.String(required=True)

    value = graphene.String(description="Empty where nothing is known.")

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(value=loans.reveal(actor=actor, **given))


class LoanHold(mutations.Mutation):
    """Pauses the collection of one loan until it is released."""

    allow = holds.MAY_HOLD

    class Input:
        loan_id = graphene.ID(required=True)
        kind = HoldKind(required=True)
        reason = graphene.String(required=True)

    hold = graphene.Field(Hold)
    loan = graphene.Field(Loan)

    @classmethod
    def perform(cls, info, actor, loan_id, **given):
        hold = holds.open_hold(actor=actor, loan_id=loan_id, **given)
        return cls(hold=hold, loan=Loan.load(info, [loan_id])[loan_id])


class LoanRelease(mutations.Mutation):
    """Ends one hold; collection goes on when no other is open."""

    allow = holds.MAY_HOLD

    class Input:
        hold_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    hold = graphene.Field(Hold)
    loan = graphene.Field(Loan)

    @classmethod
    def perform(cls, info, actor, **given):
        hold = holds.release(actor=actor, **given)
        return cls(hold=hold, loan=Loan.load(info, [hold.loan_id])[hold.loan_id])


class Query(graphene.ObjectType):
    loan = queries.node(Loan)
    loan_by_reference = queries.field(
        Loan,
        allow=policies.EVERYBODY,
        reference=graphene.String(required=True),
        institution=graphene.String(description="The short name of the bank, where two use it."),
    )
    loans = queries.connection(
        Loan,
        narrow=lambda visible, root, **filters: selectors.narrow_loans(visible, **filters),
        portfolio_id=graphene.ID(),
        placement_id=graphene.ID(),
        region=graphene.String(),
        grade=graphene.String(),
        is_placed=graphene.Boolean(),
        is_on_hold=graphene.Boolean(),
    )

    def resolve_loan_by_reference(root, info, reference, institution=None):
        return loans.find_by_reference(
            actor=info.context.actor, reference=reference, institution=institution
        )


class Mutation(graphene.ObjectType):
    borrower_reveal = BorrowerReveal.Field()
    loan_hold = LoanHold.Field()
    loan_release = LoanRelease.Field()
