"""Tapes: what bidders see of a portfolio's loans, frozen at publication."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tape(models.Model):
    """The anonymised tape of one listing and what is counted from the same loans.

    `cells` is `{columns: [name], labels: [[label]], rows: [[index of a label…, loans]]}`: loans
    in bands, at least five borrowers in every row. `strata` is `{name: [{group, loans,
    balance_minor}]}`. `balance_minor` is null where it would tell what one borrower owes. The
    lines of a download are shuffled by `seed`. `cut_at` is when the loans were counted, which for
    a portfolio published again is when it was first.
    """

    listing = models.OneToOneField(
        "marketplace.Listing", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan_count = models.PositiveIntegerField(_("loans"))
    balance_minor = models.BigIntegerField(_("balance"), null=True)
    suppressed_count = models.PositiveIntegerField(_("loans left out"))
    cells = models.JSONField()
    strata = models.JSONField()
    seed = models.BigIntegerField()
    cut_at = models.DateTimeField(_("counted"))


class TapeCut(models.Model):
    """Which loans a tape was counted from, for the bank alone.

    `members` are the last eight bytes of the loans' ids, sorted. A portfolio that is published
    again keeps the tape of the loans that it had: from two tapes of nearly the same loans the few
    that differ could be told.
    """

    listing = models.OneToOneField(
        "marketplace.Listing", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    members = models.BinaryField()
