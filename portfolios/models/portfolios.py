"""Portfolios: loans published together."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Portfolio(models.Model):
    """Loans of one institution in one currency that are published and placed together."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        LISTED = "listed", _("Listed")
        PLACED = "placed", _("Placed")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3)
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10)
    product = models.CharField(_("product"), max_length=60)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                name="portfolio_name_once_per_institution",
            ),
            models.CheckConstraint(
                name="portfolio_state_known",
                condition=models.Q(state__in=["draft", "listed", "placed"]),
            ),
        ]

    def __str__(self):
        return self.name
