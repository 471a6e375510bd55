"""Portfolios: made as drafts, and described by what is in them."""

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from portfolios.models import Loan, Portfolio
from portfolios.services import portfolios
from portfolios.services.portfolios import Band, Group
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": " Spring 2026 ",
    "currency": "usd",
    "jurisdiction": "us-ny",
    "product": "credit card",
}


def test_a_vendor_manager_makes_a_draft():
    bank = world.make_bank()
    with scope(bank.actor("vendor_manager")) as actor:
        made = portfolios.create(actor=actor, **FIELDS)
        made.refresh_from_db()
        assert (made.name, made.currency, made.jurisdiction, made.product, made.state) == (
            "Spring 2026",
            "USD",
            "US-NY",
            "credit card",
            "draft",
        )
        assert made.institution == bank.institution
        entry = AuditEntry.objects.get(object_id=made.pk)
        assert (entry.action, entry.actor_id) == ("portfolio.create", actor.user_id)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": "  "}, "REQUIRED", "name"),
        ({"name": "x" * 121}, "TOO_LONG", "name"),
        ({"name": "Taken"}, "NAME_TAKEN", "name"),
        ({"currency": "XTS"}, "UNKNOWN_CURRENCY", "currency"),
        ({"currency": ""}, "UNKNOWN_CURRENCY", "currency"),
        ({"jurisdiction": "New York"}, "UNKNOWN_JURISDICTION", "jurisdiction"),
        ({"product": ""}, "REQUIRED", "product"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_makes_nothing(change, code, field):
    bank = world.make_bank()
    with scope(bank.actor("vendor_manager")) as actor:
        portfolios.create(actor=actor, **FIELDS | {"name": "Taken"})
        with pytest.raises(errors.InvalidInput) as refused:
            portfolios.create(actor=actor, **FIELDS | change)
        assert (refused.value.code, refused.value.field) == (code, field)
        assert [portfolio.name for portfolio in Portfolio.objects.all()] == ["Taken"]
        assert AuditEntry.objects.filter(action="portfolio.create").count() == 1


def test_two_banks_may_use_one_name_and_see_only_their_own():
    first, second = world.make_bank(), world.make_bank()
    for bank in (first, second):
        with scope(bank.actor("vendor_manager")) as actor:
            portfolios.create(actor=actor, **FIELDS)
            assert Portfolio.objects.count() == 1


@pytest.mark.parametrize("role", ["administrator", "auditor", "finance_preparer"])
def test_other_roles_make_none(role):
    bank = world.make_bank()
    with scope(bank.actor(role)) as actor:
        with pytest.raises(errors.NotAllowed):
            portfolios.create(actor=actor, **FIELDS)
        assert not Portfolio.objects.exists()


def test_the_composition_of_a_portfolio():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    made = world.make_portfolio(bank, balances_minor=[150_00, 199_99, 200_00, 5_000_00])
    world.place(bank, house, made)
    world.make_portfolio(bank, balances_minor=[1_00])
    with scope(bank.actor("vendor_manager")):
        loans = Loan.objects.filter(portfolio=made)
        largest = loans.get(balance_minor=5_000_00)
        Loan.objects.filter(pk=largest.pk).update(
            region="CA", grade="", is_on_hold=True, days_past_due=29
        )
        found = portfolios.composition(loans)
    assert (found.loan_count, found.balance_minor) == (4, 5_549_99)
    assert (found.placed_count, found.placed_minor, found.on_hold_count) == (4, 5_549_99, 1)
    assert found.by_balance == [
        Band(100_00, 200_00, 2, 349_99),
        Band(200_00, 500_00, 1, 200_00),
        Band(500_00, 1_000_00, 0, 0),
        Band(1_000_00, 2_000_00, 0, 0),
        Band(2_000_00, 5_000_00, 0, 0),
        Band(5_000_00, 10_000_00, 1, 5_000_00),
    ]
    assert [(band.lower, band.loan_count) for band in found.by_days_past_due] == [
        (0, 1),
        (30, 0),
        (60, 0),
        (90, 0),
        (180, 3),
    ]
    assert found.by_region == [Group("NY", 3, 549_99), Group("CA", 1, 5_000_00)]
    assert found.by_grade == [Group("C", 3, 549_99), Group("", 1, 5_000_00)]


def test_the_composition_of_nothing():
    bank = world.make_bank()
    with scope(bank.actor("auditor")):
        found = portfolios.composition(Loan.objects.all())
    assert (found.loan_count, found.balance_minor, found.by_balance) == (0, 0, [])


def test_regions_beyond_twelve_are_put_together():
    bank = world.make_bank()
    made = world.make_portfolio(bank, balances_minor=[100] * 15)
    with scope(bank.actor("vendor_manager")):
        for number, loan in enumerate(Loan.objects.filter(portfolio=made).order_by("reference")):
            Loan.objects.filter(pk=loan.pk).update(region=f"R{number:02}")
        found = portfolios.composition(Loan.objects.filter(portfolio=made))
    assert len(found.by_region) == 13
    assert found.by_region[-1] == Group(None, 3, 300)


def test_a_portfolio_over_graphql():
    bank, rival = world.make_bank(), world.make_bank()
    manager = over_http.person(bank, "vendor_manager")
    made = over_http.do(manager, "portfolioCreate", "portfolio { id name state }", **FIELDS)
    assert made["errors"] == []
    portfolio = made["portfolio"]
    assert (portfolio["name"], portfolio["state"]) == ("Spring 2026", "DRAFT")
    again = over_http.do(manager, "portfolioCreate", "portfolio { id }", **FIELDS)
    assert again["portfolio"] is None
    assert [(e["code"], e["field"]) for e in again["errors"]] == [("NAME_TAKEN", "name")]
    one = "query($id: ID!) { portfolio(id: $id) { composition { loanCount byGrade { name } } } }"
    assert over_http.ask(manager, one, id=portfolio["id"]) == {
        "portfolio": {"composition": {"loanCount": 0, "byGrade": []}}
    }
    other = over_http.person(rival, "vendor_manager")
    assert over_http.ask(other, one, id=portfolio["id"]) == {"portfolio": None}


def test_a_portfolio_on_pages():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    manager = over_http.person(bank, "vendor_manager")
    assert "No portfolio yet" in manager.get("/portfolios/").content.decode()
    refused = manager.post("/portfolios/new/", FIELDS | {"currency": "USD", "jurisdiction": "?"})
    assert refused.status_code == 422
    assert "Give a country or a part of one" in refused.content.decode()
    assert "credit card" in refused.content.decode()
    made = manager.post("/portfolios/new/", FIELDS | {"currency": "USD"})
    assert made.status_code == 302
    full = world.make_portfolio(bank, balances_minor=[150_00, 250_00])
    world.place(bank, house, full)
    listed = manager.get("/portfolios/?sort=-loan_count").content.decode()
    assert listed.index(full.name) < listed.index("Spring 2026")
    assert "1 row" in manager.get("/portfolios/?state=draft&text=spring").content.decode()
    for role in ("vendor_manager", "auditor"):
        page = over_http.person(bank, role).get(f"/portfolios/{full.pk}/")
        assert page.status_code == 200
        assert "of the loans owe" in page.content.decode()
    assert over_http.person(bank, "auditor").get("/portfolios/new/").status_code == 403
    assert over_http.person(house, "collector").get("/portfolios/").status_code == 403
    stranger = over_http.person(world.make_bank(), "vendor_manager")
    assert stranger.get(f"/portfolios/{full.pk}/").status_code == 404
