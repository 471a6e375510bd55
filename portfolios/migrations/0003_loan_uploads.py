"""Loan files that wait, encrypted, for their import, and what an import left out."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.encryption
import config.ids
from config import rls


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0002_walls"),
        ("agencies", "0003_context_clock_and_walls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="loanimport",
            name="rejected_rows",
            field=config.encryption.EncryptedField(blank=True, default=b""),
        ),
        migrations.CreateModel(
            name="LoanUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("mapping", models.CharField(max_length=40, verbose_name="mapping")),
                (
                    "content",
                    config.encryption.EncryptedField(blank=True, default=b""),
                ),
                ("uploaded_at", models.DateTimeField()),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="portfolios.portfolio",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        rls.protect(
            "portfolios_loanupload",
            read=rls.OWN_INSTITUTION,
            insert=rls.OWN_INSTITUTION,
            delete=rls.OWN_INSTITUTION,
        ),
    ]
