"""What every test can ask for: databases, the clock, and a browser."""

import contextlib
import datetime
import shutil
from pathlib import Path

import psycopg
import pytest
from django.test import TransactionTestCase
from django.utils import translation
from hypothesis import settings
from playwright.sync_api import sync_playwright

from config import checks  # noqa: F401 - the guard of the database role holds in tests too
from tests import databases, world

# A slow machine is no bug; what must be fast has a benchmark.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(autouse=True)
def language():
    """What one test was answered in, the next one does not speak."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def clone(django_test_environment, django_db_blocker):
    """This process's database: migrated and owned by the owner, used by the application."""
    with contextlib.ExitStack() as held:
        with django_db_blocker.unblock():
            held.enter_context(databases.server())
            made = databases.Clone()
            made.make()
        try:
            yield made
        finally:
            with django_db_blocker.unblock():
                made.drop()


@pytest.fixture(scope="session")
def django_db_setup(clone):
    """pytest-django's hook: both connections lead to the clone.

    After a test that commits, the clone is made anew: what migrations put in is there again.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "databases", {"default", "owner"})
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: clone.renew())
    yield
    patch.undo()


@pytest.fixture
def owner(transactional_db, clone):
    """A psycopg connection as the owner's role; what it does is committed at once."""
    with psycopg.connect(**databases.keywords("owner", clone.name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def database_environment(clone) -> dict[str, str]:
    """Environment variables by which a process started from a test uses the test's database."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": databases.url("default", clone.name),
        "DATABASE_OWNER_URL": databases.url("owner", clone.name),
    }


class Clock:
    """Sets the one clock, `fairplace_now()`, for every session of this test's database."""

    def __init__(self, database: str) -> None:
        self._database = database

    def _call(self, statement: str, *values) -> tuple:
        where = databases.keywords("owner", self._database)
        with psycopg.connect(**where, autocommit=True) as connection:
            return connection.execute(statement, values).fetchone()

    def now(self) -> datetime.datetime:
        return self._call("select fairplace_now()")[0]

    def set(self, moment: datetime.datetime) -> datetime.datetime:
        """Stand still at `moment`, which must have a time zone, until set again or released."""
        if moment.tzinfo is None:
            raise ValueError("The clock needs a moment with a time zone.")
        self._call("select fairplace_clock_set(%s)", moment)
        return moment

    def advance(self, **span: float) -> datetime.datetime:
        """Stand still this much later; `span` is what `timedelta` takes, such as `days=30`."""
        return self.set(self.now() + datetime.timedelta(**span))

    def release(self) -> None:
        """Let time pass again."""
        self._call("select fairplace_clock_release()")


@pytest.fixture
def clock(django_db_setup, clone):
    """A clock that can be set; it runs again after the test, whatever happened."""
    made = Clock(clone.name)
    yield made
    made.release()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser: the system's, else the one that Playwright brought at set-up."""
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return found
    with sync_playwright() as playwright:
        brought = playwright.chromium.executable_path
    if Path(brought).exists():
        return brought
    pytest.fail(
        "The browser tests found no Chromium: install Debian's package `chromium`, "
        "or run `.venv/bin/playwright install chromium`."
    )


@pytest.fixture
def bank(db):
    return world.make_bank()


@pytest.fixture
def house(bank):
    """An agency in good standing on the bank's panel."""
    made = world.make_agency()
    world.join_panel(bank, made)
    return made


@pytest.fixture
def placement(bank, house):
    """Two loans of the bank, of 100.00 and 200.00, placed with the house."""
    return world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00, 200_00]))
