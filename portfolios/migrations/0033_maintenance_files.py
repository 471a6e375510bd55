"""Maintenance files are imports without a portfolio, in a currency of their own."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [("loans", "Loans"), ("maintenance", "Maintenance file")]
CHANGES = [
    ("placed", "Placed"),
    ("held", "Put on hold"),
    ("released", "Released"),
    ("recall_announced", "Recall announced"),
    ("recall_withdrawn", "Recall withdrawn"),
    ("objection_accepted", "Objection accepted"),
    ("objection_refused", "Objection refused"),
    ("direct_payment", "Payment received by the bank"),
    ("balance_corrected", "Balance corrected"),
    ("contact_corrected", "Contact data corrected"),
    ("recalled", "Recalled"),
    ("returned", "Returned"),
    ("expired", "Expired"),
]


class Migration(migrations.Migration):
    # Which comes after 0032.
    dependencies = [("portfolios", "0010_comparable_lots")]

    operations = [
        migrations.AddField(
            "loanimport",
            "kind",
            models.CharField(choices=KINDS, default="loans", max_length=11),
        ),
        migrations.AddField("loanimport", "stumbled_at", models.DateTimeField(null=True)),
        migrations.AddField("loanimport", "outcome", models.JSONField(default=dict)),
        migrations.AddField(
            "loanimport",
            "currency",
            models.CharField(default="", max_length=3, verbose_name="currency"),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "update portfolios_loanimport i set currency = p.currency"
            " from portfolios_portfolio p where p.id = i.portfolio_id",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            "loanimport",
            "portfolio",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="imports",
                to="portfolios.portfolio",
            ),
        ),
        migrations.AddConstraint(
            "loanimport",
            models.CheckConstraint(
                condition=models.Q(kind="loans", portfolio__isnull=False)
                | models.Q(kind="maintenance", portfolio__isnull=True),
                name="loan_import_into_a_portfolio",
            ),
        ),
        migrations.AlterField(
            "placementchange", "kind", models.CharField(choices=CHANGES, max_length=18)
        ),
    ]
