"""Row-level security of the market: bids stay sealed, and no agency sees another's."""

from django.db import migrations

from config import rls

LISTINGS = """
create function visible_listings() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$
    select array_agg(l.id)
    from marketplace_listing l
    join agencies_panelmembership m
        on m.institution_id = l.institution_id and m.agency_id = actor_agency()
    where m.state = 'approved'
        and (not l.is_invitation_only or exists (
            select from marketplace_listinginvitation i
            where i.listing_id = l.id and i.agency_id = m.agency_id
        ))
$$;
"""

# The clock is read after the listing is locked: a slow request cannot slip in after closing.
BIDS = """
create function refuse_bid_unless_open() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    listing marketplace_listing;
begin
    perform from agencies_panelmembership
        where institution_id = new.institution_id and agency_id = new.agency_id
        for share;
    select * into listing from marketplace_listing where id = new.listing_id for share;
    if listing.state is distinct from 'open' or listing.closes_at <= fairplace_now()
        or new.closes_at <> listing.closes_at or new.institution_id <> listing.institution_id
        or not exists (
            select from agencies_panelmembership
            where institution_id = new.institution_id and agency_id = new.agency_id
                and state = 'approved')
        or (tg_op = 'UPDATE' and (new.listing_id, new.agency_id) <> (old.listing_id, old.agency_id))
    then
        raise exception 'bidding is closed' using errcode = 'FP002';
    end if;
    return new;
end $$;
create trigger open before insert or update on marketplace_bid
    for each row execute function refuse_bid_unless_open();
"""

OWN = rls.OWN_INSTITUTION
VISIBLE = "any ((select visible_listings())::uuid[])"


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0002_initial"),
        ("portfolios", "0002_walls"),
    ]

    operations = [
        migrations.RunSQL(LISTINGS, migrations.RunSQL.noop),
        migrations.RunSQL(BIDS, migrations.RunSQL.noop),
        rls.protect(
            "marketplace_listing",
            read=f"{OWN} or id = {VISIBLE}",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "marketplace_listinginvitation",
            read=f"{OWN} or {rls.OWN_AGENCY}",
            insert=OWN,
        ),
        rls.protect(
            "marketplace_bid",
            read=f"{rls.OWN_AGENCY} or ({OWN} and closes_at <= (select fairplace_now()))",
            insert=f"{rls.OWN_AGENCY} and listing_id = {VISIBLE}",
            update=f"{rls.OWN_AGENCY} and listing_id = {VISIBLE}",
        ),
        rls.protect("marketplace_award", read=OWN, insert=OWN),
        rls.protect("marketplace_awardshare", read=f"{OWN} or {rls.OWN_AGENCY}", insert=OWN),
        rls.protect(
            "marketplace_ranking",
            read=f"{OWN} or institution_id = any ((select panel_institutions())::uuid[])",
            insert=OWN,
        ),
        rls.protect("marketplace_rankingrow", read=f"{OWN} or {rls.OWN_AGENCY}", insert=OWN),
    ]
