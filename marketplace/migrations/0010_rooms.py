"""Rooms for bidders: tapes, terms, documents, questions and a log of visits."""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("marketplace", "0004_comparable_lots"),
        ("portfolios", "0010_comparable_lots"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ListingAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("question", models.TextField(max_length=4000, verbose_name="question")),
                ("text", models.TextField(max_length=4000, verbose_name="answer")),
                ("answered_at", models.DateTimeField()),
                ("published_at", models.DateTimeField(null=True, verbose_name="published")),
            ],
        ),
        migrations.CreateModel(
            name="ListingDocument",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("file_name", models.CharField(max_length=120, verbose_name="file")),
                ("content_type", models.CharField(max_length=80)),
                ("content", models.BinaryField()),
                ("size_bytes", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("uploaded_at", models.DateTimeField(verbose_name="added")),
            ],
        ),
        migrations.CreateModel(
            name="ListingQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField(max_length=4000, verbose_name="question")),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
            ],
        ),
        migrations.CreateModel(
            name="ListingTerms",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField(max_length=20000, verbose_name="terms")),
                ("sha256", models.CharField(max_length=64)),
                ("set_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RoomVisit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("visitor_id", models.UUIDField()),
                ("visitor", models.CharField(max_length=160, verbose_name="who")),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("terms", "Accepted the terms"),
                            ("room", "Looked at the room"),
                            ("tape", "Took the tape"),
                            ("document", "Took a document"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="when")),
            ],
        ),
        migrations.CreateModel(
            name="Tape",
            fields=[
                (
                    "listing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="marketplace.listing",
                    ),
                ),
                ("loan_count", models.PositiveIntegerField(verbose_name="loans")),
                ("balance_minor", models.BigIntegerField(null=True, verbose_name="balance")),
                ("suppressed_count", models.PositiveIntegerField(verbose_name="loans left out")),
                ("cells", models.JSONField()),
                ("strata", models.JSONField()),
                ("seed", models.BigIntegerField()),
                ("cut_at", models.DateTimeField(verbose_name="counted")),
            ],
        ),
        migrations.CreateModel(
            name="TapeCut",
            fields=[
                (
                    "listing",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="marketplace.listing",
                    ),
                ),
                ("members", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="TermsAcceptance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("covers_machines", models.BooleanField()),
                ("accepted_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveField(
            model_name="listing",
            name="summary",
        ),
        migrations.AddField(
            model_name="listing",
            name="questions_close_at",
            field=models.DateTimeField(
                default=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC),
                verbose_name="questions close",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="listing",
            name="terms_sha256",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="listing",
            constraint=models.CheckConstraint(
                condition=models.Q(("questions_close_at__lte", models.F("closes_at"))),
                name="listing_questions_close_first",
            ),
        ),
        migrations.AddField(
            model_name="listinganswer",
            name="answered_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="listinganswer",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="listinganswer",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="listingdocument",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="listingdocument",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="listingdocument",
            name="uploaded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="QuestionAuthor",
            fields=[
                (
                    "question",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="marketplace.listingquestion",
                    ),
                ),
                ("asked_by", models.CharField(max_length=160)),
            ],
        ),
        migrations.AddField(
            model_name="listingquestion",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="listingquestion",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="listinganswer",
            name="source",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answer",
                to="marketplace.listingquestion",
            ),
        ),
        migrations.AddField(
            model_name="listingterms",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="listingterms",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="listingterms",
            name="set_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="roomvisit",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="roomvisit",
            name="document",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listingdocument",
            ),
        ),
        migrations.AddField(
            model_name="roomvisit",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="roomvisit",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="tape",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="tapecut",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="termsacceptance",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddField(
            model_name="termsacceptance",
            name="institution",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AddField(
            model_name="termsacceptance",
            name="listing",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="marketplace.listing",
            ),
        ),
        migrations.AddField(
            model_name="termsacceptance",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="listingdocument",
            constraint=models.UniqueConstraint(
                fields=("listing", "sha256"), name="document_once_per_listing"
            ),
        ),
        migrations.AddField(
            model_name="questionauthor",
            name="agency",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="agencies.agency"
            ),
        ),
        migrations.AddConstraint(
            model_name="listingterms",
            constraint=models.UniqueConstraint(
                fields=("listing", "sha256"), name="terms_once_per_listing"
            ),
        ),
        migrations.AddIndex(
            model_name="roomvisit",
            index=models.Index(fields=["listing", "id"], name="visit_by_listing"),
        ),
        migrations.AddConstraint(
            model_name="termsacceptance",
            constraint=models.UniqueConstraint(
                fields=("listing", "user", "sha256"), name="terms_accepted_once"
            ),
        ),
    ]
