"""Where an agency is paid by one institution."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class PayoutAccount(models.Model):
    """The recipient account at Stripe for one panel membership.

    The row is made first, then the account under a key derived from it: a crash in between asks
    Stripe for the same account again.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Being opened")
        ACTIVE = "active", _("Active")
        REFUSED = "refused", _("Refused")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    membership = models.OneToOneField(
        "agencies.PanelMembership", on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    remote_id = models.CharField(_("account at Stripe"), max_length=80, blank=True)
    requested_at = models.DateTimeField()
    refusal_code = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["remote_id"],
                condition=~models.Q(remote_id=""),
                name="remote_account_once",
            ),
            models.CheckConstraint(
                name="active_account_is_remote",
                condition=~models.Q(state="active") | ~models.Q(remote_id=""),
            ),
        ]
