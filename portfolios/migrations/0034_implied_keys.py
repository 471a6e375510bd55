"""Foreign keys that another one implies are asked no more, once for each row.

A loan agrees with its import on portfolio and bank, a borrower on the bank, and the import's own
keys say that those are there. Loans and spells agree with their placement on agency and bank (a
loan has both or none), and what is recalled with its recall and its spell.
"""

import django.db.models.deletion
from django.db import migrations, models

from config import rls

# Borrowers from before imports were jobs: of the import of their first loan, or the bank's first.
OF_AN_IMPORT = """
    update portfolios_borrower b set loan_import_id = coalesce(
        (select l.loan_import_id from portfolios_loan l where l.borrower_id = b.id
            order by l.id limit 1),
        (select i.id from portfolios_loanimport i where i.institution_id = b.institution_id
            order by i.id limit 1)
    ) where loan_import_id is null
"""


def unchecked(model: str, name: str, to: str, related_name: str = "+", **more):
    return migrations.AlterField(
        model,
        name,
        models.ForeignKey(
            db_constraint=False,
            on_delete=django.db.models.deletion.PROTECT,
            related_name=related_name,
            to=to,
            **more,
        ),
    )


def bank_identity(table: str):
    """A second unique key on `id`, shared with the bank alone."""
    return migrations.RunSQL(
        f"alter table {table} add constraint {table}_of_its_bank unique (id, institution_id)",
        f"alter table {table} drop constraint {table}_of_its_bank",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("portfolios", "0033_maintenance_files"),
    ]

    operations = [
        migrations.RunSQL(
            [OF_AN_IMPORT, "set constraints all immediate", "set constraints all deferred"],
            migrations.RunSQL.noop,
        ),
        rls.identity("portfolios_loanimport", "portfolio_id", "institution_id"),
        bank_identity("portfolios_loanimport"),
        rls.same_row(
            "portfolios_loan",
            "loan_import",
            "portfolios_loanimport",
            "portfolio_id",
            "institution_id",
        ),
        rls.same_row(
            "portfolios_borrower", "loan_import", "portfolios_loanimport", "institution_id"
        ),
        unchecked("borrower", "institution", "agencies.institution"),
        unchecked("borrower", "loan_import", "portfolios.loanimport"),
        unchecked("loan", "institution", "agencies.institution", db_index=False),
        unchecked("loan", "portfolio", "portfolios.portfolio", "loans", db_index=False),
        unchecked("loan", "loan_import", "portfolios.loanimport"),
        unchecked("loan", "placement", "portfolios.placement", null=True),
        unchecked("loan", "agency", "agencies.agency", db_index=False, null=True),
        unchecked("placedloan", "institution", "agencies.institution"),
        unchecked("placedloan", "agency", "agencies.agency"),
        unchecked("placedloan", "placement", "portfolios.placement", "spells"),
        unchecked("recalledloan", "institution", "agencies.institution"),
        unchecked("recalledloan", "agency", "agencies.agency"),
        unchecked("recalledloan", "placement", "portfolios.placement"),
        unchecked("recalledloan", "recall", "portfolios.recall", "loans"),
        unchecked("recalledloan", "spell", "portfolios.placedloan"),
        unchecked("recalledloan", "loan", "portfolios.loan"),
    ]
