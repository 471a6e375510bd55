"""Agencies: the outside collectors. What a bank thinks of one is in its panel, not here."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Agency(models.Model):
    """An outside collector. Its `group` is what placements are granted to."""

    id = ids.primary_key()
    name = models.CharField(_("name"), max_length=120)
    country = models.CharField(_("country"), max_length=2)
    contact_email = models.EmailField(_("contact e-mail"))
    group = models.OneToOneField("auth.Group", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "agencies"

    def __str__(self):
        return self.name
