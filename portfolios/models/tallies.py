"""Tallies: what a portfolio's loans come to, kept by the database with every change of a loan."""

from django.db import models


class Tally(models.Model):
    """A change in what some loans of one portfolio come to; the sum over all rows is how it is.

    `cut` says by what loans are told apart (`all`, `balance`, `days`, `region`, `grade`) and
    `value` which of them these are: nothing, the number of a band, a region or a grade. A trigger
    on loans adds rows, so that two writers never wait for each other; a sweep puts rows of one
    cell together. Figures may be negative.
    """

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    cut = models.CharField(max_length=8)
    value = models.CharField(max_length=20, blank=True)
    loan_count = models.BigIntegerField()
    balance_minor = models.BigIntegerField()
    placed_count = models.BigIntegerField()
    placed_minor = models.BigIntegerField()
    on_hold_count = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["portfolio", "cut"], name="tally_by_portfolio")]
