"""The deal, and who deserves the next one: listings, bids, awards, rankings."""

from .awards import Award, AwardShare, DrawnLoan
from .bids import Bid
from .listings import Listing, ListingInvitation
from .rankings import Ranking, RankingRow

__all__ = [
    "Award",
    "AwardShare",
    "Bid",
    "DrawnLoan",
    "Listing",
    "ListingInvitation",
    "Ranking",
    "RankingRow",
]
