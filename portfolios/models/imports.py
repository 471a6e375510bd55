"""Loan files that were read, and what was wrong in them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class LoanImport(models.Model):
    """One file read into one portfolio; the same file (by SHA-256) is read once.

    `rejected_rows` is the CSV text of the rows left out, with what is wrong in each: encrypted,
    because they hold the same personal data as the rows taken.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="imports"
    )
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    mapping = models.CharField(_("mapping"), max_length=40)
    rows_read = models.PositiveIntegerField(_("rows read"))
    rows_imported = models.PositiveIntegerField(_("rows imported"))
    balance_minor = models.BigIntegerField(_("balance imported"))
    rejected_rows = EncryptedField()
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "sha256"], name="loan_file_once_per_institution"
            )
        ]


class ImportProblem(models.Model):
    """Why one row of a file was left out. `value` is never a personal field."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan_import = models.ForeignKey(LoanImport, on_delete=models.PROTECT, related_name="problems")
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=80)
    value = models.CharField(_("value"), max_length=80, blank=True)
    code = models.CharField(_("code"), max_length=40)
    message = models.CharField(_("reason"), max_length=300)
