"""An institution's own rules about placements."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class PlacementRules(models.Model):
    """One institution's rules; without a row the defaults hold.

    A limit that is empty does not apply. `tail_days` and `untouched_days` are frozen in each
    placement when it opens.
    """

    id = ids.primary_key()
    institution = models.OneToOneField(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    recall_notice_days = models.PositiveIntegerField(
        _("days from an announced recall to its end"), default=14
    )
    recent_payment_days = models.PositiveIntegerField(
        _("days for which a payment keeps a loan"), default=30
    )
    tail_days = models.PositiveIntegerField(
        _("days after the end in which a promised payment still counts"), default=30
    )
    untouched_days = models.PositiveIntegerField(
        _("days without a contact before a loan is on the worklist"), default=14
    )
    balance_share_max_ppm = models.IntegerField(
        _("largest share of the placed balance with one agency"), null=True
    )
    loan_share_max_ppm = models.IntegerField(
        _("largest share of the placed loans with one agency"), null=True
    )
    is_never_twice = models.BooleanField(_("never twice with the same agency"), default=True)
    is_one_agency_per_borrower = models.BooleanField(
        _("all loans of a borrower at one agency"), default=True
    )
    changed_at = models.DateTimeField(null=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="placement_shares_possible",
                condition=models.Q(
                    models.Q(balance_share_max_ppm__isnull=True)
                    | models.Q(balance_share_max_ppm__gt=0, balance_share_max_ppm__lte=1_000_000)
                )
                & models.Q(
                    models.Q(loan_share_max_ppm__isnull=True)
                    | models.Q(loan_share_max_ppm__gt=0, loan_share_max_ppm__lte=1_000_000)
                ),
            ),
            models.CheckConstraint(
                name="placement_days_possible",
                condition=models.Q(recall_notice_days__gte=1, recall_notice_days__lte=365)
                & models.Q(recent_payment_days__lte=365, tail_days__lte=365)
                & models.Q(untouched_days__gte=1, untouched_days__lte=365),
            ),
        ]
