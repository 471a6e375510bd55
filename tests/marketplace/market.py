"""A market to test over HTTP: a bank, three agencies on its panel, a listing of ten loans."""

import dataclasses
import datetime

from agencies.scope import scope
from marketplace.models import Award, Bid, Listing
from marketplace.services import awards, bids, listings
from tests import world

CLOSES_AT = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
OPENED_AT = CLOSES_AT - datetime.timedelta(days=1)


@dataclasses.dataclass
class Market:
    """Ten loans of 100.00 to 1,000.00 that are open for bids until `CLOSES_AT`."""

    bank: world.Bank
    houses: list[world.House]
    listing: Listing

    def bid(self, house: world.House, *, rate_ppm: int, capacity_loans: int = 10, note="") -> Bid:
        with scope(house.actor()) as actor:
            return bids.submit(
                actor=actor,
                listing_id=self.listing.pk,
                rate_ppm=rate_ppm,
                capacity_loans=capacity_loans,
                note=note,
            )

    def award(self, *shares: tuple[Bid, int]) -> Award:
        with scope(self.bank.actor("vendor_manager")) as actor:
            return awards.award(
                actor=actor,
                listing_id=self.listing.pk,
                shares=[awards.Share(bid.pk, share_ppm) for bid, share_ppm in shares],
                reason="Best offers",
            )


def opened(*, accepted: bool = True) -> Market:
    """Everybody has accepted the terms unless told otherwise. It must be `OPENED_AT`."""
    bank = world.make_bank()
    houses = [world.make_agency(f"House {name}") for name in ("Ash", "Birch", "Cedar")]
    for house in houses:
        world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[100_00 * n for n in range(1, 11)])
    with scope(bank.actor("vendor_manager")) as actor:
        listing = listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=CLOSES_AT,
            highest_rate_ppm=300_000,
            term_days=180,
        )
    for house in houses if accepted else []:
        world.accept_terms(house, listing)
    return Market(bank, houses, listing)


def nodes(connection: dict) -> list[dict]:
    """The rows of a page that GraphQL has answered."""
    return [edge["node"] for edge in connection["edges"]]
