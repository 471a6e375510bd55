"""Loan files that wait for a decision: checked, not yet imported."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class LoanUpload(models.Model):
    """A file kept, encrypted as a whole, between its check and its import; then it is deleted."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="uploads"
    )
    file_name = models.CharField(_("file"), max_length=200)
    mapping = models.CharField(_("mapping"), max_length=40)
    content = EncryptedField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    def __str__(self):
        return self.file_name
