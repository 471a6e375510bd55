"""What an actor may see of the market: the only way from an id to an object of this chapter.

An agency sees listings it may bid on, of them no more than title, size class and closing time
before the terms are accepted, its own bids and its own shares: never that another agency bid. A
bank sees bids once the listing has closed, and not their number before.

The files are nouns, as in every layer; what is imported comes from here.
"""

from marketplace.selectors.awards import (
    shown_award_shares,
    visible_award_shares,
    visible_awards,
    visible_drawn_loans,
)
from marketplace.selectors.bids import shown_bids, visible_bids
from marketplace.selectors.listings import (
    disclosed_listings,
    opened_listings,
    shown_listings,
    visible_acceptances,
    visible_invitations,
    visible_listings,
    with_own_offer,
)
from marketplace.selectors.ranking_disputes import (
    disputable_scores,
    visible_ranking_disputes,
)
from marketplace.selectors.rankings import (
    ShownRanking,
    pack_text,
    ranked,
    shown_ranking,
    shown_score,
    visible_backtests,
    visible_cells,
    visible_current_rankings,
    visible_packs,
    visible_ranking_policies,
    visible_runs,
    visible_scores,
    visible_sheets,
)
from marketplace.selectors.rooms import (
    visible_answers,
    visible_listing_documents,
    visible_questions,
    visible_tape_cuts,
    visible_tapes,
    visible_terms,
    visible_visits,
    with_tape,
)

__all__ = [
    "ShownRanking",
    "disclosed_listings",
    "disputable_scores",
    "opened_listings",
    "pack_text",
    "ranked",
    "shown_award_shares",
    "shown_bids",
    "shown_listings",
    "shown_ranking",
    "shown_score",
    "visible_acceptances",
    "visible_answers",
    "visible_award_shares",
    "visible_awards",
    "visible_backtests",
    "visible_bids",
    "visible_cells",
    "visible_current_rankings",
    "visible_drawn_loans",
    "visible_invitations",
    "visible_listing_documents",
    "visible_listings",
    "visible_packs",
    "visible_questions",
    "visible_ranking_disputes",
    "visible_ranking_policies",
    "visible_runs",
    "visible_scores",
    "visible_sheets",
    "visible_tape_cuts",
    "visible_tapes",
    "visible_terms",
    "visible_visits",
    "with_own_offer",
    "with_tape",
]
