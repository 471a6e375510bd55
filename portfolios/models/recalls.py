"""Recalls in two steps: announced, objected to, decided, final."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Recall(models.Model):
    """What a bank said it will take back from one placement at `final_at`, and why."""

    class State(models.TextChoices):
        PENDING = "pending", _("Announced")
        FINAL = "final", _("Final")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="recalls"
    )
    reason = models.TextField(_("reason"))
    is_whole = models.BooleanField(_("the whole placement"))
    loan_count = models.PositiveIntegerField(_("loans"))
    balance_minor = models.BigIntegerField(_("balance at placement"))
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    announced_at = models.DateTimeField(_("announced"))
    final_at = models.DateTimeField(_("final"))
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="recall_settled_once_it_is_not_pending",
                condition=models.Q(state="pending", settled_at__isnull=True)
                | models.Q(state__in=["final", "withdrawn"], settled_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "final_at"],
                condition=models.Q(state="pending"),
                name="recall_pending_by_end",
            )
        ]


class RecalledLoan(models.Model):
    """One loan in an announced recall; `is_kept` once an objection to it was accepted."""

    id = ids.primary_key()
    # No key has a constraint of its own: `portfolios_recalledloan_recall_agrees` and
    # `portfolios_recalledloan_spell_agrees` say more.
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    agency = models.ForeignKey(
        "agencies.Agency", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    recall = models.ForeignKey(
        Recall, on_delete=models.PROTECT, related_name="loans", db_constraint=False
    )
    spell = models.ForeignKey(
        "portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    loan = models.ForeignKey(
        "portfolios.Loan", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    is_kept = models.BooleanField(_("stays with the agency"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recall", "spell"], name="once_per_recall_and_spell")
        ]


class Objection(models.Model):
    """Why an agency should keep a loan that is being recalled; one for each loan.

    `is_automatic` where the portal's own data show the reason. The agency writes it open; only
    the bank or a sweep moves it on.
    """

    class Kind(models.TextChoices):
        PROMISE_OPEN = "promise_open", _("A promise is open")
        PLAN_CURRENT = "plan_current", _("A plan is being kept")
        RECENT_PAYMENT = "recent_payment", _("A payment came in lately")
        VISIT_BOOKED = "visit_booked", _("A visit is booked")
        LEGAL_STEP = "legal_step", _("A legal step is filed")

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    recalled_loan = models.OneToOneField(
        RecalledLoan, on_delete=models.PROTECT, related_name="objection"
    )
    spell = models.ForeignKey("portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+")
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("because"), max_length=14, choices=Kind)
    note = models.TextField(_("note"), blank=True, max_length=2000)
    is_automatic = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    made_at = models.DateTimeField(_("made"))
    made_by = models.CharField(max_length=160)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(_("reason of the decision"), blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="objection_decided_with_a_reason",
                condition=models.Q(state="open", decided_at__isnull=True, decision_reason="")
                | models.Q(state__in=["accepted", "refused"], decided_at__isnull=False)
                & ~models.Q(decision_reason=""),
            )
        ]
        indexes = [
            models.Index(
                fields=["institution"],
                condition=models.Q(state="open"),
                name="objection_open",
            )
        ]
