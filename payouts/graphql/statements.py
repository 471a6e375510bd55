"""Statements over GraphQL: the bank makes and signs them, the agency reads what was approved."""

import graphene

from agencies import policies as roles
from agencies.graphql.institutions import Agency
from config import clock
from config.graphql import mutations, queries, scalars, types
from payouts import models, policies, selectors
from payouts.services import statements

StatementState = scalars.choices(models.Statement.State, "StatementState")
EntryKind = scalars.choices(models.CommissionEntry.Kind, "CommissionKind")


class StatementLine(types.Node):
    """One step of one payment's commission; stays readable after a recall."""

    class Meta:
        model = models.StatementLine
        fields = ("reference", "value_on", "base_minor", "rate_ppm", "amount_minor")
        selector = selectors.visible_statement_lines
        allow = policies.READERS

    kind = graphene.Field(EntryKind, required=True)

    def resolve_kind(line, info):
        return models.CommissionEntry.Kind(line.kind)


class Statement(types.Node):
    """What one institution owes one agency for one month, in one currency."""

    class Meta:
        model = models.Statement
        fields = (
            "institution",
            "agency",
            "currency",
            "starts_on",
            "total_minor",
            "line_count",
            "content_sha256",
            "prepared_at",
            "submitted_at",
            "approved_at",
            "prepared_by",
            "submitted_by",
            "approved_by",
            "return_reason",
        )
        selector = selectors.visible_statements
        allow = policies.READERS
        allow_fields = dict.fromkeys(
            ("prepared_by", "submitted_by", "approved_by", "return_reason"), policies.BANK_READERS
        )

    state = graphene.Field(StatementState, required=True)
    lines = queries.connection(
        StatementLine, narrow=lambda visible, statement: visible.filter(statement=statement)
    )


class CarriedForward(types.Value):
    """What no statement holds yet for one agency in one currency; may be below zero."""

    class Meta:
        allow = policies.BANK_READERS

    agency = graphene.Field(Agency)
    currency = graphene.String(required=True)
    total_minor = scalars.MinorUnits(required=True)
    entries = graphene.Int(required=True)

    def resolve_agency(row, info):
        return Agency.load(info, [row["agency"]])[row["agency"]]

    def resolve_total_minor(row, info):
        return row["total"]


class StatementsPrepare(mutations.Mutation):
    """Drafts what is missing for a month that is over: one statement per agency and currency."""

    allow = roles.FINANCE_PREPARERS

    class Input:
        starts_on = graphene.Date(required=True, description="The month's first day.")

    statements = graphene.List(graphene.NonNull(Statement))

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(statements=statements.prepare(actor=actor, **given))


class StatementSubmit(mutations.Mutation):
    """Hands a draft to whoever approves it."""

    allow = roles.FINANCE_PREPARERS

    class Input:
        statement_id = graphene.ID(required=True)

    statement = graphene.Field(Statement)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(statement=statements.submit(actor=actor, **given))


class StatementApprove(mutations.Mutation):
    """Signs a submitted statement and has it paid. Refused to whoever prepared or submitted it."""

    allow = roles.FINANCE_APPROVERS

    class Input:
        statement_id = graphene.ID(required=True)

    statement = graphene.Field(Statement)
    payout = graphene.Field("payouts.graphql.payouts.Payout")

    @classmethod
    def perform(cls, info, actor, **given):
        payout = statements.approve(actor=actor, **given)
        return cls(payout=payout, statement=payout.statement)


class StatementSendBack(mutations.Mutation):
    """Refuses to approve: the statement is a draft again."""

    allow = roles.FINANCE_APPROVERS

    class Input:
        statement_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    statement = graphene.Field(Statement)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(statement=statements.send_back(actor=actor, **given))


class StatementDiscard(mutations.Mutation):
    """Throws a draft away; what was on it belongs to no statement again."""

    allow = roles.FINANCE_PREPARERS

    class Input:
        statement_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    discarded_id = graphene.ID()

    @classmethod
    def perform(cls, info, actor, **given):
        statements.discard(actor=actor, **given)
        return cls(discarded_id=given["statement_id"])


class Query(graphene.ObjectType):
    statement = queries.node(Statement)
    statements = queries.connection(
        Statement,
        narrow=lambda visible, root, **filters: visible.filter(
            **{name: value for name, value in filters.items() if value is not None}
        ),
        newest_first=True,
        state=StatementState(),
        agency_id=graphene.ID(),
        starts_on=graphene.Date(),
        currency=graphene.String(),
    )
    carried_forward = queries.field(
        graphene.List(graphene.NonNull(CarriedForward)),
        allow=policies.BANK_READERS,
        description="What no statement holds yet, per agency and currency.",
    )

    def resolve_carried_forward(root, info):
        return statements.carried_forward(info.context.actor, clock.now())


class Mutation(graphene.ObjectType):
    statements_prepare = StatementsPrepare.Field()
    statement_submit = StatementSubmit.Field()
    statement_approve = StatementApprove.Field()
    statement_send_back = StatementSendBack.Field()
    statement_discard = StatementDiscard.Field()
