"""Cells: what each placement was exposed to and what came in, counted in whole numbers."""

from django.db import models


class SuccessSheet(models.Model):
    """Up to when the cells of one placement are counted under one policy, and from what.

    Exposure and money are as they were known at `counted_at`; `confirmations` and `reversals` are
    how many there were. `is_final` once no day can be added any more: only money changes it then.
    With a settlement floor it never is.
    """

    pk = models.CompositePrimaryKey("policy_id", "placement_id")
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey(
        "marketplace.RankingPolicy", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    counted_at = models.DateTimeField()
    confirmations = models.PositiveIntegerField()
    reversals = models.PositiveIntegerField()
    is_final = models.BooleanField()


class SuccessCell(models.Model):
    """Loans of one placement and one stratum in one month on book, of 30 days each.

    `loan_days` are the days in which they were exposed, `balance_days` those days × the balance at
    placement in minor units; `payers` the loans that paid in this month, `payer_balance_minor`
    their balance, `cash_minor` confirmed money less reversals. `is_random` are loans of random
    lots.
    """

    pk = models.CompositePrimaryKey("policy_id", "placement_id", "stratum", "is_random", "month")
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    policy = models.ForeignKey(
        "marketplace.RankingPolicy", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    stratum = models.CharField(max_length=240)
    is_random = models.BooleanField()
    month = models.PositiveSmallIntegerField()
    loan_days = models.BigIntegerField()
    balance_days = models.BigIntegerField()
    payers = models.BigIntegerField()
    payer_balance_minor = models.BigIntegerField()
    cash_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="success_cell_possible",
                condition=models.Q(
                    loan_days__gt=0, balance_days__gt=0, payers__gte=0, payer_balance_minor__gte=0
                ),
            )
        ]
