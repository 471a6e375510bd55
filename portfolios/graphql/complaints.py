"""Complaints over GraphQL: an agency answers those addressed to it, the bank opens and decides."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.services import complaints, intakes

MAY_READ = (
    policies.AGENCY_WORKERS
    | policies.COMPLIANCE_OFFICERS
    | policies.VENDOR_MANAGERS
    | policies.AUDITORS
)

Category = scalars.choices(models.Complaint.Category, "ComplaintCategory")
Severity = scalars.choices(models.Complaint.Severity, "ComplaintSeverity")
State = scalars.choices(models.Complaint.State, "ComplaintState")
Outcome = scalars.choices(models.Complaint.Outcome, "ComplaintOutcome")
IntakeState = scalars.choices(models.ComplaintIntake.State, "ComplaintIntakeState")


class Complaint(types.Node):
    """One complaint about conduct. The complainant's own words are not here."""

    class Meta:
        model = models.Complaint
        fields = (
            "loan_reference",
            "happened_on",
            "summary",
            "received_at",
            "due_on",
            "answer",
            "answered_at",
            "is_agency_at_fault",
            "decided_at",
            "decision_reason",
        )
        selector = selectors.shown_complaints
        allow = MAY_READ

    category = graphene.Field(Category, required=True)
    severity = graphene.Field(Severity, required=True)
    state = graphene.Field(State, required=True)
    outcome = graphene.Field(Outcome, description="Null until it is decided.")
    institution_name = graphene.String(required=True)
    agency_id = graphene.ID(description="Null where no agency had the loan on that day.")
    agency_name = graphene.String()

    def resolve_outcome(complaint, info):
        return complaint.outcome or None

    def resolve_institution_name(complaint, info):
        return complaint.institution.name

    def resolve_agency_name(complaint, info):
        return complaint.agency.name if complaint.agency_id else None


class ComplaintIntake(types.Node):
    """What somebody left in the public form; `intakeRead` shows what they wrote."""

    class Meta:
        model = models.ComplaintIntake
        fields = ("loan_reference", "happened_on", "received_at", "reason", "complaint")
        selector = selectors.shown_intakes
        allow = policies.COMPLIANCE_OFFICERS

    category = graphene.Field(Category, required=True)
    state = graphene.Field(IntakeState, required=True)
    is_known = graphene.Boolean(
        required=True, description="Whether the reference is that of one of your loans."
    )


class ComplaintOpen(mutations.Mutation):
    """Opens a complaint, addresses it to who had the loan on that day, and holds the loan."""

    allow = complaints.MAY_HANDLE

    class Input:
        loan_reference = graphene.String(required=True)
        category = Category(required=True)
        severity = Severity(required=True)
        happened_on = graphene.Date(required=True)
        summary = graphene.String(required=True, description="What the agency is asked.")
        account = graphene.String(
            description="The complainant's own words, which no agency reads. With `intakeId` they"
            " are the intake's."
        )
        intake_id = graphene.ID()

    complaint = graphene.Field(Complaint)

    @classmethod
    def perform(cls, info, actor, **given):
        given = {name: value for name, value in given.items() if value is not None}
        opened = complaints.open(actor=actor, **given)
        return cls(complaint=Complaint.load(info, [opened.pk])[opened.pk])


class ComplaintAnswer(mutations.Mutation):
    """Gives the agency's one answer, also after the loan was taken back."""

    allow = complaints.MAY_ANSWER

    class Input:
        complaint_id = graphene.ID(required=True)
        answer = graphene.String(required=True)

    complaint = graphene.Field(Complaint)

    @classmethod
    def perform(cls, info, actor, **given):
        answered = complaints.answer(actor=actor, **given)
        return cls(complaint=Complaint.load(info, [answered.pk])[answered.pk])


class ComplaintDecide(mutations.Mutation):
    """Decides a complaint, answered or not, and ends its hold."""

    allow = complaints.MAY_HANDLE

    class Input:
        complaint_id = graphene.ID(required=True)
        outcome = Outcome(required=True)
        is_agency_at_fault = graphene.Boolean(required=True)
        reason = graphene.String(required=True)

    complaint = graphene.Field(Complaint)

    @classmethod
    def perform(cls, info, actor, **given):
        decided = complaints.decide(actor=actor, **given)
        return cls(complaint=Complaint.load(info, [decided.pk])[decided.pk])


class ComplaintReveal(mutations.Mutation):
    """Shows the complainant's own words; the reason stays in the audit trail."""

    allow = complaints.MAY_HANDLE

    class Input:
        complaint_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    account = graphene.String()
    contact = graphene.String(description="How to reach the complainant; empty if not given.")

    @classmethod
    def perform(cls, info, actor, **given):
        words = complaints.reveal(actor=actor, **given)
        return cls(account=words.account, contact=words.contact)


class IntakeRead(mutations.Mutation):
    """Shows what somebody wrote in the public form; that it was read stays in the audit trail."""

    allow = intakes.MAY_HANDLE

    class Input:
        intake_id = graphene.ID(required=True)

    account = graphene.String()
    contact = graphene.String(description="How to reach the complainant; empty if not given.")

    @classmethod
    def perform(cls, info, actor, intake_id):
        words = intakes.read(actor=actor, intake_id=intake_id)
        return cls(account=words.account, contact=words.contact)


class IntakeDismiss(mutations.Mutation):
    """Settles what came through the public form without a complaint."""

    allow = intakes.MAY_HANDLE

    class Input:
        intake_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    intake = graphene.Field(ComplaintIntake)

    @classmethod
    def perform(cls, info, actor, **given):
        dismissed = intakes.dismiss(actor=actor, **given)
        return cls(intake=ComplaintIntake.load(info, [dismissed.pk])[dismissed.pk])


class Query(graphene.ObjectType):
    complaint = queries.node(Complaint)
    complaints = queries.connection(
        Complaint,
        narrow=lambda visible, root, **filters: selectors.narrow_complaints(visible, **filters),
        newest_first=True,
        state=graphene.Argument(State),
        severity=graphene.Argument(Severity),
        agency_id=graphene.ID(),
        loan_reference=graphene.String(),
    )
    complaint_intakes = queries.connection(
        ComplaintIntake,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=graphene.Argument(IntakeState),
    )


class Mutation(graphene.ObjectType):
    complaint_open = ComplaintOpen.Field()
    complaint_answer = ComplaintAnswer.Field()
    complaint_decide = ComplaintDecide.Field()
    complaint_reveal = ComplaintReveal.Field()
    intake_read = IntakeRead.Field()
    intake_dismiss = IntakeDismiss.Field()
