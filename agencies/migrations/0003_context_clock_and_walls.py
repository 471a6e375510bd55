"""The signed context, the one clock, and row-level security of the lowest chapter."""

from django.db import migrations

from config import rls

CONTEXT = """
-- The two pads of HMAC (RFC 2104) over SHA-256, so that PostgreSQL needs no extension for it.
create table context_key (
    only_row boolean primary key default true check (only_row),
    inner_pad bytea not null check (length(inner_pad) = 64),
    outer_pad bytea not null check (length(outer_pad) = 64)
);
revoke all on context_key from fairplace_app;

-- kind, user, client, institution, agency, backend, expiry; null without a context.
create function fairplace_context() returns text[]
language plpgsql stable parallel restricted security definer set search_path = public, pg_temp
as $$
declare
    raw text := current_setting('fairplace.context', true);
    parts text[];
    pads context_key;
begin
    if raw is null or raw = '' then
        return null;
    end if;
    parts := string_to_array(raw, '|');
    select * into pads from context_key;
    if cardinality(parts) is distinct from 8
        or parts[8] is distinct from encode(sha256(pads.outer_pad || sha256(
            pads.inner_pad || convert_to(array_to_string(parts[1:7], '|'), 'UTF8'))), 'hex')
        or parts[6] <> pg_backend_pid()::text
        or parts[7]::bigint < extract(epoch from clock_timestamp())
    then
        raise exception 'bad context' using errcode = 'insufficient_privilege';
    end if;
    return parts;
end $$;

create function actor_kind() returns text
language sql stable parallel restricted
as $$ select (fairplace_context())[1] $$;

create function actor_institution() returns uuid
language sql stable parallel restricted
as $$ select case when c[1] in ('institution', 'sweep') then nullif(c[4], '')::uuid end
      from fairplace_context() as c $$;

create function visited_institution() returns uuid
language sql stable parallel restricted
as $$ select case when c[1] = 'public' then nullif(c[4], '')::uuid end
      from fairplace_context() as c $$;

create function actor_agency() returns uuid
language sql stable parallel restricted
as $$ select case when c[1] = 'agency' then nullif(c[5], '')::uuid end
      from fairplace_context() as c $$;
"""

CLOCK = """
create table clock_override (
    only_row boolean primary key default true check (only_row),
    at timestamptz not null
);
revoke all on clock_override from fairplace_app;

create function fairplace_now() returns timestamptz
language sql volatile security definer set search_path = public, pg_temp
as $$ select coalesce((select at from clock_override), clock_timestamp()) $$;

create function fairplace_clock_set(moment timestamptz) returns void language sql
as $$ insert into clock_override (at) values (moment)
      on conflict (only_row) do update set at = excluded.at $$;
create function fairplace_clock_release() returns void language sql
as $$ delete from clock_override $$;
revoke all on function fairplace_clock_set(timestamptz), fairplace_clock_release() from public;
"""

PANEL = """
create function panel_agencies() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$ select array_agg(agency_id) from agencies_panelmembership
      where institution_id = actor_institution() $$;

create function panel_institutions() returns uuid[]
language sql stable parallel restricted security definer set search_path = public, pg_temp
as $$ select array_agg(institution_id) from agencies_panelmembership
      where agency_id = actor_agency() $$;
"""

EITHER_SIDE = f"{rls.OWN_INSTITUTION} or {rls.OWN_AGENCY}"
LOGIN = rls.kind("login")


class Migration(migrations.Migration):
    dependencies = [("agencies", "0002_machineclient")]

    operations = [
        migrations.RunSQL(CONTEXT, migrations.RunSQL.noop),
        migrations.RunSQL(CLOCK, migrations.RunSQL.noop),
        migrations.RunSQL(PANEL, migrations.RunSQL.noop),
        rls.protect(
            "agencies_institution",
            read="id = (select actor_institution()) or id = (select visited_institution()) or "
            + rls.kind("agency", "login", "public", "sweep"),
            insert="id = (select actor_institution())",
            update="id = (select actor_institution())",
        ),
        rls.protect(
            "agencies_agency",
            read="id = (select actor_agency()) or id = any ((select panel_agencies())::uuid[])",
            insert="id = (select actor_agency())",
            update="id = (select actor_agency())",
        ),
        rls.protect(
            "agencies_user",
            read=f"{EITHER_SIDE} or {LOGIN}",
            insert=EITHER_SIDE,
            update=f"{EITHER_SIDE} or {LOGIN}",
        ),
        rls.protect(
            "agencies_invitation",
            read=f"{EITHER_SIDE} or {LOGIN}",
            insert=EITHER_SIDE,
            update=LOGIN,
        ),
        rls.protect(
            "agencies_machineclient",
            read=f"{rls.OWN_AGENCY} or {LOGIN}",
            insert=rls.OWN_AGENCY,
            update=rls.OWN_AGENCY,
        ),
        rls.protect(
            "agencies_panelmembership",
            read=EITHER_SIDE,
            insert=f"{rls.OWN_AGENCY} and state = 'applied'",
            update=(
                f"{rls.OWN_INSTITUTION} or ({rls.OWN_AGENCY} and state in ('applied', 'rejected'))",
                f"{rls.OWN_INSTITUTION} or ({rls.OWN_AGENCY} and state = 'applied')",
            ),
        ),
        rls.identity("agencies_panelmembership", "institution_id", "agency_id"),
        rls.protect("agencies_vettingdocument", read=EITHER_SIDE, insert=rls.OWN_AGENCY),
        rls.same_row(
            "agencies_vettingdocument",
            "membership",
            "agencies_panelmembership",
            "institution_id",
            "agency_id",
        ),
        rls.protect(
            "agencies_denial",
            read=EITHER_SIDE,
            insert="actor_kind = (select actor_kind())",
        ),
        rls.protect("agencies_idempotentcall", read=rls.OWN_AGENCY, insert=rls.OWN_AGENCY),
    ]
