"""Row-level security of the money: an agency reads what was approved for it, and nothing else."""

from django.db import migrations

from config import rls

OWN = rls.OWN_INSTITUTION
STATEMENT_VISIBLE = "exists (select from payouts_statement s where s.id = statement_id)"
STATEMENT_DRAFT = (
    "exists (select from payouts_statement s where s.id = statement_id and s.state = 'draft')"
)
MACHINERY = rls.kind("public", "sweep")


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0002_initial"),
        ("portfolios", "0002_walls"),
    ]

    operations = [
        rls.protect(
            "payouts_payoutaccount",
            read=f"{OWN} or {rls.OWN_AGENCY}",
            insert=OWN,
            update=OWN,
        ),
        rls.protect("payouts_commissionentry", read=OWN, insert=OWN),
        rls.protect("payouts_excess", read=OWN, insert=OWN, update=OWN),
        rls.protect(
            "payouts_statement",
            read=f"{OWN} or ({rls.OWN_AGENCY} and state = 'approved')",
            insert=OWN,
            update=OWN,
            delete=f"{OWN} and state = 'draft'",
        ),
        rls.identity("payouts_statement", "agency_id", "institution_id"),
        rls.same_row(
            "payouts_statementline",
            "statement",
            "payouts_statement",
            "agency_id",
            "institution_id",
        ),
        rls.protect(
            "payouts_statementline",
            read=f"{OWN} or ({rls.OWN_AGENCY} and {STATEMENT_VISIBLE})",
            insert=f"{OWN} and {STATEMENT_DRAFT}",
            delete=f"{OWN} and {STATEMENT_DRAFT}",
        ),
        rls.same_row(
            "payouts_payout",
            "statement",
            "payouts_statement",
            "agency_id",
            "institution_id",
        ),
        rls.protect("payouts_payout", read=f"{OWN} or {rls.OWN_AGENCY}", insert=OWN, update=OWN),
        rls.protect("payouts_payoutattempt", read=OWN, insert=OWN, update=OWN),
        rls.protect("payouts_providerevent", read=MACHINERY, insert=MACHINERY, update=MACHINERY),
    ]
