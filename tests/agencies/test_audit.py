"""The audit trail: what one may read of it, by page and by GraphQL."""

import re

import pytest

from agencies import audit, selectors
from agencies.models import AuditEntry
from agencies.scope import scope
from frontend import trail
from frontend.templatetags import fairplace
from frontend.views import audit as trail_page
from tests import world
from tests.agencies import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def house():
    return world.make_agency()


def actions(actor) -> list:
    with scope(actor):
        rows = selectors.visible_audit_entries(actor).order_by("pk")
        return list(rows.values_list("action", flat=True))


def test_each_side_reads_its_own_entries(bank, house):
    rival = world.make_agency()
    world.join_panel(bank, house)
    world.join_panel(bank, rival)
    portfolio = world.make_portfolio(bank, balances_minor=[100])
    placement = world.place(bank, house, portfolio)
    assert "placement.open" in actions(bank.actor("auditor"))
    assert actions(bank.actor("auditor")).count("panel.approve") == 2
    assert actions(house.actor()) == ["panel.apply", "panel.approve", "placement.open"]
    assert actions(rival.actor()) == ["panel.apply", "panel.approve"]
    assert actions(world.make_bank().actor("auditor")) == []
    with scope(house.actor()) as actor:
        told = selectors.timeline_of(actor, placement)
        assert [entry.action for entry in told] == ["placement.open"]
    with scope(rival.actor()) as actor:
        assert not selectors.timeline_of(actor, placement).exists()


def test_an_entry_about_a_placement_goes_with_it(bank, house):
    membership = world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100]))
    officer = over_http.log_in(bank.users["compliance_officer"])
    officer.post(f"/panel/{membership.pk}/suspend/", {"reason": "Complaints pile up"})
    assert actions(house.actor()) == ["panel.apply", "panel.approve", "panel.suspend"]
    assert "placement.open" in actions(bank.actor("auditor"))


def test_a_sealed_entry_waits(bank, house, clock):
    membership = world.join_panel(bank, house)
    sealed_until = clock.now().replace(year=clock.now().year + 1)
    with scope(house.actor()) as actor:
        audit.record(
            actor,
            "bid.submit",
            membership,
            institution_id=bank.institution.pk,
            sealed_until=sealed_until,
        )
    assert "bid.submit" in actions(house.actor())
    assert "bid.submit" not in actions(bank.actor("auditor"))
    with scope(bank.actor("auditor")):
        assert not AuditEntry.objects.filter(action="bid.submit").exists()
    page = over_http.log_in(bank.users["auditor"])
    assert "submitted a bid" not in page.get("/audit/").content.decode()
    clock.set(sealed_until)
    assert "submitted a bid" in page.get("/audit/").content.decode()


def test_filters_are_in_the_address(bank, house):
    membership = world.join_panel(bank, house)
    browser = over_http.log_in(bank.users["administrator"])
    browser.post(
        f"/people/{bank.users['auditor'].pk}/role/",
        {"role": "vendor_manager", "reason": "Moves on"},
    )

    def found(query: str) -> list:
        page = browser.get(f"/audit/?{query}").content.decode()
        return re.findall(r'data-label="What">([^<]*)</td>', page)

    applied, admitted = "applied for a place on the panel", "admitted the agency to the panel"
    assert found("") == ["changed the role", admitted, applied]
    assert found("subject=panel") == [admitted, applied]
    assert found(f"object={membership.pk}") == [admitted, applied]
    assert found("who=compliance") == [admitted]
    assert found("until=2001-01-01") == []
    assert found("since=2001-01-01&sort=at") == [applied, admitted, "changed the role"]
    assert browser.get("/audit/?object=1&since=soon").status_code == 200


def test_the_day_of_a_filter_is_the_banks_own(house, clock):
    bank = world.make_bank(time_zone="Asia/Shanghai")
    clock.set(clock.now().replace(month=3, day=1, hour=20, minute=0))
    year = clock.now().year
    world.join_panel(bank, house)
    browser = over_http.log_in(bank.users["auditor"])

    def count(day: str) -> int:
        page = browser.get(f"/audit/?since={day}&until={day}").content.decode()
        return page.count('data-label="What"')

    assert count(f"{year}-03-01") == 0
    assert count(f"{year}-03-02") == 2


def test_denials_are_for_compliance_and_auditors(bank):
    manager = over_http.log_in(bank.users["vendor_manager"])
    assert manager.get("/audit/refusals/").status_code == 403
    query = "{ denials(first: 5) { edges { node { operation code } } } }"
    refused = over_http.ask(query, browser=manager).json()
    assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    auditor = over_http.log_in(bank.users["auditor"])
    assert "denials" in auditor.get("/audit/refusals/").content.decode()
    listed = over_http.ask(query, browser=auditor).json()["data"]["denials"]["edges"]
    assert [edge["node"] for edge in listed] == [
        {"operation": "Query.denials", "code": "NOT_ALLOWED"},
        {"operation": "denials", "code": "NOT_ALLOWED"},
    ]


def test_a_refusal_is_kept_when_the_work_is_undone(bank, house):
    browser = over_http.log_in(house.users["agency_administrator"])
    query = 'mutation { membershipApprove(input: {membershipId: "x", reason: "y"}) {'
    query += " errors { code } } }"
    answer = over_http.ask(query, browser=browser).json()
    assert answer["data"]["membershipApprove"]["errors"] == [{"code": "NOT_ALLOWED"}]
    with scope(house.actor()) as actor:
        kept = selectors.visible_denials(actor).values_list("operation", "code")
        assert list(kept) == [("Mutation.membershipApprove", "NOT_ALLOWED")]


def test_every_action_has_a_drawing_and_a_filter():
    beginnings = {beginning for found in trail_page.SUBJECTS.values() for beginning in found}
    for action, (_words, icon, _tone) in trail.WORDS.items():
        assert "<svg" in fairplace.icon(icon)
        assert action.partition(".")[0] in beginnings
