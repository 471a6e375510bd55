"""Tallies of portfolios, kept by triggers; what an agency sees is found without its loans."""

import django.db.models.deletion
from django.db import migrations, models

from config import rls

# The edges of portfolios.services.portfolios, in minor units and in days.
BALANCE_EDGES = ",".join(str(step * 10**power) for power in range(2, 13) for step in (1, 2, 5))
DAYS_EDGES = "30,60,90,180,365,730,1095,1825,3650,5475,7300"

CUTS = f"""
create function loan_cuts(balance bigint, days int, region text, grade text)
returns table (cut text, value text)
language sql immutable parallel safe
as $$
    values
        ('balance', width_bucket(balance, '{{{BALANCE_EDGES}}}'::bigint[])::text),
        ('days', width_bucket(days::bigint, '{{{DAYS_EDGES}}}'::bigint[])::text),
        ('region', region),
        ('grade', grade)
$$;
"""

COLUMNS = (
    "institution_id, portfolio_id, cut, value, loan_count, balance_minor, placed_count, "
    "placed_minor, on_hold_count"
)
# `sign` is 1 for a row as it is now and -1 for one as it was; a cell that comes to nothing is none.
SUMS = """
    sum(sign), sum(sign * balance_minor),
    coalesce(sum(sign) filter (where placement_id is not null), 0),
    coalesce(sum(sign * balance_minor) filter (where placement_id is not null), 0),
    coalesce(sum(sign) filter (where is_on_hold), 0)
"""
SUMS_EACH = "sum(sign), sum(sign * balance_minor), 0, 0, 0"
SOME = f"having ({SUMS}) is distinct from (0, 0, 0, 0, 0)"
ALL = "institution_id, portfolio_id, 'all', ''"
EACH = "institution_id, portfolio_id, c.cut, c.value"
BY_CUT = "cross join lateral loan_cuts(balance_minor, days_past_due, region, grade) as c"

# What is placed and on hold is known of all loans of a portfolio alone: a change of who holds a
# loan, by far the most frequent, leaves every other cut as it is.
KEEP = f"""
create function tally_loans() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into portfolios_tally ({COLUMNS})
        select {ALL}, {SUMS} from (select 1 as sign, * from fresh) as loan group by 1, 2
        union all
        select {EACH}, {SUMS_EACH} from (select 1 as sign, * from fresh) as loan {BY_CUT}
        group by 1, 2, 3, 4;
    elsif tg_op = 'DELETE' then
        insert into portfolios_tally ({COLUMNS})
        select {ALL}, {SUMS} from (select -1 as sign, * from stale) as loan group by 1, 2
        union all
        select {EACH}, {SUMS_EACH} from (select -1 as sign, * from stale) as loan {BY_CUT}
        group by 1, 2, 3, 4;
    else
        insert into portfolios_tally ({COLUMNS})
        select {ALL}, {SUMS} from (
            select 1 as sign, * from fresh union all select -1 as sign, * from stale
        ) as loan group by 1, 2 {SOME};
        -- A comparison as sets is hashed whatever plan is kept; a join might run row by row.
        if exists (
            select portfolio_id, balance_minor, days_past_due, region, grade from fresh
            except all
            select portfolio_id, balance_minor, days_past_due, region, grade from stale
        ) then
            insert into portfolios_tally ({COLUMNS})
            select {EACH}, {SUMS_EACH} from (
                select 1 as sign, * from fresh union all select -1 as sign, * from stale
            ) as loan {BY_CUT} group by 1, 2, 3, 4
            having (sum(sign), sum(sign * balance_minor)) is distinct from (0, 0);
        end if;
    end if;
    return null;
end $$;

create trigger tally_inserted after insert on portfolios_loan
    referencing new table as fresh for each statement execute function tally_loans();
create trigger tally_updated after update on portfolios_loan
    referencing new table as fresh old table as stale
    for each statement execute function tally_loans();
create trigger tally_deleted after delete on portfolios_loan
    referencing old table as stale for each statement execute function tally_loans();
"""

# Who deletes a row first has it; the other one finds it gone and adds nothing.
FOLD = f"""
create function fold_tallies() returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    with several as (
        select portfolio_id, cut, value from portfolios_tally
        group by 1, 2, 3 having count(*) > 1
    ), taken as (
        delete from portfolios_tally as t using several as s
        where (t.portfolio_id, t.cut, t.value) = (s.portfolio_id, s.cut, s.value)
        returning t.*
    ), folded as (
        insert into portfolios_tally ({COLUMNS})
        select institution_id, portfolio_id, cut, value, sum(loan_count), sum(balance_minor),
            sum(placed_count), sum(placed_minor), sum(on_hold_count)
        from taken group by 1, 2, 3, 4
        having (sum(loan_count), sum(balance_minor)) is distinct from (0, 0)
        returning 1
    )
    select count(*) from taken
$$;
"""

BACKFILL = f"""
insert into portfolios_tally ({COLUMNS})
select {ALL}, {SUMS} from (select 1 as sign, * from portfolios_loan) as loan group by 1, 2
union all
select {EACH}, {SUMS_EACH} from (select 1 as sign, * from portfolios_loan) as loan {BY_CUT}
group by 1, 2, 3, 4;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("agencies", "0003_context_clock_and_walls"),
        ("portfolios", "0021_spell_walls"),
    ]

    operations = [
        migrations.AlterField(
            model_name="loan",
            name="agency",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.agency",
            ),
        ),
        migrations.AlterField(
            model_name="loan",
            name="institution",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agencies.institution",
            ),
        ),
        migrations.AlterField(
            model_name="loan",
            name="portfolio",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="loans",
                to="portfolios.portfolio",
            ),
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("cut", models.CharField(max_length=8)),
                ("value", models.CharField(blank=True, max_length=20)),
                ("loan_count", models.BigIntegerField()),
                ("balance_minor", models.BigIntegerField()),
                ("placed_count", models.BigIntegerField()),
                ("placed_minor", models.BigIntegerField()),
                ("on_hold_count", models.BigIntegerField()),
                (
                    "institution",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="agencies.institution",
                    ),
                ),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portfolios.portfolio",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["portfolio", "cut"], name="tally_by_portfolio")],
            },
        ),
        migrations.RemoveIndex(model_name="loan", name="loan_by_agency"),
        migrations.AddIndex(
            model_name="loan",
            index=models.Index(
                fields=["agency", "id"],
                include=("placement", "institution"),
                name="loan_by_agency",
            ),
        ),
        rls.protect("portfolios_tally", read=rls.OWN_INSTITUTION),
        migrations.RunSQL([CUTS, KEEP, FOLD, BACKFILL], migrations.RunSQL.noop),
    ]
