"""Fixtures of the market."""

import pytest

from tests.marketplace import market as markets


@pytest.fixture
def stall(db, clock):
    """A `Market` a day before its listing closes."""
    clock.set(markets.OPENED_AT)
    return markets.opened()


@pytest.fixture
def early(db, clock):
    """A `Market` in which nobody has accepted the terms yet."""
    clock.set(markets.OPENED_AT)
    return markets.opened(accepted=False)


@pytest.fixture
def room(early):
    """The address of its listing."""
    return f"/listings/{early.listing.pk}/"
