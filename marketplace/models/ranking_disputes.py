"""Disputes: an agency objects to a figure that a ranking counts with, and the bank answers."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from agencies import texts
from config import ids

LONGEST_CORRECTION = 300


class RankingDispute(models.Model):
    """What an agency says is wrong in its score of one run, and what the bank answers.

    The run and the score stay as they were computed: what was wrong is put right by an event of
    its own (a reversal, a receipt, a decision about a complaint), and `correction` says which. The
    references are the agency's words; no row is looked up by them on its side.
    """

    class Subject(models.TextChoices):
        PAYMENT = "payment", _("A payment")
        EXPOSURE = "exposure", _("The time of a loan")
        STRATUM = "stratum", _("The kind of a loan")
        COMPLAINT = "complaint", _("A complaint")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")

    class Outcome(models.TextChoices):
        CORRECTED = "corrected", _("Corrected")
        NOT_CORRECTED = "not_corrected", _("Not corrected")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey("marketplace.RankingRun", on_delete=models.PROTECT, related_name="+")
    score = models.ForeignKey(
        "marketplace.RankingScore", on_delete=models.PROTECT, related_name="+"
    )
    subject = models.CharField(max_length=9, choices=Subject)
    loan_reference = models.CharField(max_length=60, blank=True)
    payment_reference = models.CharField(max_length=60, blank=True)
    statement = models.TextField(max_length=texts.LONGEST)
    raised_at = models.DateTimeField()
    raised_by = models.CharField(max_length=160)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    outcome = models.CharField(max_length=13, choices=Outcome, blank=True)
    answer = models.TextField(max_length=texts.LONGEST, blank=True)
    correction = models.CharField(max_length=LONGEST_CORRECTION, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=160, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["institution", "state", "-raised_at"], name="ranking_dispute_newest"
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="ranking_dispute_says_of_what",
                condition=~models.Q(statement="")
                & (
                    models.Q(subject__in=["complaint", "other"])
                    | models.Q(subject__in=["exposure", "stratum"]) & ~models.Q(loan_reference="")
                    | models.Q(subject="payment")
                    & ~models.Q(loan_reference="")
                    & ~models.Q(payment_reference="")
                ),
            ),
            models.CheckConstraint(
                name="ranking_dispute_answered",
                condition=models.Q(
                    state="open",
                    outcome="",
                    answer="",
                    correction="",
                    answered_at__isnull=True,
                    answered_by="",
                )
                | models.Q(state="answered", answered_at__isnull=False)
                & ~models.Q(answer="")
                & ~models.Q(answered_by="")
                & (
                    models.Q(outcome="corrected") & ~models.Q(correction="")
                    | models.Q(outcome="not_corrected", correction="")
                ),
            ),
        ]
