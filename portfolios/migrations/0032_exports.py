"""Exports of loans, which end with access to them, and certificates that they are destroyed."""

import django.db.models.deletion
from django.db import migrations, models

import config.ids
from config import rls

# Placements of the asker's side that are over: the agency cannot read them any more.
ENDED = """
create function ended_placements() returns uuid[]
language plpgsql stable parallel restricted security definer set search_path = public, pg_temp
as $$
declare
    house uuid := actor_agency();
    bank uuid := actor_institution();
    moment timestamptz := fairplace_now();
begin
    return array(
        select p.id from portfolios_placement p
        where (p.agency_id = house or p.institution_id = bank)
            and (p.state <> 'live' or p.ends_at <= moment)
    );
end $$;
"""

# What an agency takes out is locked against a recall as what it puts in is (0002_walls).
GUARD = """
create function refuse_unless_placement_live() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    perform from agencies_panelmembership m
        where (m.institution_id, m.agency_id) in (select institution_id, agency_id from fresh)
        order by m.id for share;
    perform from portfolios_placement p
        where p.id in (select placement_id from fresh)
        order by p.id for share;
    if exists (
        select from fresh where placement_id <> all (coalesce(live_placements(), '{}'))
    ) then
        raise exception 'placement is not live' using errcode = 'FP001';
    end if;
    return null;
end $$;

create trigger live after insert on portfolios_export
    referencing new table as fresh for each statement
    execute function refuse_unless_placement_live();
create trigger live after insert on portfolios_exportpart
    referencing new table as fresh for each statement
    execute function refuse_unless_placement_live();
"""

EITHER_SIDE = f"{rls.OWN_INSTITUTION} or {rls.OWN_AGENCY}"
ENDED_PLACEMENT = "placement_id = any ((select ended_placements())::uuid[])"
OWNERS = ("placement_id", "agency_id", "institution_id")


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("portfolios", "0031_live_placements"),
    ]

    operations = [
        migrations.CreateModel(
            name="Certificate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=160, verbose_name="placement")),
                ("document", models.TextField()),
                ("signature", models.CharField(max_length=88)),
                ("key_id", models.CharField(max_length=16)),
                ("row_count", models.PositiveIntegerField(verbose_name="rows")),
                ("attested_at", models.DateTimeField(verbose_name="given")),
                ("attested_by", models.CharField(max_length=160, verbose_name="by")),
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
                    "placement",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="certificate",
                        to="portfolios.placement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=160, verbose_name="placement")),
                ("fields", models.JSONField(verbose_name="columns")),
                ("actor_id", models.UUIDField()),
                ("actor_label", models.CharField(max_length=160, verbose_name="by")),
                ("requested_at", models.DateTimeField(verbose_name="asked for")),
                ("expires_at", models.DateTimeField()),
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
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to="portfolios.placement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("row_count", models.PositiveIntegerField(verbose_name="rows")),
                ("digests", models.BinaryField()),
                ("is_last", models.BooleanField()),
                ("read_at", models.DateTimeField()),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.agency",
                    ),
                ),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="portfolios.export",
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
                    "placement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.placement",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("export", "number"), name="one_export_part_per_number"
                    )
                ],
            },
        ),
        migrations.RunSQL(ENDED, migrations.RunSQL.noop),
        rls.identity("portfolios_export", *OWNERS),
        *(
            rls.same_row(table, "placement", "portfolios_placement", "agency_id", "institution_id")
            for table in ("portfolios_export", "portfolios_certificate")
        ),
        rls.same_row("portfolios_exportpart", "export", "portfolios_export", *OWNERS),
        *(
            rls.protect(table, read=EITHER_SIDE, insert=rls.OWN_LIVE_PLACEMENT)
            for table in ("portfolios_export", "portfolios_exportpart")
        ),
        rls.protect(
            "portfolios_certificate",
            read=EITHER_SIDE,
            insert=f"{rls.OWN_AGENCY} and {ENDED_PLACEMENT}",
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
