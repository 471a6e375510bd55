"""The pages of payouts over HTTP: how far a payment is, what Stripe said, and sending it again."""

import pytest

from agencies.scope import scope
from payouts.models import Payout, PayoutAccount, PayoutAttempt
from payouts.services import accounts, payouts
from payouts.simulator import server
from payouts.simulator.store import PLATFORM
from tests.payouts import ledger
from tests.portfolios.over_http import person


@pytest.fixture
def stripe(settings):
    with server.running(":memory:", balances={"usd": 10_00}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_TIMEOUT_SECONDS = (2, 1)
        settings.STRIPE_MAX_RETRIES = 0
        yield running


def text(answer) -> str:
    return answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_from_asking_for_an_account_to_a_payment_that_failed_and_was_sent_again(clock, stripe):
    march = ledger.march(clock)
    bank = march.bank
    preparer, approver = (person(bank, f"finance_{one}") for one in ("preparer", "approver"))
    agency = person(march.house, "agency_administrator")
    ledger.approved(bank)
    with scope(bank.actor("auditor")):
        page = f"/payouts/{Payout.objects.get().pk}/"
    waiting = text(approver.get(page))
    assert "The agency has no active payout account" in waiting
    assert 'hx-trigger="every 5s"' in waiting
    asks = {"HX-Request": "true"}
    assert "HX-Refresh" not in approver.get(page, headers=asks).headers
    assert "waits for the agency&#x27;s account" in text(approver.get("/payouts/"))
    asking = f"/payouts/accounts/{march.membership.pk}/request/"
    assert asking in text(preparer.get("/payouts/accounts/?account=none"))
    assert "Nothing is paid by this." in text(preparer.get(asking))
    asked = preparer.post(asking, follow=True)
    assert "is being opened." in text(asked)
    again = preparer.post(asking, follow=True)
    assert "This agency has an account or one is being opened." in text(again)
    accounts.open_requested(bank.institution.pk)
    payouts.send_due(bank.institution.pk)
    failed = text(approver.get(page))
    for words in (
        "balance at Stripe does not cover this amount. No money moved.",
        "Add money to the balance, then have the payout sent again.",
        f"payout-{page.split('/')[2]}-1",
        "Send again",
    ):
        assert words in failed
    assert "every 5s" not in failed
    assert approver.get(page, headers=asks).headers["HX-Refresh"] == "true"
    for client in (preparer, person(bank, "auditor")):
        assert "Send again" not in text(client.get(page))
    assert "1 failed payout" in text(approver.get("/"))
    theirs = text(agency.get(page))
    assert "It could not be sent. The bank knows and has to send it again." in theirs
    assert "does not cover" not in theirs
    retry = f"{page}retry/"
    assert approver.post(retry, {"reason": " "}).status_code == 422
    with scope(bank.actor("auditor")):
        assert (Payout.objects.get().state, PayoutAttempt.objects.count()) == ("failed", 1)
    stripe.api.store.set_balance(PLATFORM, "usd", 100_00)
    sent = approver.post(retry, {"reason": "The balance was topped up"}, follow=True)
    assert "It is sent again with the next run." in text(sent)
    twice = approver.post(retry, {"reason": "The balance was topped up"}, follow=True)
    assert "Only a failed payout is tried again." in text(twice)
    assert payouts.send_due(bank.institution.pk) == 1
    journal = stripe.api.store.journal()
    assert [entry["amount"] for entry in journal if entry["object"] == "transfer"] == [80_00]
    done = text(approver.get(page))
    assert "The transfer was made." in done
    assert "The balance was topped up" in done
    assert "Paid." in text(agency.get(page))
    own = text(agency.get("/payouts/"))
    assert "Your payout accounts" in own
    assert "$80.00" in own
    assert "March 2026" in own


@pytest.mark.django_db
def test_nobody_else_opens_or_changes_anything(clock):
    march = ledger.march(clock)
    ledger.approved(march.bank)
    with scope(march.bank.actor("auditor")):
        pk = Payout.objects.get().pk
    page, asking = f"/payouts/{pk}/", f"/payouts/accounts/{march.membership.pk}/request/"
    for role in ("administrator", "vendor_manager", "compliance_officer"):
        client = person(march.bank, role)
        for path in ("/payouts/", page, "/payouts/accounts/", asking):
            assert client.get(path).status_code == 403
    assert person(march.house, "collector").get(page).status_code == 403
    stranger = person(march.other_bank, "finance_approver")
    rival = person(march.rival, "agency_administrator")
    missing = "/payouts/019aaaaa-0000-7000-8000-000000000000/"
    for client in (stranger, rival):
        assert client.get(page).status_code == 404
        assert client.get(missing).status_code == 404
        assert march.house.agency.name not in text(client.get("/payouts/"))
    reason = {"reason": "Not theirs to say"}
    assert stranger.post(f"{page}retry/", reason).status_code == 404
    assert person(march.other_bank, "finance_preparer").post(asking).status_code == 404
    for client in (
        rival,
        person(march.bank, "finance_preparer"),
        person(march.house, "agency_administrator"),
    ):
        assert client.post(f"{page}retry/", reason).status_code == 403
    assert person(march.bank, "finance_approver").post(asking).status_code == 403
    with scope(march.bank.actor("auditor")):
        assert Payout.objects.get().state == "approved"
        assert not PayoutAttempt.objects.exists()
        assert not PayoutAccount.objects.exists()


@pytest.mark.django_db
def test_the_list_filters_by_its_address(clock):
    march = ledger.march(clock)
    ledger.approved(march.bank)
    auditor = person(march.bank, "auditor")
    for query, shown in (
        ("state=approved", True),
        ("state=paid", False),
        ("paid_at_after=2026-01-01", False),
        ("sort=-amount_minor", True),
    ):
        assert ("March 2026" in text(auditor.get(f"/payouts/?{query}"))) == shown, query
