"""Complaints about conduct, from intake to decision. Nobody can delete one."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class Complaint(models.Model):
    """One complaint. It counts against the placement in which the conduct happened.

    `account` is the complainant's own words, for the bank alone; `summary` is what the agency is
    asked to answer. `loan_reference` is the loan's, kept here because the agency answers also
    after the loan was taken back from it.
    """

    class Category(models.TextChoices):
        HARASSMENT = "harassment", _("Harassment or threats")
        FREQUENCY = "frequency", _("Too many or ill-timed contacts")
        DISCLOSURE = "disclosure", _("Debt disclosed to others")
        FALSE_STATEMENT = "false_statement", _("False statement")
        NOT_OWED = "not_owed", _("Debt not owed or wrong amount")
        OTHER = "other", _("Other")

    class Severity(models.TextChoices):
        LOW = "low", _("Low")
        MEDIUM = "medium", _("Medium")
        HIGH = "high", _("High")

    class State(models.TextChoices):
        OPEN = "open", _("Waiting for the agency")
        ANSWERED = "answered", _("Waiting for a decision")
        DECIDED = "decided", _("Decided")

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("Upheld")
        NOT_UPHELD = "not_upheld", _("Not upheld")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="complaints")
    loan_reference = models.CharField(_("loan"), max_length=60)
    agency = models.ForeignKey(
        "agencies.Agency", null=True, on_delete=models.PROTECT, related_name="+"
    )
    placement = models.ForeignKey(
        "portfolios.Placement", null=True, on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey(
        "portfolios.PlacedLoan", null=True, on_delete=models.PROTECT, related_name="+"
    )
    category = models.CharField(_("category"), max_length=16, choices=Category)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity)
    happened_on = models.DateField(_("day of the conduct"))
    account = EncryptedField(_("in the complainant's words"))
    summary = models.TextField(_("what the agency is asked"), max_length=2000)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    received_at = models.DateTimeField()
    due_on = models.DateField(_("decision due on"))
    answer = models.TextField(_("the agency's answer"), blank=True, max_length=4000)
    answered_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    is_agency_at_fault = models.BooleanField(_("the agency's doing"), default=False)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="complaint_decided_with_a_reason",
                condition=models.Q(decided_at__isnull=True, outcome="", is_agency_at_fault=False)
                & ~models.Q(state="decided")
                | models.Q(decided_at__isnull=False, state="decided")
                & ~models.Q(outcome="")
                & ~models.Q(decision_reason=""),
            )
        ]
        indexes = [
            models.Index(fields=["institution", "state", "due_on"], name="complaint_by_deadline"),
            models.Index(fields=["placement"], name="complaint_by_placement"),
        ]


class ComplaintIntake(models.Model):
    """What somebody left in the public form; a compliance officer makes a complaint of it.

    The form only writes, and answers the same whatever the reference: it cannot tell a visitor
    whether a debt exists.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("Received")
        OPENED = "opened", _("Opened as a complaint")
        DISMISSED = "dismissed", _("Dismissed")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan_reference = models.CharField(_("reference on your letter"), max_length=60)
    category = models.CharField(max_length=16, choices=Complaint.Category)
    happened_on = models.DateField(_("when did it happen"))
    account = EncryptedField(_("what happened"))
    contact = EncryptedField(_("how to reach you"))
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    received_at = models.DateTimeField()
    complaint = models.OneToOneField(
        Complaint, null=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True)
