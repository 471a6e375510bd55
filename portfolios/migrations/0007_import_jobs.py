"""Loan imports as jobs that can be killed anywhere, and mappings that a bank keeps."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.encryption
import config.ids
from config import rls

OWN = rls.OWN_INSTITUTION
# What an import wrote can be taken back while it is being undone, and at no other time.
OF_AN_UNDONE_IMPORT = (
    f"{OWN} and exists (select from portfolios_loanimport i "
    "where i.id = loan_import_id and i.state = 'cancelling')"
)


def key() -> models.UUIDField:
    return models.UUIDField(
        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
    )


def owner() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.institution"
    )


def change(name: str, field: models.Field, *, keep_default: bool = True) -> migrations.AddField:
    return migrations.AddField("loanimport", name, field, preserve_default=keep_default)


STATES = [
    ("received", "Waits for its columns"),
    ("checking", "Being checked"),
    ("checked", "Waits for a decision"),
    ("importing", "Being imported"),
    ("imported", "Imported"),
    ("cancelling", "Being undone"),
    ("cancelled", "Cancelled"),
]
POLICIES = [
    ("all_or_nothing", "All rows or nothing"),
    ("good_rows_only", "The good rows only"),
]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("agencies", "0003_context_clock_and_walls"),
        ("portfolios", "0006_loan_facts"),
    ]

    operations = [
        migrations.DeleteModel("LoanUpload"),
        migrations.RemoveConstraint("loanimport", "loan_file_once_per_institution"),
        migrations.RemoveField("loanimport", "rejected_rows"),
        migrations.RenameField("loanimport", "mapping", "mapping_name"),
        migrations.RenameField("loanimport", "imported_by", "uploaded_by"),
        change("mapping", models.JSONField(default=dict)),
        change("state", models.CharField(choices=STATES, default="imported", max_length=10)),
        change("policy", models.CharField(blank=True, choices=POLICIES, max_length=14)),
        change("as_of", models.DateField(null=True)),
        change(
            "expected_rows", models.PositiveIntegerField(null=True, verbose_name="rows expected")
        ),
        change(
            "expected_minor", models.BigIntegerField(null=True, verbose_name="balance expected")
        ),
        change("rows_good", models.PositiveIntegerField(default=0, verbose_name="good rows")),
        change(
            "good_minor", models.BigIntegerField(default=0, verbose_name="balance of the good rows")
        ),
        change("last_row", models.PositiveIntegerField(default=1)),
        change("bytes_read", models.BigIntegerField(default=0)),
        change("report", models.JSONField(default=dict)),
        change("failure_code", models.CharField(blank=True, max_length=40)),
        change("failure", models.CharField(blank=True, max_length=300)),
        change("phase_started_at", models.DateTimeField(null=True)),
        change(
            "file_bytes", models.BigIntegerField(default=0, verbose_name="size"), keep_default=False
        ),
        migrations.AddField("loanimport", "uploaded_at", models.DateTimeField(null=True)),
        migrations.AddField("loanimport", "moved_at", models.DateTimeField(null=True)),
        migrations.RunSQL(
            "update portfolios_loanimport set uploaded_at = imported_at, moved_at = imported_at",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("loanimport", "uploaded_at", models.DateTimeField()),
        migrations.AlterField("loanimport", "moved_at", models.DateTimeField()),
        migrations.AlterField("loanimport", "imported_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            "loanimport",
            "state",
            models.CharField(choices=STATES, default="received", max_length=10),
        ),
        migrations.AlterField(
            "loanimport",
            "mapping_name",
            models.CharField(blank=True, max_length=80, verbose_name="mapping"),
        ),
        *(
            migrations.AlterField("loanimport", name, field)
            for name, field in (
                ("rows_read", models.PositiveIntegerField(default=0, verbose_name="rows read")),
                (
                    "rows_imported",
                    models.PositiveIntegerField(default=0, verbose_name="rows imported"),
                ),
                (
                    "balance_minor",
                    models.BigIntegerField(default=0, verbose_name="balance imported"),
                ),
            )
        ),
        migrations.AddConstraint(
            "loanimport",
            models.UniqueConstraint(
                condition=~models.Q(state__in=["cancelling", "cancelled"]),
                fields=("institution", "sha256"),
                name="loan_file_once_per_institution",
            ),
        ),
        migrations.AddConstraint(
            "loanimport",
            models.CheckConstraint(
                condition=models.Q(state="imported", imported_at__isnull=False)
                | ~models.Q(state="imported") & models.Q(imported_at__isnull=True),
                name="loan_import_imported_at_its_end",
            ),
        ),
        migrations.AddIndex(
            "loanimport",
            models.Index(
                condition=models.Q(state__in=["checking", "importing", "cancelling"]),
                fields=["institution", "state"],
                name="loan_import_to_move_on",
            ),
        ),
        migrations.CreateModel(
            "LoanFilePart",
            fields=[
                ("id", key()),
                ("institution", owner()),
                (
                    "loan_import",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="portfolios.loanimport",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("file", "The file"), ("rejected", "Rows left out")], max_length=8
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", config.encryption.EncryptedField(blank=True, default=b"")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("loan_import", "kind", "number"), name="loan_file_part_once"
                    )
                ]
            },
        ),
        migrations.CreateModel(
            "LoanMapping",
            fields=[
                ("id", key()),
                ("institution", owner()),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("definition", models.JSONField()),
                ("saved_at", models.DateTimeField()),
                (
                    "saved_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("institution", "name"), name="mapping_name_once_per_institution"
                    )
                ]
            },
        ),
        migrations.AddField("importproblem", "is_warning", models.BooleanField(default=False)),
        migrations.AddField("importproblem", "params", models.JSONField(default=dict)),
        migrations.AddIndex(
            "importproblem",
            models.Index(fields=["loan_import", "row"], name="import_problem_by_row"),
        ),
        migrations.AddField(
            "borrower",
            "loan_import",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.loanimport",
            ),
        ),
        rls.protect("portfolios_loanfilepart", read=OWN, insert=OWN, delete=OWN),
        rls.protect("portfolios_loanmapping", read=OWN, insert=OWN, update=OWN),
        migrations.RunSQL(
            [
                "grant delete on portfolios_importproblem, portfolios_loan, portfolios_borrower"
                f" to {rls.APPLICATION_ROLE}",
                *(
                    f"create policy deletes on {table} for delete"
                    f" to {rls.APPLICATION_ROLE} using ({condition})"
                    for table, condition in (
                        ("portfolios_importproblem", OWN),
                        ("portfolios_loan", OF_AN_UNDONE_IMPORT),
                        ("portfolios_borrower", OF_AN_UNDONE_IMPORT),
                    )
                ),
            ],
            migrations.RunSQL.noop,
        ),
    ]
