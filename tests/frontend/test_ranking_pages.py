"""Pages of the ranking: the panel for the bank, and for an agency no rival anywhere."""

import datetime
import html
import json
import re

import pytest

from agencies.scope import scope
from marketplace.models import Ranking
from marketplace.services import rankings
from portfolios.models import Loan
from tests import world
from tests.portfolios.over_http import person

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")
WARNING = "Unadjusted: agencies may have been given easier or harder loans. Not for awards."


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


def words(response) -> str:
    """What a page says, without its tags and data."""
    text = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def figure(response) -> dict:
    """The chart's data, as the browser gets it."""
    (found,) = re.findall(r'data-figure="([^"]*)"', response.content.decode())
    return json.loads(html.unescape(found))


def place(bank, house, *balances_minor, currency="USD"):
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("balance_minor"))


def compute(bank, currency="USD"):
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency=currency)


@pytest.fixture
def houses(bank):
    """Five agencies with one loan of 1,000.00 each, of which 10, 20, 30, 40 and 50 % came back."""
    made = {}
    for number, name in enumerate(NAMES, 1):
        made[name] = world.make_agency(f"{name} Recoveries")
        world.join_panel(bank, made[name])
        (loan,) = place(bank, made[name], 1000_00)
        world.recover(bank, made[name], loan, number * 100_00)
    return made


def test_the_bank_reads_the_panel_with_its_warning(bank, houses):
    manager = person(bank, "vendor_manager")
    assert "Nothing was ranked yet" in words(manager.get("/ranking/"))
    done = manager.post("/ranking/compute/", {"currency": "USD"}, follow=True)
    page = words(done)
    assert WARNING in page
    assert "2 Mar 2026, 12:00 EST" in page
    assert "30.0 %" in page  # 1,500.00 of 5,000.00
    order = re.findall(rf"({'|'.join(NAMES)}) Recoveries", page)
    assert order == ["Elm", "Damson", "Cedar", "Birch", "Alder"]
    assert "$500.00 of $1,000.00" in page
    assert "Too little data for intervals" in page
    sorted_page = words(manager.get("/ranking/?currency=USD&sort=agency_name"))
    assert re.findall(rf"({'|'.join(NAMES)}) Recoveries", sorted_page) == list(NAMES)


def test_a_chart_says_who_stands_out_and_leaves_out_who_cannot(bank, houses):
    house = world.make_agency("Fir Recoveries")
    world.join_panel(bank, house)
    for loan in place(bank, house, *[100_00] * 40):
        world.recover(bank, house, loan, 90_00)
    compute(bank)
    page = person(bank, "auditor").get("/ranking/")
    # 5,100.00 of 9,000.00 in all, and every loan of Fir paid 90 %.
    assert "1 above the panel, 0 below; the other 5 cannot be told apart" in words(page)
    assert "5 agencies with too little data are left out." in words(page)
    (trace,) = figure(page)["data"]
    assert (trace["y"], trace["x"]) == (["Fir Recoveries"], [90.0])
    assert "Compute now" not in words(page)


def test_no_rival_is_anywhere_in_an_agencys_page(bank, houses):
    compute(bank)
    for name, house in houses.items():
        page = person(house, "agency_administrator").get("/ranking/")
        text = page.content.decode()
        assert WARNING in words(page)
        assert "Your success rate" in words(page)
        for rival, other in houses.items():
            if rival != name:
                assert rival not in text
                assert str(other.agency.pk) not in text
        assert "Compute now" not in text
        assert person(house, "collector").get("/ranking/").status_code == 403


def test_an_agency_finds_itself_in_the_field(bank, houses):
    for number, house in enumerate(houses.values()):
        for loan in place(bank, house, *[100_00] * 40):
            world.recover(bank, house, loan, (number + 1) * 10_00)
    compute(bank)
    page = person(houses["Damson"], "agency_administrator").get("/ranking/")
    assert "You are 2 of 5" in words(page)
    (trace,) = figure(page)["data"]
    assert trace["y"] == ["Agency 1", "You", "Agency 3", "Agency 4", "Agency 5"]
    assert trace["x"] == [50.0, 40.0, 30.0, 20.0, 10.0]
    assert "40.0 %" in words(page)


def test_in_a_small_field_an_agency_sees_itself_alone(bank, houses):
    (loan,) = place(bank, houses["Elm"], 400_00, currency="EUR")
    place(bank, houses["Cedar"], 600_00, currency="EUR")
    world.recover(bank, houses["Elm"], loan, 100_00)
    compute(bank, "EUR")
    page = person(houses["Elm"], "agency_administrator").get("/ranking/?currency=EUR")
    assert "The field is too small to be shown" in words(page)
    assert "25.0 %" in words(page)
    assert "10.0 %" not in words(page)  # all together
    assert "chart-drawing" not in page.content.decode()


def test_only_a_vendor_manager_computes_and_nothing_is_computed_of_nothing(bank, houses):
    for role in ("auditor", "compliance_officer", "finance_preparer"):
        assert person(bank, role).post("/ranking/compute/").status_code == 403
    manager = person(bank, "vendor_manager")
    assert manager.get("/ranking/compute/").status_code == 405
    refused = manager.post("/ranking/compute/", {"currency": "JPY"}, follow=True)
    assert "Nothing was ever placed in this currency." in words(refused)
    with scope(bank.actor("auditor")):
        assert not Ranking.objects.exists()
    empty = person(world.make_bank(), "vendor_manager").get("/ranking/")
    assert "There is nothing to rank yet" in words(empty)
