"""The one rule in SQL keeps its plan: asked twice in every statement of an agency's.

Before PostgreSQL 18 a function in SQL is planned anew in each statement, one in PL/pgSQL once per
session. What it asks is what it asked before.
"""

from django.db import migrations

LIVE = """
create or replace function live_placements() returns uuid[]
language plpgsql stable parallel restricted security definer set search_path = public, pg_temp
as $$
declare
    context text[] := fairplace_context();
    house uuid := case when context[1] = 'agency' then nullif(context[5], '')::uuid end;
    moment timestamptz := fairplace_now();
begin
    if house is null or not (
        exists (
            select from agencies_user u
            where u.id = nullif(context[2], '')::uuid and u.is_active and u.agency_id = house
        )
        or exists (
            select from agencies_machineclient client
            where client.id = nullif(context[3], '')::uuid
                and client.is_enabled and client.agency_id = house
        )
    ) then
        return null;
    end if;
    return array(
        select p.id
        from agencies_agency a
        join portfolios_placement p on p.agency_id = a.id
        join agencies_panelmembership m
            on m.institution_id = p.institution_id and m.agency_id = p.agency_id
        join portfolios_placementgrant g on g.placement_id = p.id and g.group_id = a.group_id
        join auth_permission permission
            on permission.id = g.permission_id and permission.codename = 'work_placement'
        where a.id = house
            and p.state = 'live' and p.opened_at <= moment and moment < p.ends_at
            and m.state = 'approved'
    );
end $$;
"""


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0030_tallies")]

    operations = [migrations.RunSQL(LIVE, migrations.RunSQL.noop)]
