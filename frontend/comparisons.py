"""Bids side by side, as `{% comparison %}` takes them."""

from django.urls import reverse
from django.utils.translation import gettext as _

from agencies.models import PanelMembership
from config import money
from frontend.templatetags import fairplace, states
from marketplace.models import Bid, Listing


def may_win(bid: Bid) -> bool:
    """Whether a bid of `shown_bids` can be given anything now."""
    return bid.standing == PanelMembership.State.APPROVED


def of_bids(listing: Listing, bids: list[Bid]) -> dict:
    """One column a bid, in their order; the best of those that can win is marked, line by line."""
    commissions = [money.share(listing.balance_minor, bid.rate_ppm) for bid in bids]
    whole = fairplace.money(listing.balance_minor, listing.currency)
    return {
        "columns": [
            {
                "title": bid.agency.name,
                "note": states.words(bid.standing)[0],
                "url": reverse("membership", args=[bid.membership_id]),
            }
            for bid in bids
        ],
        "rows": [
            {
                "label": _("Commission rate"),
                "values": [fairplace.rate(bid.rate_ppm) for bid in bids],
                "best": _best([-bid.rate_ppm for bid in bids if may_win(bid)]),
            },
            {
                "label": _("Loans it can take"),
                "values": [fairplace.integer(bid.capacity_loans) for bid in bids],
                "best": _best(
                    [min(bid.capacity_loans, listing.loan_count) for bid in bids if may_win(bid)]
                ),
            },
            {
                "label": _("Commission on the whole"),
                "note": _("rate × %(balance)s, if all of it came in") % {"balance": whole},
                "values": [fairplace.money(amount, listing.currency) for amount in commissions],
                "best": None,
            },
            {
                "label": _("Commission on a tenth"),
                "note": _("if a tenth of it came in"),
                "values": [
                    fairplace.money(money.round_half_away(amount, 10), listing.currency)
                    for amount in commissions
                ],
                "best": None,
            },
            {
                "label": _("Note"),
                "values": [bid.note or fairplace.NO_VALUE for bid in bids],
                "best": None,
            },
            {
                "label": _("Submitted"),
                "values": [
                    fairplace.zoned(bid.submitted_at, listing.institution.time_zone) for bid in bids
                ],
                "best": None,
            },
        ],
    }


def _best(figures: list[int]) -> int | None:
    """Where the highest figure is, unless several share it or there is only one."""
    if len(figures) < 2 or figures.count(max(figures)) > 1:
        return None
    return figures.index(max(figures))
