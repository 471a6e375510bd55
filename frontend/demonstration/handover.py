"""What changes hands at the end: a recall that is announced, an objection, loans that rest."""

import datetime

from agencies.models.users import Role
from agencies.scope import scope
from frontend.demonstration.cast import Cast
from frontend.demonstration.market import Lot
from portfolios.models import Hold, Objection
from portfolios.selectors import visible_loans, visible_recalled_loans
from portfolios.services import holds, objections, recalls

RECALLED = slice(0, 12)
RESTING = {
    Hold.Reason.INSOLVENT: slice(12, 14),
    Hold.Reason.PLAN: slice(14, 15),
}
REASONS = {
    Hold.Reason.INSOLVENT: "The court has opened proceedings.",
    Hold.Reason.PLAN: "Pays by instalments since last month.",
}


def announce_recall(cast: Cast, lot: Lot) -> None:
    """The bank wants some loans back; the agency has booked a visit to one of the borrowers."""
    references = [holding.reference for holding in lot.holdings[RECALLED]]
    with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
        given = {
            "actor": actor,
            "placement_id": lot.placement_id,
            "references": references,
        }
        digest = recalls.preview(**given).digest
        recall = recalls.announce(**given, reason="Rotation after a year.", digest=digest)
    with scope(lot.player.head) as actor:
        going = visible_recalled_loans(actor).filter(recall=recall, is_kept=False)
        loan = going.order_by("loan__reference").values_list("loan__reference", flat=True).first()
        if loan is not None:
            objections.submit(
                actor=actor,
                recall_id=recall.pk,
                kind=Objection.Kind.VISIT_BOOKED,
                note="On Thursday at ten.",
                references=[loan],
            )


def hold_some(cast: Cast, lot: Lot, *, review_on: datetime.date) -> None:
    """The bank pauses a few loans, to be looked at again on a day."""
    for kind, some in RESTING.items():
        references = [holding.reference for holding in lot.holdings[some]]
        with scope(cast.bank(Role.COMPLIANCE_OFFICER)) as actor:
            loans = visible_loans(actor).filter(reference__in=references)
            holds.open_many(
                actor=actor,
                loan_ids=loans.values_list("pk", flat=True),
                kind=kind,
                reason=REASONS[kind],
                review_on=review_on,
            )
