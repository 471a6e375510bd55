"""Disputes about rankings: raised by an agency on a panel, answered once by the bank, and kept."""

import django.db.models.deletion
from django.db import migrations, models

import config.ids
from config import rls

OWN = rls.OWN_INSTITUTION
PANEL = "institution_id = any ((select panel_institutions())::uuid[])"
SCORE = "marketplace_rankingscore"
DISPUTE = "marketplace_rankingdispute"
AGREED = ("run_id", "institution_id", "agency_id")
ANSWER = "state, outcome, answer, correction, answered_at, answered_by"


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("marketplace", "0013_fair_rankings"),
    ]

    operations = [
        migrations.CreateModel(
            name="RankingDispute",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("payment", "A payment"),
                            ("exposure", "The time of a loan"),
                            ("stratum", "The kind of a loan"),
                            ("complaint", "A complaint"),
                            ("other", "Something else"),
                        ],
                        max_length=9,
                    ),
                ),
                ("loan_reference", models.CharField(blank=True, max_length=60)),
                ("payment_reference", models.CharField(blank=True, max_length=60)),
                ("statement", models.TextField(max_length=2000)),
                ("raised_at", models.DateTimeField()),
                ("raised_by", models.CharField(max_length=160)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("answered", "Answered")],
                        default="open",
                        max_length=8,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("corrected", "Corrected"), ("not_corrected", "Not corrected")],
                        max_length=13,
                    ),
                ),
                ("answer", models.TextField(blank=True, max_length=2000)),
                ("correction", models.CharField(blank=True, max_length=300)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, max_length=160)),
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
                        related_name="+",
                        to="marketplace.rankingrun",
                    ),
                ),
                (
                    "score",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="marketplace.rankingscore",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["institution", "state", "-raised_at"], name="ranking_dispute_newest"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("statement", ""), _negated=True),
                            models.Q(
                                ("subject__in", ["complaint", "other"]),
                                models.Q(
                                    ("subject__in", ["exposure", "stratum"]),
                                    models.Q(("loan_reference", ""), _negated=True),
                                ),
                                models.Q(
                                    ("subject", "payment"),
                                    models.Q(("loan_reference", ""), _negated=True),
                                    models.Q(("payment_reference", ""), _negated=True),
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="ranking_dispute_says_of_what",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("answer", ""),
                                ("answered_at__isnull", True),
                                ("answered_by", ""),
                                ("correction", ""),
                                ("outcome", ""),
                                ("state", "open"),
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("state", "answered"),
                                models.Q(("answer", ""), _negated=True),
                                models.Q(("answered_by", ""), _negated=True),
                                models.Q(
                                    models.Q(
                                        ("outcome", "corrected"),
                                        models.Q(("correction", ""), _negated=True),
                                    ),
                                    models.Q(("correction", ""), ("outcome", "not_corrected")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="ranking_dispute_answered",
                    ),
                ],
            },
        ),
        rls.identity(SCORE, *AGREED),
        rls.same_row(DISPUTE, "score", SCORE, *AGREED),
        rls.protect(
            DISPUTE,
            read=f"{OWN} or {rls.OWN_AGENCY}",
            insert=f"{rls.OWN_AGENCY} and {PANEL} and state = 'open'",
            update=(f"{OWN} and state = 'open'", f"{OWN} and state = 'answered'"),
        ),
        # What the agency said stays as it said it: the bank may fill in its answer alone.
        migrations.RunSQL(
            [
                f"revoke update on {DISPUTE} from {rls.APPLICATION_ROLE}",
                f"grant update ({ANSWER}) on {DISPUTE} to {rls.APPLICATION_ROLE}",
            ],
            migrations.RunSQL.noop,
        ),
    ]
