"""Payouts over GraphQL: what the bank sees of every try, and the agency of its money."""

import pytest

from agencies.scope import scope
from payouts.models import Payout, PayoutAccount, PayoutAttempt
from payouts.services import accounts, payouts
from payouts.simulator import server
from payouts.simulator.store import PLATFORM
from tests.payouts import ledger
from tests.portfolios.over_http import ask, do, machine, person

PAYOUTS = """{ payouts(first: 5) { edges { node {
    id amountMinor currency state failureCode reversedMinor agency { name }
    attempts(first: 5) { edges { node { number state outcomeCode idempotencyKey tries } } }
} } } }"""


@pytest.fixture
def stripe(settings):
    with server.running(":memory:", balances={"usd": 10_00}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_TIMEOUT_SECONDS = (2, 1)
        settings.STRIPE_MAX_RETRIES = 0
        yield running


def codes(payload: dict) -> list[str]:
    return [error["code"] for error in payload["errors"]]


@pytest.mark.django_db(transaction=True)
def test_a_payout_that_failed_is_seen_and_sent_again_by_a_person(clock, stripe):
    march = ledger.march(clock)
    bank, approver = march.bank, person(march.bank, "finance_approver")
    preparer = person(bank, "finance_preparer")
    asked = do(
        preparer,
        "payoutAccountRequest",
        "payoutAccount { state agency { name } }",
        membershipId=march.membership.pk,
    )
    assert asked["payoutAccount"] == {
        "state": "REQUESTED",
        "agency": {"name": march.house.agency.name},
    }
    accounts.open_requested(bank.institution.pk)
    ledger.approved(bank)
    payouts.send_due(bank.institution.pk)
    (edge,) = ask(approver, PAYOUTS)["payouts"]["edges"]
    payout_id = edge["node"].pop("id")
    assert edge["node"] == {
        "amountMinor": ledger.TOTAL,
        "currency": "USD",
        "state": "FAILED",
        "failureCode": "BALANCE_INSUFFICIENT",
        "reversedMinor": 0,
        "agency": {"name": march.house.agency.name},
        "attempts": {
            "edges": [
                {
                    "node": {
                        "number": 1,
                        "state": "FAILED",
                        "outcomeCode": "BALANCE_INSUFFICIENT",
                        "idempotencyKey": f"payout-{payout_id}-1",
                        "tries": 0,
                    }
                }
            ]
        },
    }
    again = {"payoutId": payout_id, "reason": "The balance was topped up"}
    for client in (preparer, person(bank, "auditor"), machine(march.house)):
        assert codes(do(client, "payoutRetry", "payout { id }", **again)) == ["NOT_ALLOWED"]
    other = person(march.other_bank, "finance_approver")
    assert codes(do(other, "payoutRetry", "payout { id }", **again)) == ["NOT_FOUND"]
    silent = do(approver, "payoutRetry", "payout { id }", payoutId=payout_id, reason="")
    assert (codes(silent), silent["errors"][0]["field"]) == (["REQUIRED"], "reason")
    with scope(bank.actor("auditor")):
        assert (Payout.objects.get().state, PayoutAttempt.objects.count()) == ("failed", 1)
    stripe.api.store.set_balance(PLATFORM, "usd", 100_00)
    retried = do(approver, "payoutRetry", "payout { state }", **again)
    assert retried == {"payout": {"state": "APPROVED"}, "errors": []}
    assert codes(do(approver, "payoutRetry", "payout { id }", **again)) == ["NOT_FAILED"]
    assert payouts.send_due(bank.institution.pk) == 1
    journal = stripe.api.store.journal()
    assert [entry["amount"] for entry in journal if entry["object"] == "transfer"] == [80_00]
    own = ask(machine(march.house), "{ payouts(first: 5) { edges { node { state paidAt } } } }")
    (edge,) = own["payouts"]["edges"]
    assert edge["node"]["state"] == "PAID"
    assert edge["node"]["paidAt"]


@pytest.mark.django_db
def test_an_account_is_asked_for_once_by_the_preparer_and_for_the_own_panel(clock):
    march = ledger.march(clock)
    given = {"membershipId": march.membership.pk}
    for client in (
        person(march.bank, "finance_approver"),
        person(march.bank, "vendor_manager"),
        person(march.house, "agency_administrator"),
    ):
        refused = do(client, "payoutAccountRequest", "payoutAccount { id }", **given)
        assert codes(refused) == ["NOT_ALLOWED"]
    other = person(march.other_bank, "finance_preparer")
    foreign = do(other, "payoutAccountRequest", "payoutAccount { id }", **given)
    assert codes(foreign) == ["NOT_FOUND"]
    with scope(march.bank.actor("auditor")):
        assert not PayoutAccount.objects.exists()
    preparer = person(march.bank, "finance_preparer")
    assert codes(do(preparer, "payoutAccountRequest", "payoutAccount { id }", **given)) == []
    again = do(preparer, "payoutAccountRequest", "payoutAccount { id }", **given)
    assert codes(again) == ["ALREADY_REQUESTED"]
    query = "{ payoutAccounts(first: 5) { edges { node { state } } } }"
    for client in (person(march.bank, "auditor"), machine(march.house)):
        (edge,) = ask(client, query)["payoutAccounts"]["edges"]
        assert edge["node"] == {"state": "REQUESTED"}
    for client in (machine(march.rival), other):
        assert ask(client, query)["payoutAccounts"]["edges"] == []
