"""Row-level security of loans, placements and events, and the guards that win races."""

from django.db import migrations

from config import rls

# The one rule in SQL: a grant to the agency's group, a placement live now, a membership in good
# standing, and somebody active or a machine that is enabled. portfolios.access asks the same.
LIVE = """
create function live_placements() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$
    select array_agg(p.id)
    from portfolios_placement p
    join agencies_agency a on a.id = p.agency_id
    join agencies_panelmembership m
        on m.institution_id = p.institution_id and m.agency_id = p.agency_id
    cross join (select fairplace_context() as c, fairplace_now() as moment) as call
    where p.agency_id = actor_agency()
        and p.state = 'live' and p.opened_at <= call.moment and call.moment < p.ends_at
        and m.state = 'approved'
        and exists (
            select from portfolios_placementgrant g
            join auth_permission permission on permission.id = g.permission_id
            where g.placement_id = p.id and g.group_id = a.group_id
                and permission.codename = 'work_placement'
        )
        and (
            exists (
                select from agencies_user u
                where u.id = nullif(call.c[2], '')::uuid and u.is_active and u.agency_id = a.id
            )
            or exists (
                select from agencies_machineclient client
                where client.id = nullif(call.c[3], '')::uuid
                    and client.is_enabled and client.agency_id = a.id
            )
        )
$$;
"""

# A write that loses the race with a recall or a suspension must fail: FOR SHARE makes it wait
# for the other transaction, and every statement here sees what that one committed. Once per
# statement, not per row: a batch of 500 rows locks and checks its few placements once.
GUARD = """
create function refuse_unless_live() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    if actor_kind() is distinct from 'agency' then
        return null;
    end if;
    perform from agencies_panelmembership m
        where (m.institution_id, m.agency_id) in (select institution_id, agency_id from fresh)
        order by m.id for share;
    perform from portfolios_placement p
        where p.id in (select placement_id from fresh)
        order by p.id for share;
    if exists (
        select from fresh
        left join portfolios_placement p
            on p.id = fresh.placement_id and p.agency_id = (select actor_agency())
            and p.state = 'live' and p.ends_at > (select fairplace_now())
        left join agencies_panelmembership m
            on m.institution_id = p.institution_id and m.agency_id = p.agency_id
            and m.state = 'approved'
        left join portfolios_placedloan s
            on s.id = fresh.spell_id and s.placement_id = p.id and s.closed_at is null
        where p.id is null or m.id is null or s.id is null
    ) then
        raise exception 'placement is not live' using errcode = 'FP001';
    end if;
    return null;
end $$;

create trigger live after insert on portfolios_contact
    referencing new table as fresh for each statement execute function refuse_unless_live();
create trigger live after insert on portfolios_promise
    referencing new table as fresh for each statement execute function refuse_unless_live();
create trigger live after insert on portfolios_recovery
    referencing new table as fresh for each statement execute function refuse_unless_live();
create trigger live after insert on portfolios_reversal
    referencing new table as fresh for each statement execute function refuse_unless_live();
"""

REVERSALS = """
create function refuse_reversal_above_recovery() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    whole bigint;
begin
    select amount_minor into whole from portfolios_recovery where id = new.recovery_id for update;
    if whole < new.amount_minor + coalesce((
        select sum(amount_minor) from portfolios_reversal where recovery_id = new.recovery_id), 0)
    then
        raise exception 'reversals exceed the recovery' using errcode = 'FP003';
    end if;
    return new;
end $$;
create trigger whole before insert on portfolios_reversal
    for each row execute function refuse_reversal_above_recovery();
"""

ANSWERS = """
create function refuse_all_but_the_answer() returns trigger
language plpgsql
as $$
begin
    if actor_kind() = 'agency'
        and to_jsonb(new) - '{answer,answered_at,state}'::text[]
            is distinct from to_jsonb(old) - '{answer,answered_at,state}'::text[]
    then
        raise exception 'an agency only answers' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger answer_only before update on portfolios_complaint
    for each row execute function refuse_all_but_the_answer();
"""

OWN = rls.OWN_INSTITUTION
OPEN_SPELL = (
    f"({rls.OWN_LIVE_PLACEMENT} and "
    "exists (select from portfolios_placedloan s where s.id = spell_id and s.closed_at is null))"
)
EVENT = {"read": f"{OWN} or {OPEN_SPELL}", "insert": f"{OWN} or {OPEN_SPELL}"}
SPELL = ("placement_id", "loan_id", "agency_id", "institution_id")
PAYMENT = ("spell_id", "placement_id", "agency_id", "institution_id")


def institution_only(table: str, *, changes: bool = False, deletes: bool = False):
    return rls.protect(
        table,
        read=OWN,
        insert=OWN,
        update=OWN if changes else None,
        delete=OWN if deletes else None,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("portfolios", "0001_initial"),
        ("agencies", "0003_context_clock_and_walls"),
    ]

    operations = [
        migrations.RunSQL(LIVE, migrations.RunSQL.noop),
        rls.identity("portfolios_placement", "agency_id", "institution_id"),
        rls.identity("portfolios_placedloan", *SPELL),
        rls.identity("portfolios_recovery", *PAYMENT),
        rls.same_row(
            "portfolios_loan",
            "placement",
            "portfolios_placement",
            "agency_id",
            "institution_id",
        ),
        rls.same_row(
            "portfolios_placedloan",
            "placement",
            "portfolios_placement",
            "agency_id",
            "institution_id",
        ),
        rls.same_row("portfolios_contact", "spell", "portfolios_placedloan", *SPELL),
        rls.same_row("portfolios_promise", "spell", "portfolios_placedloan", *SPELL),
        rls.same_row("portfolios_recovery", "spell", "portfolios_placedloan", *SPELL),
        rls.same_row("portfolios_reversal", "recovery", "portfolios_recovery", *PAYMENT),
        rls.same_row("portfolios_confirmation", "recovery", "portfolios_recovery", *PAYMENT),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
        migrations.RunSQL(REVERSALS, migrations.RunSQL.noop),
        migrations.RunSQL(ANSWERS, migrations.RunSQL.noop),
        institution_only("portfolios_portfolio", changes=True),
        institution_only("portfolios_loanimport", changes=True),
        institution_only("portfolios_importproblem"),
        institution_only("portfolios_receiptfile"),
        institution_only("portfolios_receiptline", changes=True),
        institution_only("portfolios_hold", changes=True),
        rls.protect(
            "portfolios_loan",
            read=f"{OWN} or {rls.OWN_LIVE_PLACEMENT}",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "portfolios_borrower",
            # The loan's own policy applies inside: an agency sees who owes a loan it holds.
            read=f"{OWN} or exists (select from portfolios_loan l "
            "where l.borrower_id = portfolios_borrower.id)",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "portfolios_placement",
            read=f"{OWN} or ({rls.OWN_AGENCY} and id = any ((select live_placements())::uuid[]))",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "portfolios_placedloan",
            read=f"{OWN} or ({rls.OWN_LIVE_PLACEMENT} and closed_at is null)",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "portfolios_placementgrant",
            read="exists (select from portfolios_placement p where p.id = placement_id)",
            insert="(select actor_institution()) is not null and "
            "exists (select from portfolios_placement p where p.id = placement_id)",
            delete="(select actor_institution()) is not null and "
            "exists (select from portfolios_placement p where p.id = placement_id)",
        ),
        rls.protect("portfolios_contact", **EVENT),
        rls.protect("portfolios_promise", **EVENT),
        rls.protect("portfolios_recovery", **EVENT),
        rls.protect("portfolios_reversal", **EVENT),
        rls.protect("portfolios_confirmation", read=EVENT["read"], insert=OWN),
        rls.protect(
            "portfolios_latereceipt",
            read=f"{OWN} or {rls.OWN_AGENCY}",
            insert=f"{rls.OWN_AGENCY} and state = 'submitted' and "
            "institution_id = any ((select panel_institutions())::uuid[])",
            update=OWN,
        ),
        rls.protect(
            "portfolios_complaint",
            read=f"{OWN} or {rls.OWN_AGENCY}",
            insert=OWN,
            update=(
                f"{OWN} or ({rls.OWN_AGENCY} and state = 'open')",
                f"{OWN} or ({rls.OWN_AGENCY} and state = 'answered')",
            ),
        ),
        rls.protect(
            "portfolios_complaintintake",
            read=OWN,
            insert="institution_id = (select visited_institution()) and state = 'received'",
            update=OWN,
        ),
        rls.protect(
            "agencies_auditentry",
            read=f"({OWN} and (sealed_until is null or sealed_until <= (select fairplace_now())))"
            f" or ({rls.OWN_AGENCY} and (placement_id is null or {rls.LIVE_PLACEMENT}))",
            insert="actor_kind = (select actor_kind()) and "
            f"({OWN} or {rls.OWN_AGENCY} or {rls.kind('login')} "
            "or institution_id = (select visited_institution()))",
        ),
    ]
