"""Loans and their borrowers' masked fields over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import borrowers, loans

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
        lambda: Loan._meta.registry.get_type_for_model(models.Hold),
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


class BorrowerLookUp(mutations.Mutation):
    """Finds loans by the borrower's whole phone number or national identifier, for a reason.

    The audit trail keeps a keyed digest of what was looked for, never the value itself.
    """

    allow = borrowers.MAY_LOOK_UP

    class Input:
        field = graphene.String(required=True, description="`phone` or `national_id`.")
        value = graphene.String(required=True)
        reason = graphene.String(required=True)

    loans = graphene.List(graphene.NonNull(Loan), description="At most 100.")

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(loans=borrowers.look_up(actor=actor, **given))


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
        along=selectors.loan_order,
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
    borrower_look_up = BorrowerLookUp.Field()
    borrower_reveal = BorrowerReveal.Field()
