"""Pages of the ranking: the panel and its cards for the bank, and for an agency no rival."""

import base64
import csv
import datetime
import html
import io
import json
import re
import struct

import pytest

from agencies.scope import scope
from marketplace.models import RankingRun
from marketplace.services import rankings
from portfolios.models import Loan
from tests import world
from tests.portfolios.over_http import person, words

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


def figures(response) -> list[dict]:
    """The data of the page's charts, as the browser gets them."""
    found = re.findall(r'data-figure="([^"]*)"', response.content.decode())
    return [json.loads(html.unescape(one)) for one in found]


def carried(data) -> list:
    """Every number and text in a figure, those too that Plotly sends as bytes."""
    if isinstance(data, dict):
        if "bdata" in data:
            raw = base64.b64decode(data["bdata"])
            size = int(data["dtype"][1:]) if data["dtype"][1:].isdigit() else 8
            return [number for (number,) in struct.iter_unpack(f"<{'fd'[size == 8]}", raw)]
        return [one for value in data.values() for one in carried(value)]
    if isinstance(data, list):
        return [one for value in data for one in carried(value)]
    return [data]


def place(bank, house, *balances_minor, currency="USD"):
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("balance_minor"))


def compute(bank, currency="USD"):
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency=currency)


@pytest.fixture
def houses(bank, clock):
    """Five agencies with 60 loans of 1,000.00, of which 6, 12, 18, 24 and 30 paid about 100.00."""
    made = {}
    for number, name in enumerate(NAMES, 1):
        made[name] = world.make_agency(f"{name} Recoveries")
        world.join_panel(bank, made[name])
        paying = place(bank, made[name], *[1000_00] * 60)[: 6 * number]
        world.recover_each(bank, made[name], paying, 100_00 + 7 * number)
    clock.set(NOON + datetime.timedelta(days=100))
    return made


def test_the_bank_reads_the_panel(bank, houses):
    manager = person(bank, "vendor_manager")
    assert "Nothing was ranked yet" in words(manager.get("/ranking/"))
    done = manager.post("/ranking/compute/", {"currency": "USD"}, follow=True)
    page = words(done)
    assert "Computed with everything confirmed until now." in page
    assert "Adjusted for recorded differences only" in page
    assert "10 Jun 2026, 13:00 EDT" in page
    assert "version 1, the last 12 months" in page
    table = page[page.index("Against an average agency") :]
    assert re.findall(rf"({'|'.join(NAMES)}) Recoveries", table)[:5] == list(NAMES[::-1])
    assert "5.0 % place 1 by it" in page  # 3,010.50 of 60,000.00
    by_name = words(manager.get("/ranking/?currency=USD&sort=agency"))
    table = by_name[by_name.index("Against an average agency") :]
    assert re.findall(rf"({'|'.join(NAMES)}) Recoveries", table)[:5] == list(NAMES)
    caterpillar, funnel = figures(done)
    assert {"Alder Recoveries", "Elm Recoveries"} <= set(map(str, carried(caterpillar)))
    assert "bdata" not in json.dumps(funnel)
    auditor = words(person(bank, "auditor").get("/ranking/"))
    assert "Compute now" not in auditor


def test_the_bank_opens_an_agencys_card(bank, houses):
    run = compute(bank)
    auditor = person(bank, "auditor")
    with scope(bank.actor("auditor")):
        card = f"/ranking/scores/{run.scores.get(agency=houses['Elm'].agency).pk}/"
    assert card in auditor.get("/ranking/").content.decode()
    page = auditor.get(card)
    text = words(page)
    assert "Elm Recoveries" in text
    assert "$3,010.50 came in, $1,804.62 were expected." in text
    # 3,010.50 ÷ 60,000.00 is 5.02 % against 3.01 % in all; everybody had the same loans.
    assert re.search(
        r"1\.67× raw rate .* 1\.00× as long .* 1\.00× as easy .* 1\.67× performance", text
    )
    assert "5.0 % after 4 months on book, where 3.0 % were expected" in text
    assert "personal loan · 181–365 days · C · $1K–$2.5K · never placed before" in text
    pack = auditor.get(re.search(r'href="([^"]*\.csv)"', page.content.decode()).group(1))
    rows = list(csv.DictReader(io.StringIO(pack.content.decode("utf-8-sig"))))
    assert sum(int(row["cash_minor"]) for row in rows) == 3_010_50
    assert auditor.get(f"/ranking/scores/{run.pk}/").status_code == 404
    other = person(world.make_bank(), "auditor")
    assert other.get(card).status_code == 404
    assert other.get(f"{card}cells.csv").status_code == 404


def test_no_rival_is_anywhere_in_an_agencys_page(bank, houses):
    run = compute(bank)
    with scope(bank.actor("auditor")):
        exact = {
            score.agency.name.split()[0]: (score.index, score.observed_minor, score.pk)
            for score in run.scores.select_related("agency")
        }
    for name, house in houses.items():
        me = person(house, "agency_administrator")
        page = me.get("/ranking/")
        text = page.content.decode()
        assert "what an average agency would have on the same loans" in words(page)
        assert "Compute now" not in text
        for rival, other in houses.items():
            if rival == name:
                continue
            assert rival not in text
            assert str(other.agency.pk) not in text
            numbers = [one for figure in figures(page) for one in carried(figure)]
            assert exact[rival][0] not in numbers
            assert f"{exact[rival][1] / 100:,.2f}" not in words(page)
            assert str(exact[rival][2]) not in text
            assert me.get(f"/ranking/scores/{exact[rival][2]}/cells.csv").status_code == 404
            assert me.get(f"/ranking/scores/{exact[rival][2]}/").status_code == 403
        assert me.get(f"/ranking/scores/{exact[name][2]}/cells.csv").status_code == 200
        assert person(house, "collector").get("/ranking/").status_code == 403


def test_an_agency_finds_itself_in_the_field(bank, houses):
    compute(bank)
    page = person(houses["Damson"], "agency_administrator").get("/ranking/")
    assert "You among 5 agencies" in words(page)
    field = figures(page)[-1]
    told = {one for one in carried(field) if isinstance(one, str)}
    assert {"Agency 1", "You", "Agency 3", "Agency 4", "Agency 5"} <= told


def test_where_nothing_came_in_there_is_nothing_to_compare(bank, houses, clock):
    for house in houses.values():
        place(bank, house, *[400_00] * 5, currency="EUR")
    clock.advance(days=20)
    run = compute(bank, "EUR")
    with scope(bank.actor("auditor")):
        score = run.scores.get(agency=houses["Elm"].agency)
    page = words(person(bank, "auditor").get(f"/ranking/scores/{score.pk}/"))
    assert "Nothing has come in on loans like these yet: there is nothing to compare." in page
    assert "what an average agency would have on the same loans;" not in page
    own = person(houses["Elm"], "agency_administrator").get("/ranking/?currency=EUR")
    assert "there is nothing to compare" in words(own)


def test_what_moved_is_told_with_a_word_on_noise(bank, houses, clock):
    compute(bank)
    clock.advance(days=30)
    with scope(bank.actor("auditor")):
        loans = list(Loan.objects.filter(agency=houses["Alder"].agency).order_by("pk"))
    for loan in loans:
        day = datetime.date(2026, 6, 20)
        world.recover(bank, houses["Alder"], loan, 200_00, value_on=day)
    clock.advance(days=1)
    compute(bank)
    page = words(person(bank, "auditor").get("/ranking/"))
    assert "before: better, more than noise" in page
    alder = words(person(houses["Alder"], "agency_administrator").get("/ranking/"))
    assert "better, more than noise" in alder


def test_in_a_small_field_an_agency_sees_itself_alone(bank, houses, clock):
    (loan,) = place(bank, houses["Elm"], 400_00, currency="EUR")
    place(bank, houses["Cedar"], 600_00, currency="EUR")
    clock.advance(days=20)
    world.recover(bank, houses["Elm"], loan, 100_00, value_on=clock.now().date())
    clock.advance(days=20)
    compute(bank, "EUR")
    page = person(houses["Elm"], "agency_administrator").get("/ranking/?currency=EUR")
    assert "The field is too small to be shown" in words(page)
    assert not re.search(r"\bPlace\b", words(page))
    # What was expected, less what came in, is what the other one did.
    assert "$" not in words(page)
    assert "€" not in words(page)
    assert figures(page) == []
    assert "cells.csv" not in page.content.decode()


def test_a_choice_of_loans_or_days_is_ranked_on_its_own(bank, houses):
    manager = person(bank, "vendor_manager")
    manager.post("/ranking/compute/", {"currency": "USD"})
    with scope(bank.actor("auditor")):
        elm = Loan.objects.filter(agency=houses["Elm"].agency).first().portfolio
    page = manager.get(f"/ranking/?currency=USD&portfolio={elm.pk}")
    assert "This choice was not ranked yet" in words(page)
    assert f'name="portfolio" value="{elm.pk}"' in page.content.decode()
    done = manager.post(
        "/ranking/compute/", {"currency": "USD", "portfolio": str(elm.pk)}, follow=True
    )
    table = words(done)[words(done).index("Against an average agency") :]
    assert re.findall(rf"({'|'.join(NAMES)}) Recoveries", table)[0] == "Elm"
    assert "Alder Recoveries" not in table
    days = {"days_after": "2026-03-02", "days_before": "2026-04-30"}
    done = manager.post("/ranking/compute/", {"currency": "USD", **days}, follow=True)
    assert "2 Mar 2026 – 30 Apr 2026" in words(done)
    refused = manager.post(
        "/ranking/compute/", {"currency": "USD", **days, "days_before": ""}, follow=True
    )
    assert "Say both days of the period, or neither." in words(refused)
    assert refused.context["filterset"].form["days"].value()
    # What is no choice of this bank's is none at all.
    strange = manager.get(f"/ranking/?currency=USD&portfolio={houses['Elm'].agency.pk}")
    assert strange.status_code == 200
    assert "Select a valid choice" in words(strange)


def test_only_a_vendor_manager_computes_and_nothing_is_computed_of_nothing(bank, houses):
    for role in ("auditor", "compliance_officer", "finance_preparer"):
        assert person(bank, role).post("/ranking/compute/").status_code == 403
    manager = person(bank, "vendor_manager")
    assert manager.get("/ranking/compute/").status_code == 405
    refused = manager.post("/ranking/compute/", {"currency": "JPY"}, follow=True)
    assert "No loan was with an agency long enough to be compared." in words(refused)
    unknown = manager.post("/ranking/compute/", {"currency": "gold"}, follow=True)
    assert "The currency is not a code of ISO 4217" in words(unknown)
    with scope(bank.actor("auditor")):
        assert not RankingRun.objects.exists()
    empty = person(world.make_bank(), "vendor_manager").get("/ranking/")
    assert "There is nothing to rank yet" in words(empty)
