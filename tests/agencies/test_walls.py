"""The second wall: what PostgreSQL refuses even when the application forgets to ask."""

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from agencies.models import Agency, Institution, PanelMembership, User
from agencies.scope import scope
from config import checks
from portfolios.models import Borrower, Loan, LoanImport, Placement
from tests import world

pytestmark = pytest.mark.django_db

UNPROTECTED = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and relkind in ('r', 'p')
        and not (
            relrowsecurity and relforcerowsecurity
            and exists (select from pg_policy where polrelid = c.oid)
        )
        and (
            c.relname in ('agencies_institution', 'agencies_agency')
            or exists (
                select from pg_attribute a where a.attrelid = c.oid and not attisdropped
                and attname in (
                    'institution_id', 'agency_id', 'placement_id', 'listing_id', 'bid_id',
                    'membership_id', 'loan_id', 'portfolio_id', 'statement_id'
                )
            )
        )
"""
LOOSE_VIEWS = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and relkind in ('v', 'm')
        and not coalesce(reloptions::text like '%security_invoker=true%', false)
"""
UNSAFE_FUNCTIONS = """
    select proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' and prosecdef
        and not coalesce(proconfig::text like '%search_path%', false)
"""


def rows(sql: str, *values) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def world_of_two():
    bank, rival_bank = world.make_bank(), world.make_bank()
    house, rival = world.make_agency(), world.make_agency()
    world.join_panel(bank, house)
    world.join_panel(bank, rival)
    world.join_panel(rival_bank, rival)
    portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00, 300_00])
    world.make_portfolio(rival_bank, balances_minor=[1_00])
    placement = world.place(bank, house, portfolio)
    return bank, rival_bank, house, rival, placement


def test_every_table_that_belongs_to_somebody_is_protected():
    assert rows(UNPROTECTED) == []
    assert rows(LOOSE_VIEWS) == []
    assert rows(UNSAFE_FUNCTIONS) == []


def test_the_gate_would_see_an_unprotected_table(owner):
    owner.execute("create table left_open (id uuid primary key, institution_id uuid)")
    assert rows(UNPROTECTED) == ["left_open"]


def test_every_model_that_names_an_owner_is_behind_a_policy():
    protected = set(rows("select distinct tablename from pg_policies"))
    ours = ("agencies", "portfolios", "marketplace", "payouts")
    named = {
        model._meta.db_table
        for model in apps.get_models()
        if model._meta.app_label in ours
        and {"institution", "agency", "placement"}
        & {field.name for field in model._meta.get_fields()}
    }
    assert len(named) > 20
    assert named - protected == set()


def test_the_application_is_neither_owner_nor_powerful():
    assert checks.powers(connection) == []
    assert rows("select current_user") == ["fairplace_app"]
    for statement in (
        "select * from context_key",
        "select fairplace_clock_set(now())",
        "insert into clock_override (at) values (now())",
        "update agencies_auditentry set reason = 'never happened'",
        "delete from agencies_auditentry",
        "truncate agencies_denial",
        "alter table agencies_user disable row level security",
        "set role fairplace_owner",
        "create table mine (id int)",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_without_a_context_there_is_nothing(world_of_two):
    for model in (Institution, Agency, User, PanelMembership, Placement, Loan, Borrower):
        assert model.objects.count() == 0


def test_queries_without_any_filter_stay_on_ones_own_side(world_of_two):
    bank, rival_bank, house, rival, placement = world_of_two
    with scope(bank.actor("auditor")):
        assert Loan.objects.count() == Borrower.objects.count() == 3
        assert {row.pk for row in Agency.objects.all()} == {house.agency.pk, rival.agency.pk}
        assert {user.institution_id for user in User.objects.all()} == {bank.institution.pk}
    with scope(rival_bank.actor("auditor")):
        assert Loan.objects.count() == 1
        assert Placement.objects.count() == 0
        assert {row.pk for row in Agency.objects.all()} == {rival.agency.pk}
    with scope(house.actor()):
        assert Loan.objects.count() == Borrower.objects.count() == 3
        assert [row.pk for row in Placement.objects.all()] == [placement.pk]
        assert {row.agency_id for row in PanelMembership.objects.all()} == {house.agency.pk}
    with scope(rival.actor()):
        assert Loan.objects.count() == Borrower.objects.count() == Placement.objects.count() == 0


def test_suspension_takes_effect_at_the_next_statement(owner, world_of_two):
    _bank, _rival_bank, house, _rival, _placement = world_of_two
    decided = "update agencies_panelmembership set state = %s where agency_id = %s"
    with scope(house.actor()):
        assert Loan.objects.count() == 3
        owner.execute(decided, ["suspended", house.agency.pk])
        assert Loan.objects.count() == Borrower.objects.count() == Placement.objects.count() == 0
        owner.execute(decided, ["approved", house.agency.pk])
        assert Loan.objects.count() == 3


def loans_seen_as(context: str) -> list:
    """Loan references under a context that somebody without the key made up."""
    rows("select set_config('fairplace.context', %s, true)", context)
    return rows("select reference from portfolios_loan")


@pytest.mark.parametrize("part", [0, 1, 3, 4, 5, 6, 7])
def test_a_forged_context_opens_nothing(world_of_two, part):
    bank, _rival_bank, house, rival, _placement = world_of_two
    with scope(rival.actor()):
        parts = rows("select current_setting('fairplace.context')")[0].split("|")
        parts[part] = {
            0: "institution",
            1: str(house.users["collector"].pk),
            3: str(bank.institution.pk),
            4: str(house.agency.pk),
            5: str(int(parts[5]) + 1),
            6: str(int(parts[6]) + 1),
            7: "0" * 64,
        }[part]
        with pytest.raises(DatabaseError, match="bad context"), transaction.atomic():
            loans_seen_as("|".join(parts))
        assert Loan.objects.count() == 0


def test_a_context_smuggled_in_by_a_query_opens_nothing(world_of_two):
    bank, _rival_bank, _house, rival, _placement = world_of_two
    forged = f"institution|{bank.users['auditor'].pk}||{bank.institution.pk}||0|9999999999|00"
    with scope(rival.actor()):
        with pytest.raises(DatabaseError, match="bad context"), transaction.atomic():
            rows(
                "select reference from portfolios_loan where "
                "(select set_config('fairplace.context', %s, true)) is not null",
                forged,
            )
        assert rows("select reference from portfolios_loan") == []


def test_nobody_writes_on_the_other_side(world_of_two):
    bank, _rival_bank, house, rival, _placement = world_of_two
    with scope(rival.actor()):
        assert User.objects.filter(pk=house.users["collector"].pk).update(name="Mine") == 0
        assert PanelMembership.objects.filter(agency=rival.agency).update(state="approved") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            User.objects.create(
                email="spy@example.com", name="Spy", role="collector", agency=house.agency
            )
    with scope(house.actor()):
        assert not User.objects.filter(email="spy@example.com").exists()
    with scope(bank.actor("auditor")):
        assert PanelMembership.objects.filter(state="approved").count() == 2


def test_a_loan_and_its_borrower_agree_with_their_import():
    """A bank that may write its own rows cannot hang them onto another one's, nor mix its own."""
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    other = world.make_portfolio(bank, balances_minor=[200_00])
    theirs = world.make_portfolio(rival, balances_minor=[300_00])
    with scope(rival.actor("auditor")):
        their_import = LoanImport.objects.get(portfolio=theirs)
    with scope(bank.actor("vendor_manager")):
        loans = Loan.objects.filter(portfolio=portfolio)
        borrowers = Borrower.objects.filter(loans__in=loans)
        for forged, change in (
            (loans, {"portfolio": other}),
            (loans, {"portfolio": theirs}),
            (loans, {"loan_import": their_import}),
            (loans, {"portfolio": theirs, "loan_import": their_import}),
            (borrowers, {"loan_import": their_import}),
        ):
            with pytest.raises(IntegrityError, match="loan_import_agrees"), transaction.atomic():
                forged.update(**change)
        assert loans.count() == borrowers.count() == 1
