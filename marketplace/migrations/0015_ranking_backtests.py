"""Back-tests of proposed ranking policies; what a policy says is changed by nobody."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.ids
from config import rls

OWN = rls.OWN_INSTITUTION
PANEL = "institution_id = any ((select panel_institutions())::uuid[])"
POLICY = "marketplace_rankingpolicy"
BACKTEST = "marketplace_rankingbacktest"
DECIDED = "state, decided_at, decided_by_id, decision_reason"


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("marketplace", "0014_ranking_disputes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RankingBacktest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("code_version", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("moments", models.JSONField(default=list)),
                ("results", models.JSONField(default=list)),
                (
                    "in_force",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingpolicy",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="backtests",
                        to="marketplace.rankingpolicy",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["policy", "currency", "-made_at"], name="ranking_backtest_newest"
                    )
                ],
            },
        ),
        rls.same_row(BACKTEST, "policy", POLICY, "institution_id"),
        rls.same_row(BACKTEST, "in_force", POLICY, "institution_id"),
        rls.protect(BACKTEST, read=OWN, insert=OWN),
        # A rule is published when it is adopted: until then it is the bank's own affair.
        migrations.RunSQL(
            f"alter policy reads on {POLICY} using ({OWN} or ({PANEL} and state = 'adopted'))",
            f"alter policy reads on {POLICY} using ({OWN} or {PANEL})",
        ),
        migrations.RunSQL(
            [
                f"revoke update on {POLICY} from {rls.APPLICATION_ROLE}",
                f"grant update ({DECIDED}) on {POLICY} to {rls.APPLICATION_ROLE}",
            ],
            [
                f"revoke update ({DECIDED}) on {POLICY} from {rls.APPLICATION_ROLE}",
                f"grant update on {POLICY} to {rls.APPLICATION_ROLE}",
            ],
        ),
    ]
