from django.db import migrations, models

# Placements had the tail of the day of the award: listings from before promise the rule of today.
KEPT = """
update marketplace_listing l set tail_days = r.tail_days
from portfolios_placementrules r where r.institution_id = l.institution_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0011_room_walls"),
        ("portfolios", "0021_spell_walls"),
    ]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="tail_days",
            field=models.PositiveIntegerField(db_default=30, verbose_name="tail in days"),
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
