"""The bank's receipts, and late receipts of agencies, over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql.recoveries import Recovery
from portfolios.services import late_receipts, receipt_lines, receipts

MAY_READ = policies.FINANCE | policies.AUDITORS
LineState = scalars.choices(models.ReceiptLine.State, "ReceiptLineState")
LateState = scalars.choices(models.LateReceipt.State, "LateReceiptState")


class ReceiptFile(types.Node):
    """One file of receipts; the same file is read once."""

    class Meta:
        model = models.ReceiptFile
        fields = ("file_name", "rows_read", "uploaded_at")
        selector = selectors.visible_receipt_files
        allow = MAY_READ


class ReceiptLine(types.Node):
    """One receipt, and whether a report was found for it."""

    class Meta:
        model = models.ReceiptLine
        fields = (
            "row",
            "receipt_reference",
            "loan_reference",
            "currency",
            "amount_minor",
            "value_on",
            "reason",
            "receipt_file",
        )
        selector = selectors.visible_receipt_lines
        allow = MAY_READ

    state = graphene.Field(LineState, required=True)
    candidates = graphene.List(
        graphene.NonNull(Recovery),
        description="Reports it may be linked to; empty once it is settled.",
    )

    def resolve_candidates(line, info):
        return receipt_lines.candidates(info.context.actor, line)[:10]


class LateReceipt(types.Node):
    """Money that reached an agency after a recall; the bank decides what it was."""

    class Meta:
        model = models.LateReceipt
        fields = (
            "agency",
            "institution",
            "loan_reference",
            "reference",
            "currency",
            "amount_minor",
            "value_on",
            "note",
            "submitted_at",
            "decided_at",
            "decision_reason",
        )
        selector = selectors.visible_late_receipts
        allow = policies.AGENCY_WORKERS | MAY_READ

    state = graphene.Field(LateState, required=True)


class ReceiptProblem(types.Value):
    """Why a row of a file could not be taken."""

    class Meta:
        allow = policies.FINANCE_PREPARERS

    row = graphene.Int(required=True)
    column = graphene.String(required=True)
    value = graphene.String(required=True)
    code = graphene.String(required=True)
    message = graphene.String(required=True)


class ReceiptsConfirm(mutations.Mutation):
    """Reads a CSV file of the bank's receipts and confirms the reports that they prove."""

    allow = policies.FINANCE_PREPARERS

    class Input:
        file_name = graphene.String(required=True)
        content = graphene.String(required=True, description="The whole file, UTF-8.")

    receipt_file = graphene.Field(ReceiptFile)
    matched = graphene.Int()
    unmatched = graphene.Int()
    ambiguous = graphene.Int()
    matched_before = graphene.Int(description="Receipts of earlier files that found their report.")
    problems = graphene.List(graphene.NonNull(ReceiptProblem))

    @classmethod
    def perform(cls, info, actor, file_name, content):
        read = receipts.confirm(actor=actor, file_name=file_name, content=content.encode())
        return cls(
            receipt_file=read.receipt_file,
            matched=read.matched,
            unmatched=read.unmatched,
            ambiguous=read.ambiguous,
            matched_before=read.matched_before,
            problems=read.problems,
        )


class ReceiptLink(mutations.Mutation):
    """Settles an open receipt by hand: it proves this report."""

    allow = policies.FINANCE_PREPARERS

    class Input:
        line_id = graphene.ID(required=True)
        recovery_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    receipt_line = graphene.Field(ReceiptLine)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(receipt_line=receipt_lines.link(actor=actor, **given))


class ReceiptDismiss(mutations.Mutation):
    """Settles an open receipt by hand: it proves no report."""

    allow = policies.FINANCE_PREPARERS

    class Input:
        line_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    receipt_line = graphene.Field(ReceiptLine)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(receipt_line=receipt_lines.dismiss(actor=actor, **given))


class LateReceiptSubmit(mutations.Mutation):
    """Tells a bank of money that came in after a recall. Answers the same for every loan."""

    allow = policies.AGENCY_WORKERS

    class Input:
        institution_id = graphene.ID(required=True)
        loan_reference = graphene.String(required=True)
        reference = graphene.String(required=True, description="Your own.")
        amount_minor = scalars.MinorUnits(required=True)
        currency = graphene.String(required=True)
        value_on = graphene.Date(required=True)
        note = graphene.String()

    late_receipt = graphene.Field(LateReceipt)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(late_receipt=late_receipts.submit(actor=actor, **given))


class LateReceiptDecide(mutations.Mutation):
    """Accepts a late receipt as a recovery of the spell that the agency had, or refuses it."""

    allow = policies.FINANCE_PREPARERS

    class Input:
        late_receipt_id = graphene.ID(required=True)
        accept = graphene.Boolean(required=True)
        reason = graphene.String(required=True)

    late_receipt = graphene.Field(LateReceipt)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(late_receipt=late_receipts.decide(actor=actor, **given))


class Query(graphene.ObjectType):
    receipt_lines = queries.connection(
        ReceiptLine,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=LineState(),
    )
    late_receipts = queries.connection(
        LateReceipt,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=LateState(),
    )


class Mutation(graphene.ObjectType):
    receipts_confirm = ReceiptsConfirm.Field()
    receipt_link = ReceiptLink.Field()
    receipt_dismiss = ReceiptDismiss.Field()
    late_receipt_submit = LateReceiptSubmit.Field()
    late_receipt_decide = LateReceiptDecide.Field()
