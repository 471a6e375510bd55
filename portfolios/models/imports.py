"""Loan files on their way into a portfolio, and what was wrong in them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class LoanImport(models.Model):
    """One file of one bank, from its upload to its last row; read once by its SHA-256.

    A file of loans brings new loans into a `portfolio`; a maintenance file, which has none, says
    what happened to loans that are there. `currency` is the one of every amount in it.

    A worker moves it on wherever it stands (`portfolios.services.import_runs`): counts and
    `last_row` are written in the transaction that writes the rows they count. `mapping` is
    `Mapping.to_dict()`. `report` is what the check found: {encoding, delimiter, columns, kinds,
    read_minor, trailer, events}, kinds of problems as [column, code, is_warning, params of the
    first, count], `events` the good rows by event of a maintenance file. `outcome` is what came of
    such a file so far: event → [rows that changed something, rows that said what was so already].
    `stumbled_at` is when an error of ours last stopped the worker; the bank's others go first then.
    `as_of` is the day on which the file is judged, the same after a restart. `expected_rows` and
    `expected_minor` are control totals that came with it; those of its own last row are the
    report's `trailer`.
    """

    class Kind(models.TextChoices):
        LOANS = "loans", _("Loans")
        MAINTENANCE = "maintenance", _("Maintenance file")

    class State(models.TextChoices):
        RECEIVED = "received", _("Waits for its columns")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Waits for a decision")
        IMPORTING = "importing", _("Being imported")
        IMPORTED = "imported", _("Imported")
        CANCELLING = "cancelling", _("Being undone")
        CANCELLED = "cancelled", _("Cancelled")

    class Policy(models.TextChoices):
        """What becomes of the good rows of a file that has bad ones."""

        ALL_OR_NOTHING = "all_or_nothing", _("All rows or nothing")
        GOOD_ROWS_ONLY = "good_rows_only", _("The good rows only")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=11, choices=Kind, default=Kind.LOANS)
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", null=True, on_delete=models.PROTECT, related_name="imports"
    )
    currency = models.CharField(_("currency"), max_length=3)
    file_name = models.CharField(_("file"), max_length=200)
    file_bytes = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    mapping_name = models.CharField(_("mapping"), max_length=80, blank=True)
    mapping = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    policy = models.CharField(max_length=14, choices=Policy, blank=True)
    as_of = models.DateField(null=True)
    expected_rows = models.PositiveIntegerField(_("rows expected"), null=True)
    expected_minor = models.BigIntegerField(_("balance expected"), null=True)
    rows_read = models.PositiveIntegerField(_("rows read"), default=0)
    rows_good = models.PositiveIntegerField(_("good rows"), default=0)
    good_minor = models.BigIntegerField(_("balance of the good rows"), default=0)
    rows_imported = models.PositiveIntegerField(_("rows imported"), default=0)
    balance_minor = models.BigIntegerField(_("balance imported"), default=0)
    last_row = models.PositiveIntegerField(default=1)
    bytes_read = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict)
    outcome = models.JSONField(default=dict)
    failure_code = models.CharField(max_length=40, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    phase_started_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()
    stumbled_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "sha256"],
                condition=~models.Q(state__in=["cancelling", "cancelled"]),
                name="loan_file_once_per_institution",
            ),
            models.CheckConstraint(
                name="loan_import_imported_at_its_end",
                condition=models.Q(state="imported", imported_at__isnull=False)
                | ~models.Q(state="imported") & models.Q(imported_at__isnull=True),
            ),
            models.CheckConstraint(
                name="loan_import_into_a_portfolio",
                condition=models.Q(kind="loans", portfolio__isnull=False)
                | models.Q(kind="maintenance", portfolio__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["institution", "state"],
                condition=models.Q(state__in=["checking", "importing", "cancelling"]),
                name="loan_import_to_move_on",
            )
        ]

    def __str__(self):
        return self.file_name

    @property
    def subject(self) -> models.Model:
        """What the trail is told about: the portfolio that gets the loans, else the file."""
        return self.portfolio or self


class LoanFilePart(models.Model):
    """A piece of a file, compressed and sealed (`config.encryption.seal_bytes`).

    `file` is what was uploaded, deleted when its import has ended; `rejected` is the CSV text of
    the rows left out, kept with the import: they hold the same personal data as the rows taken.
    """

    class Kind(models.TextChoices):
        FILE = "file", _("The file")
        REJECTED = "rejected", _("Rows left out")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan_import = models.ForeignKey(LoanImport, on_delete=models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=8, choices=Kind)
    number = models.PositiveIntegerField()
    content = EncryptedField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["loan_import", "kind", "number"], name="loan_file_part_once"
            )
        ]


class ImportProblem(models.Model):
    """What is wrong in one cell of a file, the first thousand. `value` is never personal.

    A warning alone leaves no row out. `message` is English; `params` fill its code's sentence in
    any language (`portfolios.file_messages`).
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    loan_import = models.ForeignKey(LoanImport, on_delete=models.PROTECT, related_name="problems")
    is_warning = models.BooleanField(default=False)
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=80)
    value = models.CharField(_("value"), max_length=80, blank=True)
    code = models.CharField(_("code"), max_length=40)
    message = models.CharField(_("reason"), max_length=300)
    params = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["loan_import", "row"], name="import_problem_by_row")]


class LoanMapping(models.Model):
    """A mapping that a bank has saved for its next files: `definition` is `Mapping.to_dict()`."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    name = models.CharField(_("name"), max_length=80)
    definition = models.JSONField()
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "name"], name="mapping_name_once_per_institution"
            )
        ]

    def __str__(self):
        return self.name
