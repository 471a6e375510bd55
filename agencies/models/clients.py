"""Machine clients: an agency's own systems, known by OAuth client credentials."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class MachineClient(models.Model):
    """Ties an OAuth client to the agency whose loans it may work on."""

    id = ids.primary_key()
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    client = models.OneToOneField(
        "allauth_idp_oidc.Client", on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(_("name"), max_length=80)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name
