"""Spells that freeze what the loan was like and end in kinds; holds, recalls, feed and rules."""

import django.db.models.deletion
from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("portfolios", "0007_import_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="DirectPayment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reference", models.CharField(max_length=60, verbose_name="payment reference")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(verbose_name="amount")),
                ("value_on", models.DateField(verbose_name="value date")),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Objection",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("promise_open", "A promise is open"),
                            ("plan_current", "A plan is being kept"),
                            ("recent_payment", "A payment came in lately"),
                            ("visit_booked", "A visit is booked"),
                            ("legal_step", "A legal step is filed"),
                        ],
                        max_length=14,
                        verbose_name="because",
                    ),
                ),
                ("note", models.TextField(blank=True, max_length=2000, verbose_name="note")),
                ("is_automatic", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To be decided"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("made_by", models.CharField(max_length=160)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decision_reason",
                    models.TextField(blank=True, verbose_name="reason of the decision"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlacementChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("placed", "Placed"),
                            ("held", "Put on hold"),
                            ("released", "Released"),
                            ("recall_announced", "Recall announced"),
                            ("recall_withdrawn", "Recall withdrawn"),
                            ("objection_accepted", "Objection accepted"),
                            ("objection_refused", "Objection refused"),
                            ("direct_payment", "Payment received by the bank"),
                            ("balance_corrected", "Balance corrected"),
                            ("recalled", "Recalled"),
                            ("returned", "Returned"),
                            ("expired", "Expired"),
                        ],
                        max_length=18,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=16)),
                ("reference", models.CharField(max_length=160, verbose_name="reference")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("amount_minor", models.BigIntegerField(null=True, verbose_name="amount")),
                ("due_on", models.DateField(null=True, verbose_name="due on")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PlacementRules",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "recall_notice_days",
                    models.PositiveIntegerField(
                        default=14, verbose_name="days from an announced recall to its end"
                    ),
                ),
                (
                    "recent_payment_days",
                    models.PositiveIntegerField(
                        default=30, verbose_name="days for which a payment keeps a loan"
                    ),
                ),
                (
                    "tail_days",
                    models.PositiveIntegerField(
                        default=30,
                        verbose_name="days after the end in which a promised payment still counts",
                    ),
                ),
                (
                    "untouched_days",
                    models.PositiveIntegerField(
                        default=14,
                        verbose_name="days without a contact before a loan is on the worklist",
                    ),
                ),
                (
                    "balance_share_max_ppm",
                    models.IntegerField(
                        null=True,
                        verbose_name="largest share of the placed balance with one agency",
                    ),
                ),
                (
                    "loan_share_max_ppm",
                    models.IntegerField(
                        null=True, verbose_name="largest share of the placed loans with one agency"
                    ),
                ),
                (
                    "is_never_twice",
                    models.BooleanField(
                        default=True, verbose_name="never twice with the same agency"
                    ),
                ),
                (
                    "is_one_agency_per_borrower",
                    models.BooleanField(
                        default=True, verbose_name="all loans of a borrower at one agency"
                    ),
                ),
                ("changed_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
            ],
        ),
        migrations.CreateModel(
            name="Recall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                ("is_whole", models.BooleanField(verbose_name="the whole placement")),
                ("loan_count", models.PositiveIntegerField(verbose_name="loans")),
                ("balance_minor", models.BigIntegerField(verbose_name="balance at placement")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Announced"),
                            ("final", "Final"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("announced_at", models.DateTimeField(verbose_name="announced")),
                ("final_at", models.DateTimeField(verbose_name="final")),
                ("settled_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RecalledLoan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "is_kept",
                    models.BooleanField(default=False, verbose_name="stays with the agency"),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="loan",
            name="loan_balance_positive",
        ),
        migrations.RemoveConstraint(
            model_name="placedloan",
            name="spell_closed_with_a_reason",
        ),
        migrations.RemoveConstraint(
            model_name="placement",
            name="placement_recall_has_a_reason",
        ),
        migrations.RenameField(
            model_name="placement",
            old_name="recalled_at",
            new_name="closed_at",
        ),
        migrations.RenameField(
            model_name="placement", old_name="recall_reason", new_name="close_reason"
        ),
        migrations.AddField(
            model_name="hold",
            name="expires_on",
            field=models.DateField(null=True, verbose_name="ends by itself on"),
        ),
        migrations.AddField(
            model_name="hold",
            name="is_automatic",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="hold",
            name="review_on",
            field=models.DateField(null=True, verbose_name="to be reviewed on"),
        ),
        migrations.AddField(
            model_name="loan",
            name="balance_stated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="close_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("recalled", "Recalled"),
                    ("returned", "Returned by the agency"),
                    ("expired", "Expired"),
                    ("settled", "Settled"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="earlier_placements",
            field=models.PositiveIntegerField(default=0, verbose_name="earlier placements"),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="grade",
            field=models.CharField(blank=True, max_length=10, verbose_name="grade at placement"),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="product",
            field=models.CharField(blank=True, max_length=60, verbose_name="product at placement"),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="region",
            field=models.CharField(blank=True, max_length=20, verbose_name="region at placement"),
        ),
        migrations.AddField(
            model_name="placedloan",
            name="score",
            field=models.IntegerField(null=True, verbose_name="score at placement"),
        ),
        migrations.AlterField(
            model_name="placement",
            name="close_reason",
            field=models.TextField(blank=True, verbose_name="reason of the end"),
        ),
        migrations.AddField(
            model_name="placement",
            name="tail_days",
            field=models.PositiveIntegerField(default=0, verbose_name="tail in days"),
        ),
        migrations.AddField(
            model_name="placement",
            name="untouched_days",
            field=models.PositiveIntegerField(default=14, verbose_name="days between contacts"),
        ),
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("dispute", "Dispute"),
                    ("complaint", "Complaint"),
                    ("deceased", "Borrower deceased"),
                    ("insolvent", "Insolvency"),
                    ("moratorium", "Moratorium"),
                    ("plan", "Repayment plan in force"),
                    ("litigation", "Litigation"),
                    ("settled", "Paid or settled"),
                    ("time_barred", "Past limitation"),
                    ("other", "Other"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="state",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("recalled", "Recalled"),
                    ("returned", "Returned"),
                    ("expired", "Expired"),
                ],
                default="live",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("released_at__isnull", True)),
                fields=["institution", "review_on"],
                name="hold_open_by_review",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_automatic", True), ("released_at__isnull", True)),
                fields=("loan", "kind"),
                name="one_automatic_hold_per_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="loan",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance_minor__gte", 0)), name="loan_balance_not_negative"
            ),
        ),
        migrations.RunSQL(
            "update portfolios_placedloan set close_kind = 'recalled' where closed_at is not null",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="placedloan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("close_kind", ""), ("close_reason", ""), ("closed_at__isnull", True)),
                    models.Q(
                        ("close_kind__in", ["recalled", "returned", "expired", "settled"]),
                        ("closed_at__isnull", False),
                        models.Q(("close_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="spell_closed_with_kind_and_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("close_reason", ""), ("closed_at__isnull", True), ("state", "live")),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("state__in", ["recalled", "returned", "expired"]),
                        models.Q(("close_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="placement_ended_with_a_reason",
            ),
        ),
        migrations.AddField(
            model_name="directpayment",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="directpayment",
            name="loan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portfolios.loan"
            ),
        ),
        migrations.AddField(
            model_name="directpayment",
            name="recovery",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.recovery",
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="loan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portfolios.loan"
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="placement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placement",
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="spell",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placedloan",
            ),
        ),
        migrations.AddField(
            model_name="placementchange",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="placementchange",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="placementchange",
            name="loan",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.loan",
            ),
        ),
        migrations.AddField(
            model_name="placementchange",
            name="placement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placement",
            ),
        ),
        migrations.AddField(
            model_name="placementchange",
            name="spell",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placedloan",
            ),
        ),
        migrations.AddField(
            model_name="placementrules",
            name="institution",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="recall",
            name="placement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="recalls",
                to="portfolios.placement",
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="loan",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="portfolios.loan"
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="placement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placement",
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="recall",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="loans",
                to="portfolios.recall",
            ),
        ),
        migrations.AddField(
            model_name="recalledloan",
            name="spell",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="portfolios.placedloan",
            ),
        ),
        migrations.AddField(
            model_name="objection",
            name="recalled_loan",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="objection",
                to="portfolios.recalledloan",
            ),
        ),
        migrations.AddConstraint(
            model_name="directpayment",
            constraint=models.UniqueConstraint(
                fields=("institution", "reference"), name="direct_payment_once_per_institution"
            ),
        ),
        migrations.AddConstraint(
            model_name="directpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="direct_payment_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="placementchange",
            index=models.Index(fields=["agency", "at", "id"], name="change_by_agency"),
        ),
        migrations.AddIndex(
            model_name="placementchange",
            index=models.Index(fields=["loan", "-at"], name="change_by_loan"),
        ),
        migrations.AddConstraint(
            model_name="placementchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("loan__isnull", True), ("spell__isnull", True)),
                    models.Q(("loan__isnull", False), ("spell__isnull", False)),
                    _connector="OR",
                ),
                name="change_of_a_loan_names_both",
            ),
        ),
        migrations.AddConstraint(
            model_name="placementchange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ["recalled", "returned", "expired"]), _negated=True),
                    models.Q(
                        ("amount_minor__isnull", True),
                        ("detail", ""),
                        ("due_on__isnull", True),
                        ("note", ""),
                    ),
                    _connector="OR",
                ),
                name="change_that_ends_tells_no_more",
            ),
        ),
        migrations.AddConstraint(
            model_name="placementrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("balance_share_max_ppm__isnull", True),
                        models.Q(
                            ("balance_share_max_ppm__gt", 0),
                            ("balance_share_max_ppm__lte", 1000000),
                        ),
                        _connector="OR",
                    ),
                    models.Q(
                        ("loan_share_max_ppm__isnull", True),
                        models.Q(
                            ("loan_share_max_ppm__gt", 0), ("loan_share_max_ppm__lte", 1000000)
                        ),
                        _connector="OR",
                    ),
                ),
                name="placement_shares_possible",
            ),
        ),
        migrations.AddConstraint(
            model_name="placementrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("recall_notice_days__gte", 1),
                    ("recall_notice_days__lte", 365),
                    ("recent_payment_days__lte", 365),
                    ("tail_days__lte", 365),
                    ("untouched_days__gte", 1),
                    ("untouched_days__lte", 365),
                ),
                name="placement_days_possible",
            ),
        ),
        migrations.AddIndex(
            model_name="recall",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["institution", "final_at"],
                name="recall_pending_by_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="recall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled_at__isnull", True), ("state", "pending")),
                    models.Q(("settled_at__isnull", False), ("state__in", ["final", "withdrawn"])),
                    _connector="OR",
                ),
                name="recall_settled_once_it_is_not_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="recalledloan",
            constraint=models.UniqueConstraint(
                fields=("recall", "spell"), name="once_per_recall_and_spell"
            ),
        ),
        migrations.AddIndex(
            model_name="objection",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["institution"], name="objection_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decision_reason", ""), ("state", "open")
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("state__in", ["accepted", "refused"]),
                        models.Q(("decision_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="objection_decided_with_a_reason",
            ),
        ),
    ]
