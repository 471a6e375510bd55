"""Institutions: the banks that own the loans."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Institution(models.Model):
    """A bank. `time_zone` is the IANA zone in which its business dates are counted."""

    id = ids.primary_key()
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("short name in addresses"), unique=True)
    time_zone = models.CharField(_("time zone"), max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name
