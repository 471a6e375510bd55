"""Rankings by what an average agency would have had: policies, cells, runs, and their walls."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.ids
from config import rls

OWN = rls.OWN_INSTITUTION
PANEL = "institution_id = any ((select panel_institutions())::uuid[])"
WHOLE = "portfolio_id is null and product = '' and starts_on is null"
POLICY = "marketplace_rankingpolicy"
RUN = "marketplace_rankingrun"


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("marketplace", "0012_listing_tail"),
        ("portfolios", "0034_implied_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Their tables stay for this version, for whatever runs the one before and for what they
        # say; the next migration of rankings may drop them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name="RankingRow"),
                migrations.DeleteModel(name="Ranking"),
            ]
        ),
        migrations.CreateModel(
            name="RankingPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("strata", models.JSONField(verbose_name="loans are alike by")),
                (
                    "window_months",
                    models.PositiveIntegerField(default=12, verbose_name="months looked back"),
                ),
                (
                    "least_payment",
                    models.PositiveIntegerField(default=5, verbose_name="least payment"),
                ),
                (
                    "least_share_ppm",
                    models.IntegerField(
                        default=5000, verbose_name="least payment, part of the balance"
                    ),
                ),
                (
                    "lead_days",
                    models.PositiveIntegerField(
                        default=5, verbose_name="days before direct payments count"
                    ),
                ),
                (
                    "settlement_floor_ppm",
                    models.IntegerField(default=0, verbose_name="settlement floor"),
                ),
                (
                    "cap_quantile_ppm",
                    models.IntegerField(default=995000, verbose_name="cap of one loan's cash"),
                ),
                (
                    "tie_probability_ppm",
                    models.IntegerField(default=900000, verbose_name="certainty that ends a tier"),
                ),
                (
                    "ranked_from_ppm",
                    models.IntegerField(
                        default=700000, verbose_name="reliability from which ranked"
                    ),
                ),
                (
                    "provisional_from_ppm",
                    models.IntegerField(
                        default=500000, verbose_name="reliability from which provisional"
                    ),
                ),
                (
                    "least_months",
                    models.PositiveIntegerField(default=3, verbose_name="months before ranked"),
                ),
                (
                    "smallest_field",
                    models.PositiveIntegerField(
                        default=5, verbose_name="agencies before others are shown"
                    ),
                ),
                (
                    "largest_share_ppm",
                    models.IntegerField(
                        default=500000, verbose_name="largest share of a shown cell"
                    ),
                ),
                (
                    "red_ratio_ppm",
                    models.IntegerField(
                        default=1500000, verbose_name="red above this ratio of complaints"
                    ),
                ),
                (
                    "amber_ratio_ppm",
                    models.IntegerField(
                        default=1250000, verbose_name="amber above this ratio of complaints"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("adopted", "Adopted"),
                            ("refused", "Refused"),
                        ],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("proposed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decision_reason",
                    models.TextField(blank=True, verbose_name="reason of the decision"),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ranking policies",
            },
        ),
        migrations.CreateModel(
            name="RankingRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("product", models.CharField(blank=True, max_length=60)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
                ("watermark", models.DateTimeField()),
                ("computed_at", models.DateTimeField()),
                ("code_version", models.CharField(max_length=64)),
                ("inputs_sha256", models.CharField(max_length=64)),
                ("results_sha256", models.CharField(max_length=64)),
                ("fit", models.JSONField(default=dict)),
                ("field", models.JSONField(default=list)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingpolicy",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.portfolio",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RankingPack",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("content", models.BinaryField()),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.agency",
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="packs",
                        to="marketplace.rankingrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CurrentRanking",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("product", models.CharField(blank=True, max_length=60)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.portfolio",
                    ),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RankingScore",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("order", models.PositiveIntegerField()),
                ("loans", models.PositiveIntegerField()),
                ("placed_minor", models.BigIntegerField()),
                ("recovered_minor", models.BigIntegerField()),
                ("observed_minor", models.BigIntegerField()),
                ("expected_minor", models.BigIntegerField()),
                ("rate_ppm", models.IntegerField()),
                ("raw_index", models.FloatField()),
                ("exposure_factor", models.FloatField()),
                ("mix_factor", models.FloatField()),
                ("count_factor", models.FloatField()),
                ("tilt_factor", models.FloatField()),
                ("size_factor", models.FloatField()),
                ("index", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("probability_above_one", models.FloatField()),
                ("reliability", models.FloatField()),
                ("effective_payments", models.FloatField()),
                ("comparison_group", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ranked", "Ranked"),
                            ("provisional", "Provisional"),
                            ("too_little", "Too little data"),
                            ("barred", "Suspended"),
                        ],
                        max_length=11,
                    ),
                ),
                ("position", models.PositiveIntegerField(null=True)),
                ("is_tied", models.BooleanField(default=False)),
                ("expected_rank", models.FloatField(null=True)),
                ("rank_low", models.PositiveIntegerField(null=True)),
                ("rank_high", models.PositiveIntegerField(null=True)),
                ("probability_top_quarter", models.FloatField(null=True)),
                ("tier", models.PositiveIntegerField(null=True)),
                (
                    "light",
                    models.CharField(
                        choices=[("green", "Green"), ("amber", "Amber"), ("red", "Red")],
                        max_length=5,
                    ),
                ),
                ("complaint_ratio", models.FloatField()),
                ("complaints_received", models.PositiveIntegerField()),
                ("complaints_upheld", models.PositiveIntegerField()),
                ("has_critical", models.BooleanField()),
                ("is_told", models.BooleanField()),
                ("segments", models.JSONField(default=list)),
                ("curve", models.JSONField(default=list)),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.agency",
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="marketplace.rankingrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SuccessCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "policy_id",
                        "placement_id",
                        "stratum",
                        "is_random",
                        "month",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("stratum", models.CharField(max_length=240)),
                ("is_random", models.BooleanField()),
                ("month", models.PositiveSmallIntegerField()),
                ("loan_days", models.BigIntegerField()),
                ("balance_days", models.BigIntegerField()),
                ("payers", models.BigIntegerField()),
                ("payer_balance_minor", models.BigIntegerField()),
                ("cash_minor", models.BigIntegerField()),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.placement",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingpolicy",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SuccessSheet",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "policy_id",
                        "placement_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("counted_at", models.DateTimeField()),
                ("confirmations", models.PositiveIntegerField()),
                ("reversals", models.PositiveIntegerField()),
                ("is_final", models.BooleanField()),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.placement",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingpolicy",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="rankingpolicy",
            constraint=models.UniqueConstraint(
                fields=("institution", "version"), name="ranking_policy_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingpolicy",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")),
                fields=("institution",),
                name="one_proposed_ranking_policy",
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("state", "proposed")),
                    models.Q(("decided_at__isnull", False), ("state__in", ["adopted", "refused"])),
                    _connector="OR",
                ),
                name="ranking_policy_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("version", 1),
                    models.Q(("state", "adopted"), _negated=True),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("proposed_by__isnull", False),
                        models.Q(("proposed_by", models.F("decided_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="ranking_policy_by_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("window_months__gte", 3),
                    ("window_months__lte", 60),
                    ("least_share_ppm__gte", 0),
                    ("least_share_ppm__lte", 1000000),
                    ("settlement_floor_ppm__gte", 0),
                    ("settlement_floor_ppm__lte", 1000000),
                    ("cap_quantile_ppm__gt", 0),
                    ("cap_quantile_ppm__lte", 1000000),
                    ("tie_probability_ppm__gt", 500000),
                    ("tie_probability_ppm__lt", 1000000),
                    ("provisional_from_ppm__gte", 0),
                    ("ranked_from_ppm__lte", 1000000),
                    ("provisional_from_ppm__lte", models.F("ranked_from_ppm")),
                    ("lead_days__lte", 90),
                    ("smallest_field__gte", 5),
                    ("largest_share_ppm__gt", 0),
                    ("largest_share_ppm__lte", 500000),
                    ("amber_ratio_ppm__gt", 1000000),
                    ("red_ratio_ppm__gte", models.F("amber_ratio_ppm")),
                ),
                name="ranking_policy_possible",
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ends_on__isnull", True), ("starts_on__isnull", True)),
                    ("starts_on__lte", models.F("ends_on")),
                    _connector="OR",
                ),
                name="ranking_run_period_possible",
            ),
        ),
        migrations.AddIndex(
            model_name="rankingrun",
            index=models.Index(
                fields=["institution", "currency", "-watermark"], name="ranking_run_newest"
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingpack",
            constraint=models.UniqueConstraint(fields=("run", "agency"), name="packed_once"),
        ),
        migrations.AddConstraint(
            model_name="currentranking",
            constraint=models.UniqueConstraint(
                fields=(
                    "institution",
                    "currency",
                    "portfolio",
                    "product",
                    "starts_on",
                    "ends_on",
                ),
                name="one_current_ranking",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="rankingscore",
            constraint=models.UniqueConstraint(fields=("run", "agency"), name="scored_once"),
        ),
        migrations.AddConstraint(
            model_name="rankingscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("expected_rank__isnull", False),
                        ("position__isnull", False),
                        ("probability_top_quarter__isnull", False),
                        ("rank_high__isnull", False),
                        ("rank_low__isnull", False),
                        ("status", "ranked"),
                        ("tier__isnull", False),
                    ),
                    models.Q(
                        ("position__isnull", True),
                        ("status__in", ["provisional", "too_little", "barred"]),
                    ),
                    _connector="OR",
                ),
                name="score_has_a_place_if_ranked",
            ),
        ),
        migrations.AddConstraint(
            model_name="successcell",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("balance_days__gt", 0),
                    ("loan_days__gt", 0),
                    ("payer_balance_minor__gte", 0),
                    ("payers__gte", 0),
                ),
                name="success_cell_possible",
            ),
        ),
        rls.identity(POLICY, "institution_id"),
        rls.identity(RUN, "institution_id"),
        *(
            rls.same_row(f"marketplace_{table}", "policy", POLICY, "institution_id")
            for table in ("successsheet", "successcell", "rankingrun")
        ),
        *(
            rls.same_row(f"marketplace_{table}", "run", RUN, "institution_id")
            for table in ("currentranking", "rankingscore", "rankingpack")
        ),
        rls.protect(POLICY, read=f"{OWN} or {PANEL}", insert=OWN, update=OWN),
        rls.protect("marketplace_successsheet", read=OWN, insert=OWN, update=OWN, delete=OWN),
        rls.protect("marketplace_successcell", read=OWN, insert=OWN, delete=OWN),
        rls.protect(RUN, read=f"{OWN} or ({PANEL} and {WHOLE})", insert=OWN),
        rls.protect(
            "marketplace_currentranking",
            read=f"{OWN} or ({PANEL} and {WHOLE})",
            insert=OWN,
            update=OWN,
        ),
        rls.protect("marketplace_rankingscore", read=f"{OWN} or {rls.OWN_AGENCY}", insert=OWN),
        rls.protect("marketplace_rankingpack", read=f"{OWN} or {rls.OWN_AGENCY}", insert=OWN),
    ]
