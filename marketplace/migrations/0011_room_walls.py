"""Row-level security of the bidders' rooms: nothing before the terms, and nobody learns who looks."""

from django.db import migrations

from config import rls

# Who has opened which room: a person who accepted the text that counts now, or a machine of an
# agency whose administrator did.
OPENED = """
create function opened_listings() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$
    select array_agg(distinct l.id)
    from marketplace_termsacceptance a
    cross join (select fairplace_context() as c) as call
    join marketplace_listing l on l.id = a.listing_id and l.terms_sha256 = a.sha256
    where a.agency_id = actor_agency()
        and l.id = any ((select visible_listings())::uuid[])
        and (
            a.user_id = nullif(call.c[2], '')::uuid
            or (a.covers_machines and nullif(call.c[3], '') is not null)
        )
$$;

-- Whose log the bank may read: a listing that has closed, unless its portfolio is open for bids
-- again, where who looked at the first room may bid in the second.
create function disclosed_listings() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$
    select array_agg(l.id)
    from marketplace_listing l
    cross join (select fairplace_now() as moment) as call
    where l.institution_id = actor_institution() and l.closes_at <= call.moment
        and not exists (
            select from marketplace_listing again
            where again.portfolio_id = l.portfolio_id
                and again.state = 'open' and again.closes_at > call.moment
        )
$$;

create function own_questions() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$ select array_agg(question_id) from marketplace_questionauthor
      where agency_id = actor_agency() $$;
"""

# The clock is read after the listing is locked, as for bids.
IN_TIME = """
create function refuse_unless_room_is_open() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
    listing marketplace_listing;
    ends_at timestamptz;
begin
    select * into listing from marketplace_listing where id = new.listing_id for share;
    ends_at := case tg_argv[0] when 'questions' then listing.questions_close_at
        else listing.closes_at end;
    if listing.state is distinct from 'open' or ends_at <= fairplace_now() then
        raise exception 'the room is closed' using errcode = 'FP002';
    end if;
    return new;
end $$;
create trigger in_time before insert on marketplace_termsacceptance
    for each row execute function refuse_unless_room_is_open('room');
create trigger in_time before insert on marketplace_listingquestion
    for each row execute function refuse_unless_room_is_open('questions');
create trigger in_time before insert or update on marketplace_listinganswer
    for each row execute function refuse_unless_room_is_open('room');
"""

# What bidders have read stays as it is.
PUBLISHED = """
create function refuse_change_of_published() returns trigger
language plpgsql
as $$
begin
    if old.published_at is not null then
        raise exception 'the answer is published' using errcode = 'FP002';
    end if;
    return new;
end $$;
create trigger published before update on marketplace_listinganswer
    for each row execute function refuse_change_of_published();
"""

OWN = rls.OWN_INSTITUTION
VISIBLE = "listing_id = any ((select visible_listings())::uuid[])"
OPENED_ROOM = "listing_id = any ((select opened_listings())::uuid[])"
DISCLOSED = "listing_id = any ((select disclosed_listings())::uuid[])"
LISTING = "marketplace_listing"

BIDS_AFTER_TERMS = f"""
alter policy inserts on marketplace_bid with check ({rls.OWN_AGENCY} and {OPENED_ROOM});
alter policy updates on marketplace_bid
    using ({rls.OWN_AGENCY} and {OPENED_ROOM}) with check ({rls.OWN_AGENCY} and {OPENED_ROOM});
"""


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0010_rooms"), ("agencies", "0003_context_clock_and_walls")]

    operations = [
        migrations.RunSQL(OPENED, migrations.RunSQL.noop),
        migrations.RunSQL(IN_TIME, migrations.RunSQL.noop),
        migrations.RunSQL(PUBLISHED, migrations.RunSQL.noop),
        migrations.RunSQL(BIDS_AFTER_TERMS, migrations.RunSQL.noop),
        rls.identity(LISTING, "institution_id"),
        rls.protect("marketplace_tape", read=f"{OWN} or {OPENED_ROOM}", insert=OWN),
        rls.protect("marketplace_tapecut", read=OWN, insert=OWN),
        rls.protect("marketplace_listingterms", read=f"{OWN} or {VISIBLE}", insert=OWN),
        rls.protect(
            "marketplace_termsacceptance",
            read=f"{rls.OWN_AGENCY} or {DISCLOSED}",
            insert=f"{rls.OWN_AGENCY} and {VISIBLE}",
        ),
        rls.protect("marketplace_listingdocument", read=f"{OWN} or {OPENED_ROOM}", insert=OWN),
        rls.protect(
            "marketplace_listingquestion",
            read=f"{OWN} or id = any ((select own_questions())::uuid[])",
            insert=OPENED_ROOM,
        ),
        rls.protect("marketplace_questionauthor", read=rls.OWN_AGENCY, insert=rls.OWN_AGENCY),
        rls.protect(
            "marketplace_listinganswer",
            read=f"{OWN} or (published_at is not null and {OPENED_ROOM})",
            insert=OWN,
            update=OWN,
        ),
        rls.protect(
            "marketplace_roomvisit",
            read=f"{rls.OWN_AGENCY} or {DISCLOSED}",
            insert=f"{rls.OWN_AGENCY} and {VISIBLE}",
        ),
        *(
            rls.same_row(f"marketplace_{table}", "listing", LISTING, "institution_id")
            for table in (
                "tape",
                "tapecut",
                "listingterms",
                "termsacceptance",
                "listingdocument",
                "listingquestion",
                "listinganswer",
                "roomvisit",
            )
        ),
    ]
