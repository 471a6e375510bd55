"""The first page: for visitors, and for people what waits for them."""

import pytest
from django.test import Client

from frontend import work
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db


def test_visitors_learn_what_this_is():
    page = Client().get("/")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'href="/accounts/login/"' in text
    assert 'href="/register/"' in text


@pytest.mark.parametrize("role", [role.value for role in world.INSTITUTION_ROLES])
def test_each_role_of_a_bank_has_a_home(role):
    bank = world.make_bank()
    page = over_http.log_in(bank.users[role]).get("/")
    assert page.status_code == 200
    assert "What to do now" in page.content.decode()


@pytest.mark.parametrize("role", [role.value for role in world.AGENCY_ROLES])
def test_each_role_of_an_agency_has_a_home(role):
    house = world.make_agency()
    page = over_http.log_in(house.users[role]).get("/")
    assert page.status_code == 200
    assert "What to do now" in page.content.decode()


def test_what_waits_is_counted_and_goes_away_when_it_is_done():
    bank, house = world.make_bank(), world.make_agency()
    agency = over_http.log_in(house.users["agency_administrator"])
    officer = over_http.log_in(bank.users["compliance_officer"])
    assert "Apply to a bank" in agency.get("/").content.decode()
    assert "to decide" not in officer.get("/").content.decode()
    agency.post(
        f"/institutions/{bank.institution.pk}/apply/",
        {"licence_number": "N-1", "jurisdictions": "US-NY", "capacity_loans": "5"},
    )
    assert "Apply to a bank" not in agency.get("/").content.decode()
    assert "1 application to decide" in officer.get("/").content.decode()
    auditor = over_http.log_in(bank.users["auditor"]).get("/").content.decode()
    assert "application to decide" not in auditor
    assert house.agency.name in auditor, "what happened lately names who it is about"


def test_what_happened_lately_leads_to_what_it_is_about():
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100]))
    for user in (bank.users["vendor_manager"], house.users["collector"]):
        page = over_http.log_in(user).get("/").content.decode()
        assert f'<a href="/placements/{placement.pk}/">{placement.title}</a>' in page
    administrator = over_http.log_in(bank.users["administrator"])
    approver = bank.users["finance_approver"]
    url = f"/people/{approver.pk}/"
    administrator.post(f"{url}deactivate/", {"reason": "Has left us"})
    assert f'<a href="{url}">{approver.name}</a>' in administrator.get("/").content.decode()
    auditor = over_http.log_in(bank.users["auditor"]).get("/").content.decode()
    assert f"deactivated this person: {approver.name}" in auditor
    assert url not in auditor, "that page is not theirs"


def test_titles_of_items():
    counted = work.Item(label="loans", count=1200, url="/")
    step = work.Item(label="Apply", count=1, url="/", is_counted=False)
    assert (counted.title, step.title) == ("1,200 loans", "Apply")
