"""Walls of recalls, objections, the feed, the rules and direct payments; the agency's return."""

from django.db import migrations

from config import rls

OWN = rls.OWN_INSTITUTION
OPEN_SPELL = (
    f"({rls.OWN_LIVE_PLACEMENT} and "
    "exists (select from portfolios_placedloan s where s.id = spell_id and s.closed_at is null))"
)
SPELL = ("placement_id", "loan_id", "agency_id", "institution_id")
PLACED = ("agency_id", "institution_id")

# An agency gives loans back but may not update the bank's rows: the owner does it for it, after
# the same questions that row-level security asks. Without loans the whole placement goes back.
RETURN = """
create function return_placed(target uuid, returned uuid[], why text) returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    moment timestamptz;
    closed bigint;
begin
    perform from portfolios_placement p where p.id = target for update;
    if actor_kind() is distinct from 'agency'
        or not coalesce(target = any (live_placements()), false)
    then
        raise exception 'placement is not live' using errcode = 'FP001';
    end if;
    moment := fairplace_now();
    with ended as (
        update portfolios_placedloan s
        set closed_at = moment, close_reason = why,
            close_kind = case when l.balance_minor = 0 then 'settled' else 'returned' end
        from portfolios_loan l
        where s.placement_id = target and s.closed_at is null and l.id = s.loan_id
            and (returned is null or s.loan_id = any (returned))
        returning s.loan_id
    )
    update portfolios_loan l
    set placement_id = null, agency_id = null, earlier_placements = earlier_placements + 1
    from ended where l.id = ended.loan_id;
    get diagnostics closed = row_count;
    if returned is null then
        update portfolios_placement
        set state = 'returned', closed_at = moment, close_reason = why where id = target;
        delete from portfolios_placementgrant where placement_id = target;
        update portfolios_recall set state = 'final', settled_at = moment
        where placement_id = target and state = 'pending';
    end if;
    return closed;
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0020_spells")]

    operations = [
        rls.identity("portfolios_recall", "placement_id", *PLACED),
        rls.identity("portfolios_recalledloan", "spell_id", *SPELL),
        rls.same_row("portfolios_recall", "placement", "portfolios_placement", *PLACED),
        rls.same_row(
            "portfolios_recalledloan", "recall", "portfolios_recall", "placement_id", *PLACED
        ),
        rls.same_row("portfolios_recalledloan", "spell", "portfolios_placedloan", *SPELL),
        rls.same_row(
            "portfolios_objection", "recalled_loan", "portfolios_recalledloan", "spell_id", *SPELL
        ),
        rls.same_row("portfolios_placementchange", "placement", "portfolios_placement", *PLACED),
        rls.same_row("portfolios_placementchange", "spell", "portfolios_placedloan", *SPELL),
        rls.protect("portfolios_placementrules", read=OWN, insert=OWN, update=OWN),
        rls.protect("portfolios_directpayment", read=OWN, insert=OWN),
        rls.protect(
            "portfolios_recall",
            read=f"{OWN} or {rls.OWN_LIVE_PLACEMENT}",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "portfolios_recalledloan", read=f"{OWN} or {OPEN_SPELL}", insert=OWN, update=OWN
        ),
        rls.protect(
            "portfolios_objection",
            read=f"{OWN} or {OPEN_SPELL}",
            insert=f"{OWN} or ({OPEN_SPELL} and state = 'open' and not is_automatic)",
            update=OWN,
        ),
        rls.protect(
            "portfolios_placementchange",
            # Of what has ended the agency reads the entry that says so, and no other.
            read=f"{OWN} or ({rls.OWN_AGENCY} and (kind in ('recalled', 'returned', 'expired')"
            f" or ({rls.LIVE_PLACEMENT} and (spell_id is null or {OPEN_SPELL}))))",
            insert=f"{OWN} or ({rls.OWN_LIVE_PLACEMENT} and kind = 'returned')",
        ),
        migrations.RunSQL(
            "create trigger live after insert on portfolios_objection referencing new table as"
            " fresh for each statement execute function refuse_unless_live()",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(RETURN, migrations.RunSQL.noop),
    ]
