"""The deal, and who deserves the next one: listings, their rooms, bids, awards, rankings."""

from .awards import Award, AwardShare, DrawnLoan
from .bids import Bid
from .documents import ListingDocument
from .listings import Listing, ListingInvitation
from .questions import ListingAnswer, ListingQuestion, QuestionAuthor
from .ranking_backtests import RankingBacktest
from .ranking_disputes import RankingDispute
from .ranking_policies import RankingPolicy
from .rankings import (
    WHOLE,
    CurrentRanking,
    RankingCut,
    RankingPack,
    RankingRun,
    RankingScore,
)
from .success_cells import SuccessCell, SuccessSheet
from .tapes import Tape, TapeCut
from .terms import ListingTerms, TermsAcceptance
from .visits import RoomVisit

__all__ = [
    "WHOLE",
    "Award",
    "AwardShare",
    "Bid",
    "CurrentRanking",
    "DrawnLoan",
    "Listing",
    "ListingAnswer",
    "ListingDocument",
    "ListingInvitation",
    "ListingQuestion",
    "ListingTerms",
    "QuestionAuthor",
    "RankingBacktest",
    "RankingCut",
    "RankingDispute",
    "RankingPack",
    "RankingPolicy",
    "RankingRun",
    "RankingScore",
    "RoomVisit",
    "SuccessCell",
    "SuccessSheet",
    "Tape",
    "TapeCut",
    "TermsAcceptance",
]
