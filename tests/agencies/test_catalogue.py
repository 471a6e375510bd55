"""The second wall as PostgreSQL's own catalogue describes it: nothing that comes new is forgotten.

What is found is found by looking; the lists here say only what is meant to be otherwise, and why.
"""

import re

import pytest
from django.db import DatabaseError, connection, transaction

from agencies.scope import scope
from portfolios.models import Loan, Placement
from tests import world

pytestmark = pytest.mark.django_db

OPEN = {
    # Who somebody is must be found out before anybody is known; all of it is asked by key alone.
    "account_emailaddress": "allauth's, read at log-in",
    "account_emailconfirmation": "allauth's, read at log-in",
    "mfa_authenticator": "allauth's, read at log-in",
    "agencies_user_groups": "Django's, never filled: roles are a column",
    "agencies_user_user_permissions": "Django's, never filled",
    "guardian_userobjectpermission": "guardian's generic table, never filled",
    "allauth_idp_oidc_client": "allauth's, read before a machine is known",
    "allauth_idp_oidc_token": "allauth's, read before a machine is known",
}
"""Tables that refer to somebody and are behind no policy."""

# Whatever names a bank, an agency, a placement, a loan, a listing or a bid, and whatever refers
# to such a table, directly or over others.
BELONGING = """
    with recursive belonging (oid) as (
        select c.oid from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
            and (
                c.relname in ('agencies_institution', 'agencies_agency')
                or exists (
                    select from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
                    and a.attname ~ '^(institution|agency|placement|loan|listing|bid)(_id)?$'
                )
            )
        union
        select reference.conrelid from pg_constraint reference
        join belonging on belonging.oid = reference.confrelid
        where reference.contype = 'f'
    )
    select c.relname, c.relrowsecurity and c.relforcerowsecurity,
        exists (
            select from pg_policy p where p.polrelid = c.oid and p.polcmd in ('r', '*')
            and 'fairplace_app'::regrole = any (p.polroles)
        )
    from belonging join pg_class c using (oid)
"""


ASKS = re.compile(r"actor_|_institution\(\)|_placements\(\)|_listings\(\)|EXISTS")
"""What a condition asks: who acts, which rows are live, or another walled table."""


def asked(sql: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall()


def test_every_table_that_belongs_to_somebody_is_forced_behind_policies():
    found = {name: (is_forced, is_read) for name, is_forced, is_read in asked(BELONGING)}
    assert len(found) > 40
    unprotected = {name for name, both in found.items() if both != (True, True)}
    assert unprotected == OPEN.keys()
    assert {"portfolios_loan", "portfolios_placementgrant", "payouts_statementline"} <= found.keys()


def test_the_gate_sees_a_table_that_refers_to_one_that_refers_to_a_loan(owner):
    owner.execute(
        "create table left_open (id uuid primary key, contact uuid references portfolios_contact)"
    )
    owner.execute("create table further (id uuid primary key, of uuid references left_open)")
    owner.execute("alter table further enable row level security")
    found = {name: (is_forced, is_read) for name, is_forced, is_read in asked(BELONGING)}
    assert found["left_open"] == found["further"] == (False, False)


def test_no_policy_is_for_everybody_or_lets_the_application_pass_without_asking():
    rows = asked(
        "select tablename, policyname, roles::text[], qual, with_check from pg_policies"
        " where schemaname = 'public'"
    )
    assert len(rows) > 100
    for table, name, roles, condition, check in rows:
        assert len(roles) == 1, (table, name)
        if roles != ["fairplace_app"]:
            assert (name, roles) == ("owner", ["fairplace_owner"]), table
            continue
        for said in filter(None, (condition, check)):
            assert ASKS.search(said), (table, name, said)


def test_functions_that_decide_have_a_fixed_search_path_and_the_owner():
    rows = asked(
        "select proname, proconfig, pg_get_userbyid(proowner) from pg_proc"
        " where pronamespace = 'public'::regnamespace and prosecdef"
    )
    assert {"live_placements", "fairplace_context", "ended_placements"} <= {row[0] for row in rows}
    for name, settings, role in rows:
        # Temporary tables come last, or a caller's own would be taken for ours.
        assert settings == ["search_path=public, pg_temp"], name
        assert role == "fairplace_owner", name


def test_there_is_no_view_through_which_the_owner_looks():
    assert (
        asked(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and (relkind = 'm' or relkind = 'v' and not"
            " coalesce(reloptions::text like '%security_invoker=true%', false))"
        )
        == []
    )


def test_the_application_owns_nothing_and_makes_nothing():
    owned = asked(
        "select relname from pg_class where relowner = 'fairplace_app'::regrole"
        " union all select proname from pg_proc where proowner = 'fairplace_app'::regrole"
        " union all select nspname from pg_namespace where nspowner = 'fairplace_app'::regrole"
        " union all select datname from pg_database where datdba = 'fairplace_app'::regrole"
    )
    assert owned == []
    privileges = asked(
        "select has_schema_privilege('fairplace_app', 'public', 'create'),"
        " has_database_privilege('fairplace_app', current_database(), 'create')"
    )
    assert privileges == [(False, False)]
    powers = asked(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and relrowsecurity"
        " and has_table_privilege('fairplace_app', oid, 'truncate, references, trigger')"
    )
    assert powers == []
    secrets = asked(
        "select relname from pg_class where relname in ('context_key', 'clock_override')"
        " and has_table_privilege('fairplace_app', oid, 'select, insert, update, delete')"
    )
    assert secrets == []


@pytest.fixture
def placed():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00, 200_00]))
    return bank, house


def test_copy_into_a_walled_table_is_refused_and_out_of_one_is_walled(placed):
    """Rows are copied to a temporary table and inserted from there, where policies are asked."""
    _bank, house = placed
    out = "copy portfolios_loan (reference) to stdout"
    with scope(house.actor()), connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="COPY FROM not supported"), transaction.atomic():
            cursor.execute("copy portfolios_loan (id) from stdin")
        with cursor.copy(out) as copy:
            assert len(list(copy.rows())) == 2
    stranger = world.make_agency().actor()
    with scope(stranger), connection.cursor() as cursor, cursor.copy(out) as copy:
        assert list(copy.rows()) == []


def test_a_lock_finds_only_rows_that_one_may_change(placed):
    """FOR SHARE asks the policy of UPDATE too; that is why guards lock in the owner's name."""
    bank, house = placed
    with scope(house.actor()):
        assert len(asked("select id from portfolios_placement")) == 1
        assert asked("select id from portfolios_placement for share") == []
        assert list(Placement.objects.select_for_update()) == []
    with scope(bank.actor("vendor_manager")):
        assert len(asked("select id from portfolios_placement for share")) == 1


def test_a_policy_that_asks_a_function_about_its_own_table_does_not_recurse(placed):
    """The function runs as the owner, whose own policy asks nothing: see ARCHITECTURE.md."""
    _bank, house = placed
    ((condition,),) = asked(
        "select qual from pg_policies where tablename = 'portfolios_placement'"
        " and policyname = 'reads'"
    )
    assert "live_placements" in condition
    with scope(house.actor()):
        assert Placement.objects.count() == 1


def test_the_owner_itself_sees_through_one_policy_that_can_be_taken_away(owner):
    """Forced row-level security holds for the owner too: without its policy it sees nothing."""
    world.make_bank()
    counted = "select count(*) > 0 from agencies_user"
    assert owner.execute(counted).fetchone() == (True,)
    with owner.transaction(force_rollback=True):
        owner.execute("drop policy owner on agencies_user")
        assert owner.execute(counted).fetchone() == (False,)


def test_a_prepared_statement_keeps_no_scope(placed):
    """A plan is kept, what its policy asks is not."""
    bank, house = placed
    for actor, seen in ((house.actor(), 2), (bank.actor("auditor"), 2), (house.actor(), 2)):
        for _time in range(7):
            with scope(actor):
                assert Loan.objects.count() == seen
    for _time in range(7):
        with scope(world.make_bank().actor("auditor")):
            assert Loan.objects.count() == 0
