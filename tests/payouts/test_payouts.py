"""Payouts against the simulator on a real socket: whatever breaks, money goes out once.

Each test commits, as the sweep does: the gateway refuses to be called inside a transaction.
"""

import datetime

import pytest

from agencies import actors
from agencies.models import Institution
from agencies.scope import scope
from config import errors
from payouts import gateway, tasks
from payouts.models import Payout, PayoutAccount, PayoutAttempt
from payouts.services import accounts, commissions, events, payouts, statements
from payouts.simulator import server
from payouts.simulator.store import PLATFORM
from portfolios.models import Loan
from tests import world

pytestmark = pytest.mark.django_db(transaction=True)

IN_MARCH = datetime.datetime(2026, 3, 20, 12, tzinfo=datetime.UTC)
IN_APRIL = datetime.datetime(2026, 4, 2, 12, tzinfo=datetime.UTC)


@pytest.fixture
def stripe(settings):
    with server.running(":memory:", balances={"usd": 10_000_00}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_TIMEOUT_SECONDS = (2, 1)
        settings.STRIPE_MAX_RETRIES = 0
        yield running


@pytest.fixture
def due(stripe, clock):
    """A statement over 80.00 approved in April, to be paid to an account that can receive."""
    clock.set(IN_MARCH)
    bank, house = world.make_bank(), world.make_agency()
    membership = world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[1_000_00])
    world.place(bank, house, portfolio, rate_ppm=200_000)
    with scope(bank.actor("finance_preparer")) as actor:
        loan = Loan.objects.get()
        accounts.request(actor=actor, membership_id=membership.pk)
    world.recover(bank, house, loan, 400_00)
    with scope(bank.sweep) as actor:
        commissions.accrue(actor=actor)
    accounts.open_requested(bank.institution.pk)
    clock.set(IN_APRIL)
    with scope(bank.actor("finance_preparer")) as actor:
        (statement,) = statements.prepare(actor=actor, starts_on=datetime.date(2026, 3, 1))
        statements.submit(actor=actor, statement_id=statement.pk)
    with scope(bank.actor("finance_approver")) as actor:
        statements.approve(actor=actor, statement_id=statement.pk)
    return bank, clock, stripe


def sweep(bank) -> int:
    return payouts.send_due(bank.institution.pk)


def payout_of(bank) -> Payout:
    with scope(bank.actor("auditor")):
        return Payout.objects.get()


def attempts_of(bank) -> list[tuple]:
    with scope(bank.actor("auditor")):
        found = PayoutAttempt.objects.order_by("number")
        return list(found.values_list("number", "state", "outcome_code"))


def moved(stripe) -> list[int]:
    return [
        entry["amount"] for entry in stripe.api.store.journal() if entry["object"] == "transfer"
    ]


def test_an_approved_statement_is_paid_once_however_often_the_sweep_runs(due):
    bank, _clock, stripe = due
    assert sweep(bank) == 1
    assert sweep(bank) == 0
    payout = payout_of(bank)
    assert (payout.state, payout.amount_minor) == ("paid", 80_00)
    assert moved(stripe) == [80_00]
    transfer = gateway.retrieve_transfer(payout.remote_id)
    assert (transfer.amount_minor, transfer.currency) == (80_00, "USD")
    assert transfer.transfer_group == f"payout-{payout.pk}"
    assert gateway.balance() == {"USD": 9_920_00}
    assert attempts_of(bank) == [(1, "succeeded", "")]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("drop_before", "NOT_FOUND_YET"),
        ("500_before", "NOT_FOUND_YET"),
        ("429", "LATER"),
        ("502_html", "NOT_FOUND_YET"),
    ],
)
def test_a_fault_before_the_money_moved_leaves_the_attempt_open(due, fault, code):
    bank, clock, stripe = due
    stripe.add_fault(fault, method="POST", path="/v1/transfers")
    assert sweep(bank) == 0
    assert (payout_of(bank).state, moved(stripe)) == ("sending", [])
    assert attempts_of(bank)[0][2] == code
    assert sweep(bank) == 0  # not before it is due again
    clock.advance(hours=1)
    if fault != "500_before":  # Stripe repeats that answer for as long as it knows the key
        assert sweep(bank) == 1
        assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "hang_after", "200_html"])
def test_a_lost_answer_is_found_and_never_paid_again(due, fault):
    bank, clock, stripe = due
    stripe.add_fault(fault, method="POST", path="/v1/transfers", seconds=2)
    sweep(bank)
    clock.advance(hours=1)
    sweep(bank)
    assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])


def test_a_crash_after_the_transfer_and_before_its_record_pays_once(due, monkeypatch):
    bank, clock, stripe = due

    class Killed(BaseException):
        pass

    def die(*arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(payouts, "settle", die)
        with pytest.raises(Killed):
            sweep(bank)
    assert (payout_of(bank).state, moved(stripe)) == ("sending", [80_00])
    clock.advance(minutes=5)
    assert sweep(bank) == 1
    assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])


def test_a_crash_before_the_transfer_pays_once(due, monkeypatch):
    bank, _clock, stripe = due

    class Killed(BaseException):
        pass

    def die(*arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(payouts, "_send", die)
        with pytest.raises(Killed):
            sweep(bank)
    assert (payout_of(bank).state, moved(stripe)) == ("sending", [])
    assert sweep(bank) == 1
    assert moved(stripe) == [80_00]


def test_a_worker_that_slept_a_day_only_reads_and_gives_up_when_nothing_moved(due):
    bank, clock, stripe = due
    stripe.add_fault("500_before", method="POST", path="/v1/transfers")
    sweep(bank)
    clock.advance(hours=25)
    assert sweep(bank) == 0
    assert (payout_of(bank).state, moved(stripe)) == ("sending", [])
    clock.advance(hours=2)
    sweep(bank)
    assert (payout_of(bank).state, payout_of(bank).failure_code) == ("failed", "NEVER_ARRIVED")
    assert moved(stripe) == []


def test_a_list_that_cannot_be_read_proves_nothing(due):
    bank, clock, stripe = due
    stripe.add_fault("drop_after", method="POST", path="/v1/transfers")
    stripe.add_fault("403", method="GET", path="/v1/transfers")
    sweep(bank)
    clock.advance(hours=30)
    stripe.add_fault("403", method="GET", path="/v1/transfers")
    sweep(bank)
    assert payout_of(bank).state == "sending"
    clock.advance(hours=1)
    sweep(bank)
    assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])


def test_a_refused_transfer_fails_and_is_sent_again_only_by_a_person(due):
    bank, clock, stripe = due
    stripe.api.store.set_balance(PLATFORM, "usd", 10_00)
    assert sweep(bank) == 0
    clock.advance(days=1)
    assert sweep(bank) == 0
    payout = payout_of(bank)
    assert (payout.state, payout.failure_code) == ("failed", "BALANCE_INSUFFICIENT")
    stripe.api.store.set_balance(PLATFORM, "usd", 100_00)
    with scope(bank.actor("finance_preparer")) as actor, pytest.raises(errors.NotAllowed):
        payouts.retry(actor=actor, payout_id=payout.pk, reason="Topped up")
    with scope(bank.actor("finance_approver")) as actor:
        payouts.retry(actor=actor, payout_id=payout.pk, reason="Topped up")
    assert sweep(bank) == 1
    assert moved(stripe) == [80_00]
    assert attempts_of(bank) == [(1, "failed", "BALANCE_INSUFFICIENT"), (2, "succeeded", "")]


def test_a_payout_waits_for_an_account_that_can_receive(due):
    bank, _clock, stripe = due
    with scope(bank.sweep):
        PayoutAccount.objects.update(state="requested", remote_id="")
    assert sweep(bank) == 0
    assert (payout_of(bank).state, attempts_of(bank)) == ("approved", [])
    accounts.open_requested(bank.institution.pk)
    assert sweep(bank) == 1
    assert moved(stripe) == [80_00]


def test_an_event_settles_what_the_answer_did_not(due, monkeypatch):
    bank, _clock, stripe = due
    stripe.add_fault("drop_after", method="POST", path="/v1/transfers")
    stripe.add_fault("502_html", method="GET", path="/v1/transfers")
    sweep(bank)
    assert payout_of(bank).state == "sending"
    payout = payout_of(bank)
    (sent,) = gateway.find_transfers(transfer_group=f"payout-{payout.pk}")
    with scope(actors.PUBLIC):
        events.ProviderEvent.objects.create(
            remote_id="evt_1",
            kind="transfer.created",
            transfer_group=sent.transfer_group,
            object_id=sent.remote_id,
            received_at=IN_APRIL,
        )
    tasks.process_events()
    assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])
    tasks.process_events()
    assert sweep(bank) == 0
    assert moved(stripe) == [80_00]


def test_what_somebody_sends_back_at_stripe_is_seen(due):
    bank, _clock, _stripe = due
    sweep(bank)
    payout = payout_of(bank)
    transfer = gateway.retrieve_transfer(payout.remote_id)
    gateway.reverse_transfer(
        idempotency_key="by-hand", transfer=transfer, amount_minor=30_00, metadata={}
    )
    with scope(actors.PUBLIC):
        events.ProviderEvent.objects.create(
            remote_id="evt_2",
            kind="transfer.reversed",
            transfer_group=transfer.transfer_group,
            object_id=transfer.remote_id,
            received_at=IN_APRIL,
        )
    tasks.process_events()
    assert payout_of(bank).reversed_minor == 30_00


def test_the_sweeps_serve_every_bank_and_only_its_own_money(due):
    bank, _clock, stripe = due
    other = world.make_bank()
    tasks.accrue_commission()
    tasks.open_payout_accounts()
    tasks.send_payouts()
    with scope(actors.sweep()):
        assert Institution.objects.count() == 2
        assert not Payout.objects.exists()
    with scope(other.actor("auditor")):
        assert not Payout.objects.exists()
    assert (payout_of(bank).state, moved(stripe)) == ("paid", [80_00])
