"""An agency's loans are read by the index that begins with the agency, on pages and in GraphQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agencies.scope import scope
from portfolios.models import Loan
from portfolios.selectors import loan_order, visible_loans
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

OTHER_WAYS = ("seqscan", "bitmapscan", "sort", "incremental_sort")
BY_AGENCY = 'ORDER BY "portfolios_loan"."agency_id"'


@pytest.fixture
def placed():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    made = world.make_portfolio(bank, balances_minor=[100_00 + n for n in range(5)])
    world.place(bank, house, made)
    return bank, house


def plan(queryset) -> str:
    """How the query is run where PostgreSQL may neither sort nor read whole tables."""
    with connection.cursor() as cursor:
        for way in OTHER_WAYS:
            cursor.execute(f"set local enable_{way} = off")
    return queryset.explain()


def test_the_plan_walks_the_agencys_part_of_the_index(placed):
    _bank, house = placed
    with scope(house.actor()) as actor:
        assert loan_order(actor) == ("agency_id",)
        newest = visible_loans(actor).order_by("-agency_id", "-pk")[:3]
        found = plan(newest)
        assert "Index Scan Backward using loan_by_agency" in found
        assert "Sort" not in found
        # By the key alone it would come by everybody's newest loans first.
        assert "using portfolios_loan_pkey" in plan(visible_loans(actor).order_by("-pk")[:3])


def test_pages_and_graphql_ask_in_that_order_and_find_the_newest_first(placed):
    bank, house = placed
    with scope(bank.actor("auditor")):
        references = list(Loan.objects.order_by("pk").values_list("reference", flat=True))
    collector = over_http.person(house, "collector")
    with CaptureQueriesContext(connection) as asked:
        page = collector.get("/loans/").content.decode()
    assert any(f'{BY_AGENCY} DESC, "portfolios_loan"."id" DESC' in one["sql"] for one in asked)
    places = [page.index(f">{reference}<") for reference in references]
    assert places == sorted(places, reverse=True)
    with CaptureQueriesContext(connection) as asked:
        found = over_http.ask(collector, "{ loans(first: 5) { edges { node { reference } } } }")
    assert any(f'{BY_AGENCY} ASC, "portfolios_loan"."id" ASC' in one["sql"] for one in asked)
    assert [edge["node"]["reference"] for edge in found["loans"]["edges"]] == references
    manager = over_http.person(bank, "vendor_manager")
    backwards = "{ loans(last: 2) { edges { node { reference } } } }"
    for client in (collector, manager):
        edges = over_http.ask(client, backwards)["loans"]["edges"]
        assert [edge["node"]["reference"] for edge in edges] == references[-2:]


def test_a_page_asks_as_much_for_many_loans_as_for_few(placed):
    bank, house = placed
    collector = over_http.person(house, "collector")

    def counted() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert collector.get("/loans/").status_code == 200
        return len(asked)

    counted()
    few = counted()
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00] * 20))
    assert counted() == few
