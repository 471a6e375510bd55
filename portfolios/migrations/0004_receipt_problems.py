"""What was wrong with the rows of a file of receipts stays readable."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0003_loan_uploads")]

    operations = [
        migrations.AddField(
            model_name="receiptfile",
            name="problems",
            field=models.JSONField(default=list),
        ),
    ]
