"""What a manager decides about an award besides the winners: parts, hold-out, acceptance."""

import dataclasses
import datetime
import uuid
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from agencies import texts
from config import errors, money
from marketplace import allocation
from marketplace.models import Listing
from portfolios.services import limits

REFUSALS = {
    "NOT_AWARDABLE": _("A listing is awarded once, after it has closed."),
    "SHARES_ABOVE_WHOLE": _("The shares are more than 100 % together."),
    "ABOVE_CAPACITY": _("The share holds more loans than this agency offered to take."),
    "EMPTY_LOT": _("The share is too small to hold a single loan."),
    "NO_LOAN_LEFT": _("No loan is left that all of these agencies may have."),
    "NOT_ON_THE_PANEL": _("This agency is not in good standing any more."),
    "BELOW_COMPARISON": _("The share is smaller than this agency's part of the comparison."),
    "LOTS_UNBALANCED": _(
        "The lots would differ too much to be compared. Give larger shares, or fewer of them."
    ),
    "LOTS_NEED_ACCEPTANCE": _(
        "The lots differ more than they should. Say why they are good enough, or change the shares."
    ),
    **{code: words for code, words in limits.WORDS.items() if code.startswith("ABOVE_")},
}
"""What can be wrong with an award, by code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """What one bid is to get: parts per million of the loans."""

    bid_id: uuid.UUID
    share_ppm: int


@dataclasses.dataclass(frozen=True, slots=True)
class HoldOut:
    """A part of the loans that is drawn like the others and placed with nobody until a day."""

    share_ppm: int = 0
    until: datetime.date | None = None
    reason: str = ""


NO_HOLD_OUT = HoldOut()


def canonical(shares: list[Share]) -> list[int]:
    """The places of the shares in the order of their bids' ids, which nobody can choose."""
    return sorted(range(len(shares)), key=lambda place: str(shares[place].bid_id))


def split(shares: list[Share], comparison_ppm: int, hold_out_ppm: int) -> allocation.Split:
    """How loans are drawn into these shares, in their order."""
    shares_ppm = tuple(share.share_ppm for share in shares)
    return allocation.Split(shares_ppm, comparison_ppm, hold_out_ppm)


def refusal(code: str, row: int) -> errors.InvalidInput:
    """`row` counts the shares from 1."""
    return errors.InvalidInput(code, REFUSALS[code], field="shares", row=row)


def check(shares: list[Share], comparison_ppm: int, hold_out: HoldOut) -> None:
    """Refuse what could not be awarded whatever the loans and bids are."""
    if not shares or any(share.share_ppm <= 0 for share in shares):
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("Give at least one share, each above 0 %."), field="shares"
        )
    _check_hold_out(hold_out)
    if sum(share.share_ppm for share in shares) + hold_out.share_ppm > money.PPM:
        raise errors.InvalidInput(
            "SHARES_ABOVE_WHOLE", REFUSALS["SHARES_ABOVE_WHOLE"], field="shares"
        )
    if len({share.bid_id for share in shares}) != len(shares):
        raise errors.InvalidInput("TWICE", _("Each bid can get one share."), field="shares")
    if not 0 <= comparison_ppm <= money.PPM:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("A part is between 0 % and 100 %."), field="comparison_ppm"
        )
    wanted = split(shares, comparison_ppm, hold_out.share_ppm)
    for row, (share, needed_ppm) in enumerate(zip(shares, wanted.comparisons_ppm, strict=True), 1):
        if share.share_ppm < needed_ppm:
            raise refusal("BELOW_COMPARISON", row)


def _check_hold_out(hold_out: HoldOut) -> None:
    if not 0 <= hold_out.share_ppm < money.PPM:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("A part is between 0 % and 100 %."), field="hold_out_ppm"
        )
    if not hold_out.share_ppm:
        return
    if hold_out.until is None:
        raise errors.InvalidInput(
            "REQUIRED", _("Say until when loans are held out."), field="hold_out_until"
        )
    texts.reason(hold_out.reason, field="hold_out_reason")


def kept(comparison_ppm: int, hold_out: HoldOut) -> dict:
    """The columns of an `Award` that say how it was divided."""
    is_any = hold_out.share_ppm > 0
    return {
        "comparison_ppm": comparison_ppm,
        "hold_out_ppm": hold_out.share_ppm,
        "hold_out_until": hold_out.until if is_any else None,
        "hold_out_reason": hold_out.reason.strip() if is_any else "",
    }


def hold_out_end(
    listing: Listing, hold_out: HoldOut, moment: datetime.datetime
) -> datetime.datetime | None:
    """When held-out loans may be placed again: the beginning of that day at the bank."""
    if not hold_out.share_ppm or hold_out.until is None:
        return None
    zone = ZoneInfo(listing.institution.time_zone)
    end = datetime.datetime.combine(hold_out.until, datetime.time(), zone)
    if end <= moment:
        raise errors.InvalidInput(
            "IN_THE_PAST", _("The hold-out ends on a day to come."), field="hold_out_until"
        )
    return end


def judge(drawn: allocation.Drawn, imbalance_reason: str) -> None:
    """Refuse lots that cannot be compared, and those that nobody has accepted as they are."""
    if drawn.is_refused:
        raise errors.InvalidInput("LOTS_UNBALANCED", REFUSALS["LOTS_UNBALANCED"], field="shares")
    if drawn.needs_acceptance and not imbalance_reason:
        raise errors.InvalidInput(
            "LOTS_NEED_ACCEPTANCE", REFUSALS["LOTS_NEED_ACCEPTANCE"], field="imbalance_reason"
        )
