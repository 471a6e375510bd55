"""Fixtures of the market."""

import pytest

from tests.marketplace import market as markets


@pytest.fixture
def stall(db, clock):
    """A `Market` a day before its listing closes."""
    clock.set(markets.OPENED_AT)
    return markets.opened()
