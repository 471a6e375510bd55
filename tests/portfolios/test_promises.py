"""Promises to pay."""

import datetime

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Loan, Promise
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

WANTED = "promise { loanReference currency amountMinor dueOn }"


@pytest.fixture
def loan(bank, house):
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    with scope(bank.actor("auditor")):
        return Loan.objects.get()


def due_in(days):
    return (clocks.business_date("America/New_York") + datetime.timedelta(days=days)).isoformat()


def test_a_promise_is_recorded_and_listed(bank, house, loan):
    client = over_http.machine(house)
    answer = over_http.do(
        client,
        "promiseLog",
        WANTED,
        loanReference=loan.reference,
        amountMinor=25_50,
        dueOn=due_in(0),
    )
    assert answer == {
        "promise": {
            "loanReference": loan.reference,
            "currency": "USD",
            "amountMinor": 25_50,
            "dueOn": due_in(0),
        },
        "errors": [],
    }
    query = "{ promises(first: 5) { edges { node { amountMinor } } } }"
    listed = over_http.ask(client, query)["promises"]["edges"]
    assert listed == [{"node": {"amountMinor": 25_50}}]
    with scope(bank.actor("auditor")):
        assert AuditEntry.objects.get(action="promise.log").object_id == Promise.objects.get().pk


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"amountMinor": 0}, "NOT_POSITIVE", "amountMinor"),
        ({"amountMinor": 10**13 + 1}, "AMOUNT_TOO_LARGE", "amountMinor"),
        ({"currency": "EUR"}, "WRONG_CURRENCY", "currency"),
        ({"days": -1}, "PAST_DATE", "dueOn"),
        ({"days": 3700}, "TOO_FAR", "dueOn"),
        ({"loanReference": "NO-SUCH"}, "NOT_FOUND", "loanReference"),
    ],
)
def test_what_is_wrong_is_said_and_records_nothing(bank, house, loan, change, code, field):
    given = {"loanReference": loan.reference, "amountMinor": 25_50, "days": 3} | change
    given["dueOn"] = due_in(given.pop("days"))
    client = over_http.person(house, "collector")
    answer = over_http.do(client, "promiseLog", WANTED, **given)
    assert [(error["code"], error["field"]) for error in answer["errors"]] == [(code, field)]
    with scope(bank.actor("auditor")):
        assert not Promise.objects.exists()
