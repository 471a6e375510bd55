"""The page of success by means, as the bank and as agencies read it."""

import html
import json
import re

import pytest
from django.test import Client

from agencies.scope import scope
from portfolios.services import holds
from tests import world
from tests.portfolios import over_http, working
from tests.portfolios.over_http import person, words
from tests.portfolios.working import at, contact, pay, promise

pytestmark = pytest.mark.django_db

PLACED, TODAY = "2026-01-05", "2026-03-02"


def figure(answer) -> dict:
    found = re.search(r'data-figure="([^"]*)"', answer.content.decode())
    return json.loads(html.unescape(found[1]))


@pytest.fixture
def rival(bank):
    made = world.make_agency("Rival Recoveries")
    world.join_panel(bank, made)
    return made


@pytest.fixture
def worked(bank, house, rival, clock):
    """60.00 after a negotiation of the house's, 20.00 of the rival's that came by themselves."""
    clock.set(at(PLACED))
    first, second = working.loans(bank, house, 100_00, 300_00)
    (other,) = working.loans(bank, rival, 500_00)
    contact(house, first, "negotiation", "2026-01-10")
    contact(house, second, "notice", "2026-02-25")
    promise(house, first, 60_00, "2026-01-20", logged="2026-01-10")
    promise(house, second, 60_00, "2026-01-20", logged="2026-01-10")
    pay(bank, house, first, 60_00, "2026-01-20")
    pay(bank, rival, other, 20_00, "2026-01-20")
    clock.set(at(TODAY))
    return first, second, other


def test_the_bank_reads_the_sum_and_every_agency(bank, house, rival, worked):
    page = person(bank, "vendor_manager").get("/means/")
    text = words(page)
    assert "Confirmed net $80.00" in text
    assert "Promises kept 50.0 % 1 kept, 1 broken, 0 open, 0 lapsed" in text
    assert "Plans alive after 3 · 6 months – · – 0 of 0 · 0 of 0; 0 signed" in text
    assert (
        "Touched in 7 · 30 days 33.3 % · 33.3 %"
        " of 3 loans, without 0 on hold; longest untouched 56 days" in text
    )
    assert "Which loans are worked Too few loans to say" in text
    assert "75 % followed one measure: Negotiation" in text
    (bars,) = figure(page)["data"]
    assert (bars["x"], bars["y"]) == (["Negotiation", "None within 30 days"], [60.0, 20.0])
    # Tried on one loan of 100.00, and 60.00 of it came back.
    assert "Negotiation 1 $100.00 1 $60.00 60.0 %" in text
    assert "None within 30 days — — 1 $20.00 —" in text
    assert "180–364 days $0.00 0.0 % $60.00 60.0 % $20.00" in text
    assert "Rival Recoveries" in text
    assert f"{house.agency.name} $0.00 0.0 % $60.00 60.0 %" in text
    assert "As of 2 Mar 2026 ; days are business days in America/New_York." in text


def test_one_agency_or_one_portfolio_can_be_looked_at(bank, rival, worked):
    auditor = person(bank, "auditor")
    alone = words(auditor.get(f"/means/?agency={rival.agency.pk}"))
    assert "Confirmed net $20.00" in alone
    assert "Negotiation 1" not in alone
    portfolio = worked[0].portfolio_id
    narrowed = words(auditor.get(f"/means/?portfolio={portfolio}"))
    assert "Confirmed net $60.00" in narrowed
    assert "None within 30 days — —" not in narrowed
    foreign = world.make_portfolio(world.make_bank(), balances_minor=[1_00])
    unknown = auditor.get(f"/means/?portfolio={foreign.pk}")
    assert "Select a valid choice" in words(unknown)
    assert "Confirmed net $80.00" in words(unknown)


def test_nothing_of_a_rival_is_on_an_agencys_page(bank, house, rival, worked):
    page = person(rival, "agency_administrator").get(f"/means/?agency={house.agency.pk}")
    text = words(page)
    assert "Confirmed net $20.00" in text
    assert "You see your placements that are live now" in text
    assert "None within 30 days — — 1 $20.00 —" in text
    shown = page.content.decode().replace(f"?agency={house.agency.pk}", "") + text
    for foreign in (house.agency.name, str(house.agency.pk), "$60.00", "$80.00", "Negotiation 1"):
        assert foreign not in shown
    assert person(rival, "collector").get("/means/").status_code == 403
    assert person(bank, "finance_preparer").get("/means/").status_code == 403
    assert Client().get("/means/").status_code == 302


def test_without_work_it_says_so(bank, house, clock):
    assert "There is nothing to count yet" in words(person(bank, "auditor").get("/means/"))
    clock.set(at(PLACED))
    working.loans(bank, house, 100_00)
    text = words(person(bank, "auditor").get("/means/"))
    assert "Nothing was tried yet" in text
    assert "Confirmed net $0.00" in text
    assert "chart-drawing" not in text


def test_a_loan_on_hold_is_left_out_of_coverage(bank, worked):
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=worked[2].pk, kind="dispute", reason="Disputed")
    text = words(person(bank, "compliance_officer").get("/means/"))
    assert "50.0 % · 50.0 % of 2 loans, without 1 on hold; longest untouched 51 days" in text


def test_an_agency_of_two_banks_has_a_tab_for_each(house, worked):
    other = world.make_bank("Zebra Bank")
    world.join_panel(other, house)
    working.loans(other, house, 900_00)
    client = person(house, "agency_administrator")
    assert "Zebra Bank · USD" in words(client.get("/means/"))
    there = words(client.get(f"/means/?institution={other.institution.pk}&currency=USD"))
    assert "Confirmed net $0.00" in there
    assert "0.0 % · 0.0 % of 1 loan, without 0 on hold" in there


@pytest.mark.parametrize("loans", [3, 30])
def test_it_costs_the_same_however_many_loans(
    bank, house, rival, worked, loans, django_assert_max_num_queries
):
    for loan in working.loans(bank, house, *[100_00] * loans):
        contact(house, loan, "visit", "2026-02-20")
        promise(house, loan, 10_00, "2026-03-20", logged="2026-02-20")
    for role, people in (("vendor_manager", bank), ("agency_administrator", house)):
        client = person(people, role)
        with django_assert_max_num_queries(40):
            assert f"of {loans + 3 - (people is house)} loans" in words(client.get("/means/"))


def test_it_is_read_in_chinese(bank, worked):
    client = person(bank, "auditor")
    client.cookies["django_language"] = "zh-hans"
    page = words(client.get("/means/"))
    assert "清收成效" in page
    assert "75 % 的回款来自同一手段：协商" in page


def test_the_api_costs_the_same_too(bank, worked, django_assert_max_num_queries):
    query = '{ successByMeans(currency: "USD") { agencies { agencyName coverage { loanCount } } } }'
    client = person(bank, "auditor")
    with django_assert_max_num_queries(40):
        found = over_http.ask(client, query)["successByMeans"]["agencies"]
    assert sorted(row["coverage"]["loanCount"] for row in found) == [1, 2]
