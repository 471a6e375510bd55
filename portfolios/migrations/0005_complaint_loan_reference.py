"""A complaint names its loan by itself: the agency answers also after a recall."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0004_receipt_problems")]

    operations = [
        migrations.AddField(
            model_name="complaint",
            name="loan_reference",
            field=models.CharField(default="", max_length=60, verbose_name="loan"),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "update portfolios_complaint c set loan_reference = l.reference"
            " from portfolios_loan l where l.id = c.loan_id",
            migrations.RunSQL.noop,
        ),
    ]
