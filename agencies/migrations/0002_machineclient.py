"""Machine clients: apart from the first migration, because allauth's own needs our users first."""

import django.db.models.deletion
from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0001_initial"),
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
    ]

    operations = [
        migrations.CreateModel(
            name="MachineClient",
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
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "is_enabled",
                    models.BooleanField(default=True, verbose_name="enabled"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.agency",
                    ),
                ),
                (
                    "client",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="allauth_idp_oidc.client",
                    ),
                ),
            ],
        ),
    ]
