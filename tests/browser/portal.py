"""The demonstration, served: small, the same every time, and thrown away at the end."""

import contextlib
import dataclasses
import datetime
import threading
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db import connections
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer

from agencies.models.users import Role
from frontend.demonstration import cast, story
from payouts.simulator import server
from portfolios import tasks
from tests.conftest import Clock

TODAY = datetime.date(2026, 11, 24)
NOON = datetime.datetime.combine(TODAY, datetime.time(12), ZoneInfo("America/New_York"))
BALANCE_MINOR = 1_000_000_000
SEED = 2026
LOANS = 60


@dataclasses.dataclass(frozen=True)
class Portal:
    """Where it is, who can log in (e-mail by role, of the bank and of one agency), its clock."""

    url: str
    people: dict[str, str]
    clock: Clock
    password: str = cast.PASSWORD


@contextlib.contextmanager
def running(clone) -> Iterator[Portal]:
    """Serve the demonstration out of `clone` at noon of `TODAY`, with Stripe's simulator.

    No test that uses it may ask the database itself: Django refuses that beside Playwright.
    """
    with contextlib.ExitStack() as held:
        stripe = held.enter_context(server.running(":memory:", balances={"usd": BALANCE_MINOR}))
        held.enter_context(override_settings(STRIPE_API_BASE=stripe.url))
        held.callback(clone.renew)
        told = story.tell(seed=SEED, today=TODAY, loans_per_portfolio=LOANS)
        clock = Clock(clone.name)
        clock.set(NOON)
        connections.close_all()
        live = LiveServer("127.0.0.1")
        held.callback(live.stop)
        held.enter_context(override_settings(PUBLIC_URL=live.url))
        held.enter_context(_working())
        yield Portal(live.url, _people(told.cast), clock)


@contextlib.contextmanager
def _working() -> Iterator[None]:
    """A worker that does what people wait for in front of a page."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.3):
            tasks.move_imports()
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def _people(found: cast.Cast) -> dict[str, str]:
    first = found.players[0]
    people = {role.value: user.email for role, user in found.users.items()}
    people[Role.AGENCY_ADMINISTRATOR.value] = first.administrator.email
    people[Role.COLLECTOR.value] = first.collector.email
    return people
