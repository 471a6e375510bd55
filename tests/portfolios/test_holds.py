"""Holds: collection paused with a reason, and released with one."""

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from portfolios.models import Hold, Loan
from portfolios.services import holds, placements
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


@pytest.fixture
def loan(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")):
        return Loan.objects.get()


def is_on_hold(house) -> bool:
    with scope(house.actor()):
        return Loan.objects.get().is_on_hold


def test_a_hold_is_seen_by_the_agency_and_released(bank, house, loan):
    client = over_http.person(bank, "compliance_officer")
    given = {"loanId": loan.pk, "kind": "DISPUTE", "reason": "Says it was paid"}
    opened = over_http.do(client, "loanHold", "hold { id kind } loan { isOnHold }", **given)
    assert opened["errors"] == []
    assert opened["hold"]["kind"] == "DISPUTE"
    assert opened["loan"] == {"isOnHold": True}
    assert is_on_hold(house)
    with scope(house.actor()):
        assert not Hold.objects.exists()
        entry = AuditEntry.objects.get(action="loan.hold")
        assert (entry.object_id, entry.reason) == (loan.pk, "Says it was paid")

    released = over_http.do(
        client, "loanRelease", "loan { isOnHold }", holdId=opened["hold"]["id"], reason="Not paid"
    )
    assert released == {"loan": {"isOnHold": False}, "errors": []}
    assert not is_on_hold(house)
    again = over_http.do(
        client, "loanRelease", "loan { isOnHold }", holdId=opened["hold"]["id"], reason="Not paid"
    )
    assert again["errors"][0]["code"] == "NOT_OPEN"


def test_two_holds_and_only_the_last_release_lets_collection_go_on(bank, house, loan):
    with scope(bank.actor("vendor_manager")) as actor:
        first = holds.open_hold(actor=actor, loan_id=loan.pk, kind="dispute", reason="First")
        second = holds.open_hold(actor=actor, loan_id=loan.pk, kind="other", reason="Second")
        holds.release(actor=actor, hold_id=first.pk, reason="Settled")
        assert Loan.objects.get().is_on_hold
        holds.release(actor=actor, hold_id=second.pk, reason="Settled")
        assert not Loan.objects.get().is_on_hold


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": " "}, "REQUIRED"),
        ({"kind": "complaint"}, "UNKNOWN_CHOICE"),
        ({"kind": "mood"}, "UNKNOWN_CHOICE"),
    ],
)
def test_a_hold_needs_a_reason_and_a_kind(bank, loan, change, code):
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput, match=code):
            holds.open_hold(
                **{"actor": actor, "loan_id": loan.pk, "kind": "other", "reason": "x"} | change
            )
        assert not Hold.objects.exists()
        assert not Loan.objects.get().is_on_hold


def test_others_cannot_hold_or_release(bank, house, loan):
    rival = world.make_bank()
    with scope(bank.actor("vendor_manager")) as actor:
        hold = holds.open_hold(actor=actor, loan_id=loan.pk, kind="other", reason="Wait")
    with scope(rival.actor("vendor_manager")) as actor:
        with pytest.raises(errors.NotFound):
            holds.open_hold(actor=actor, loan_id=loan.pk, kind="other", reason="x")
        with pytest.raises(errors.NotFound):
            holds.release(actor=actor, hold_id=hold.pk, reason="x")
    for outsider in (house.actor(), bank.actor("finance_preparer")):
        with scope(outsider) as actor, pytest.raises(errors.NotAllowed):
            holds.release(actor=actor, hold_id=hold.pk, reason="x")
    assert is_on_hold(house)


def test_a_loan_on_hold_cannot_be_placed(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    with scope(bank.actor("vendor_manager")) as actor:
        loan = Loan.objects.get()
        holds.open_hold(actor=actor, loan_id=loan.pk, kind="other", reason="Wait")
    with pytest.raises(errors.InvalidState, match="LOANS_NOT_FREE"):
        world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")) as actor:
        assert placements.Placement.objects.count() == 0


def test_holding_and_releasing_on_pages(bank, house, loan):
    client = over_http.person(bank, "vendor_manager")
    assert (
        " selected" not in client.get(f"/loans/{loan.pk}/hold/").content.decode().split("main")[1]
    )
    for given, words in (
        ({"kind": "dispute", "reason": ""}, "This field is required."),
        ({"kind": "", "reason": "Says paid"}, "Choose one of the list."),
        ({"reason": "Says paid"}, "Choose one of the list."),
    ):
        answer = client.post(f"/loans/{loan.pk}/hold/", given)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not is_on_hold(house)
    answer = client.post(f"/loans/{loan.pk}/hold/", {"kind": "dispute", "reason": "Says paid"})
    assert (answer.status_code, answer.url) == (302, f"/loans/{loan.pk}/")
    assert (
        "On hold: do not collect"
        in over_http.person(house, "collector").get(f"/loans/{loan.pk}/").content.decode()
    )
    with scope(bank.actor("auditor")):
        hold = Hold.objects.get()
    assert over_http.person(house, "collector").get(f"/holds/{hold.pk}/release/").status_code == 403
    stranger = over_http.person(world.make_bank(), "vendor_manager")
    assert stranger.post(f"/holds/{hold.pk}/release/", {"reason": "Mine"}).status_code == 404
    answer = client.post(f"/holds/{hold.pk}/release/", {"reason": "It was not"})
    assert answer.status_code == 302
    assert not is_on_hold(house)
