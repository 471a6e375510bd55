"""The whole job once, over HTTP, with a real worker sweeping and Stripe's simulator on a socket.

People use pages and forms, agencies' systems GraphQL with a token. The test keeps books of its
own, in fractions, and at the end every figure must be the same to the cent: what was recovered,
what was paid, and what the simulator holds.
"""

import os
import secrets
import signal
import subprocess
import sys

import pytest
from django.conf import settings as configured

from config.celery import app
from payouts.simulator import server
from tests import lending
from tests.journey import conduct, market, money, people, receipts, work
from tests.journey.story import Journey

BALANCE_MINOR = 1_000_000_00


@pytest.fixture
def portal(live_server, settings):
    """Where the portal is; links in mails lead there."""
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def stripe(portal, settings):
    """Stripe's simulator, which calls the portal back with signed events."""
    with server.running(
        ":memory:", balances={"usd": BALANCE_MINOR}, webhook_url=f"{portal}/stripe/webhook"
    ) as running:
        settings.STRIPE_API_BASE = running.url
        yield running


@pytest.fixture
def worker(transactional_db, database_environment, stripe, tmp_path):
    """A worker with the deployment's sweeps, in a process of its own."""
    queue = f"test-{secrets.token_hex(4)}"
    environment = os.environ | database_environment
    environment |= {
        "FAIRPLACE_TEST_QUEUE": queue,
        "FAIRPLACE_SIMULATOR_PORT": str(stripe.server_address[1]),
    }
    command = [sys.executable, "-m", "celery", "-q", "--app=tests.hurried_sweeps", "worker"]
    command += ["--beat", f"--schedule={tmp_path / 'beat'}", f"--queues={queue}", "--pool=solo"]
    command += ["--without-gossip", "--without-mingle", "--loglevel=WARNING"]
    with subprocess.Popen(command, cwd=configured.BASE_DIR, env=environment) as process:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)


@pytest.mark.slow
def test_from_a_file_of_loans_to_money_paid(portal, stripe, worker, clock):
    journey = Journey(portal, clock, lending.loan_file())
    vet_the_agencies(journey)
    sell(journey)
    collect(journey)
    look_after_borrowers(journey)
    pay(journey, stripe)
    look_back(journey)


def vet_the_agencies(journey: Journey) -> None:
    journey.at("2026-03-02T10:00:00-05:00")
    people.found_the_bank(journey)
    for name in ("Alder Recoveries", "Birch & Sons", "Cedar Collect", "Dogwood Partners"):
        people.register(journey, name)
    for name, decision, reason in (
        ("Alder", "approve", "Licence and insurance are in order"),
        ("Birch", "approve", "Known to us, in order"),
        ("Cedar", "reject", "The insurance does not cover New York"),
        ("Dogwood", "approve", "In order"),
    ):
        house = journey.houses[name]
        people.apply(journey, house)
        people.vet(journey, house, decision, reason)
        people.connect(house)


def sell(journey: Journey) -> None:
    market.make_a_portfolio(journey)
    market.refuse_a_bad_file(journey)
    market.import_the_file(journey)
    market.publish(journey)
    market.keep_the_rejected_out(journey)
    market.bid(journey)
    market.stay_sealed(journey)
    market.close(journey)
    people.vet(journey, journey.houses["Dogwood"], "suspend", "Its licence has run out")
    market.award(journey)


def collect(journey: Journey) -> None:
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    journey.at("2026-03-10T13:00:00-04:00")
    money.open_accounts(journey, [alder, birch])
    work.log_contacts(journey)
    work.promise(alder)
    journey.at("2026-03-20T18:00:00-04:00")
    for house, count in ((alder, 120), (birch, 80)):
        work.pick_payments(house, count)
        work.report(house, "march")
    work.report_what_is_odd(journey)
    work.try_the_loans_of_others(journey)


def look_after_borrowers(journey: Journey) -> None:
    alder, birch = journey.houses["Alder"], journey.houses["Birch"]
    journey.at("2026-03-23T15:00:00-04:00")
    late = work.spare_loans(alder, 1)[0]
    receipts.upload(journey, late)
    receipts.settle(journey)
    receipts.see_commission(journey)
    work.take_back(journey)
    receipts.see_commission(journey)
    receipts.decline_the_excess(journey)
    paid = alder.payments[alder.first_batch[9]].loan.reference
    conduct.complain_in_public(journey, alder, paid)
    conduct.complain_at_the_counter(journey, birch, min(birch.loans))
    journey.at("2026-03-26T11:00:00-04:00")
    conduct.recall_loans(journey, alder, [paid, late])
    conduct.read_the_first_answer_again(alder, "march", [paid, late])
    conduct.recall_a_placement(journey, birch)
    conduct.tell_of_late_money(journey, alder, late)
    receipts.see_commission(journey)


def pay(journey: Journey, stripe) -> None:
    houses = [journey.houses["Alder"], journey.houses["Birch"]]
    journey.at("2026-04-02T10:00:00-04:00")
    statements = money.state_march(journey, houses)
    money.approve(journey, houses, statements)
    money.be_paid(journey, houses)
    money.compare_with_stripe(houses, stripe, BALANCE_MINOR)
    for house in houses:
        house.paid_minor = house.commission_minor
    money.carry_forward(journey, houses[0])


def look_back(journey: Journey) -> None:
    houses = [journey.houses["Alder"], journey.houses["Birch"]]
    money.look_at_placements(journey, houses)
    money.rank(journey, houses)
    money.suspend(journey, houses[0], "Under investigation by the regulator")
    money.read_the_trail(
        journey,
        {
            "panel.reject": "The insurance does not cover New York",
            "panel.suspend": "Under investigation by the regulator",
            "listing.award": "The best rate, and a second opinion on the rest",
            "placement.recall": "We collect these ourselves",
            "placement.recall_loans": "The borrowers have an arrangement with us",
            "complaint.decide": "The call records were looked through",
            "receipt.dismiss": "A mistake of the payer, sent back",
            "late_receipt.refuse": "Compared with our own books",
            "excess.decide": "The borrower gets it back",
        },
    )
