"""The deal, and who deserves the next one: listings, their rooms, bids, awards, rankings."""

from .awards import Award, AwardShare, DrawnLoan
from .bids import Bid
from .documents import ListingDocument
from .listings import Listing, ListingInvitation
from .questions import ListingAnswer, ListingQuestion, QuestionAuthor
from .rankings import Ranking, RankingRow
from .tapes import Tape, TapeCut
from .terms import ListingTerms, TermsAcceptance
from .visits import RoomVisit

__all__ = [
    "Award",
    "AwardShare",
    "Bid",
    "DrawnLoan",
    "Listing",
    "ListingAnswer",
    "ListingDocument",
    "ListingInvitation",
    "ListingQuestion",
    "ListingTerms",
    "QuestionAuthor",
    "Ranking",
    "RankingRow",
    "RoomVisit",
    "Tape",
    "TapeCut",
    "TermsAcceptance",
]
