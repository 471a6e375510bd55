"""Bids: an agency reads a listing's room, bids, and learns what it got."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors, texts
from config import errors
from frontend import forms, lot_balances, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import rooms
from marketplace.models import Bid, Listing
from marketplace.selectors import shown_listings, visible_award_shares, visible_bids
from marketplace.services import bids
from marketplace.services import rooms as room_service
from portfolios.selectors import visible_placements

CONFLICT = 409
MAY_BID = bids.MAY_BID & policies.PEOPLE


class BidForm(forms.Form):
    """An offer within the limits of its listing."""

    rate_ppm = forms.RateField(label=gettext_lazy("Your commission rate"), lowest_ppm=1)
    capacity_loans = django_forms.IntegerField(
        label=gettext_lazy("Loans you can take"),
        min_value=1,
        max_value=bids.MOST_LOANS,
        help_text=gettext_lazy("You get no more than this, whatever share you are awarded."),
    )
    note = django_forms.CharField(
        label=gettext_lazy("Note to the bank"),
        required=False,
        max_length=texts.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data=None, *, listing: Listing, **kwargs):
        super().__init__(data, **kwargs)
        rate = self.fields["rate_ppm"]
        rate.highest_ppm = listing.highest_rate_ppm
        rate.help_text = _("Of what you recover; at most %(highest)s.") % {
            "highest": fairplace.rate(listing.highest_rate_ppm)
        }


def standing(listing: Listing) -> str:
    """A badge that says how the agency stands in a listing of `with_own_offer`."""
    return format_html("{}{}", fairplace.badge(_outcome(listing)), _rate_note(listing))


def _outcome(listing: Listing) -> str:
    if listing.share_ppm:
        return "won"
    has_bid = listing.bid_rate_ppm is not None
    return {
        "open": "submitted" if has_bid else "no_bid_yet",
        "closed": "undecided" if has_bid else "no_bid",
        "awarded": "not_awarded" if has_bid else "no_bid",
        "withdrawn": "withdrawn" if has_bid else "no_bid",
    }[listing.phase]


def _rate_note(listing: Listing) -> str:
    if listing.bid_rate_ppm is None:
        return ""
    words = _("at %(rate)s") % {"rate": fairplace.rate(listing.bid_rate_ppm)}
    if listing.share_ppm:
        words = _("%(share)s of the loans at %(rate)s") % {
            "share": fairplace.rate(listing.share_ppm),
            "rate": fairplace.rate(listing.bid_rate_ppm),
        }
    return format_html('<span class="cell-note">{}</span>', words)


@page(allow=MAY_BID)
@require_POST
def submit(request: HttpRequest, pk) -> HttpResponse:
    """Make the agency's bid, or replace it, until the listing closes."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    if listing.phase != Listing.Phase.OPEN:
        return room(request, listing, problem=bids.CLOSED)
    form = BidForm(request.POST, listing=listing)
    if not listing.is_opened:
        return room(request, listing, problem=room_service.REFUSALS["NOT_ACCEPTED"])
    if not form.is_valid():
        return room(request, listing, form=form)
    try:
        bid = bids.submit(actor=request.actor, listing_id=pk, **form.cleaned_data)
    except errors.InvalidInput as error:
        return room(request, listing, form=forms.form_from_error(form, error))
    except errors.InvalidState as error:
        # It may have closed in between: what is shown is how it stands now.
        now = selectors.find(shown_listings(request.actor), pk=pk)
        return room(request, now, problem=error.message)
    messages.success(request, _receipt(listing, bid))
    return redirect("listing", pk)


def _receipt(listing: Listing, bid: Bid) -> str:
    words = {
        "moment": fairplace.moment_text(bid.submitted_at, listing.institution.time_zone),
        "rate": fairplace.rate(bid.rate_ppm),
        "loans": fairplace.loans(bid.capacity_loans),
    }
    if bid.revision == 1:
        return _("Your bid is in, sealed: %(rate)s for up to %(loans)s, %(moment)s.") % words
    return _("Your bid is replaced, sealed: %(rate)s for up to %(loans)s, %(moment)s.") % words


def room(
    request: HttpRequest,
    listing: Listing,
    *,
    form=None,
    accept_form=None,
    ask_form=None,
    problem="",
) -> HttpResponse:
    """What a bidder sees: the tape and what is counted from it, documents, answers, its own bid.

    Before the terms are accepted only what stands at the gate. `problem` is why something was
    refused because of how the listing stands (409).
    """
    actor = request.actor
    bid = visible_bids(actor).filter(listing=listing).first()
    share = visible_award_shares(actor).filter(listing=listing).first()
    own = {"bid": bid, "share": share, "placement": _placement(actor, share)}
    if not listing.is_opened:
        return rooms.gate(request, listing, own, form=accept_form, problem=problem)
    may_bid = listing.phase == Listing.Phase.OPEN and policies.allows(actor, MAY_BID)
    if may_bid and form is None:
        form = BidForm(listing=listing, initial=_offer(bid))
    context = {
        "title": listing.title,
        "state": listing.phase,
        "lead": f"{listing.institution.name} · {listing.product}, {listing.jurisdiction}",
        "breadcrumbs": [(_("Listings"), reverse("listings"))],
        "listing": listing,
        "time_zone": listing.institution.time_zone,
        **own,
        "lot_chart": lot_balances.own_chart(_("Your lot"), share.balance) if share else None,
        "form": form if may_bid else None,
        "problem": problem,
        **rooms.parts(request, listing, ask_form=ask_form),
        "entries": trail.timeline(actor, bid) if bid else [],
    }
    if problem:
        return render(request, "frontend/bids/room.html", context, status=CONFLICT)
    is_refused = any(one is not None and one.errors for one in (form, ask_form))
    status = forms.UNPROCESSABLE if is_refused else 200
    return render(request, "frontend/bids/room.html", context, status=status)


def _offer(bid: Bid | None) -> dict:
    if bid is None:
        return {}
    return {"rate_ppm": bid.rate_ppm, "capacity_loans": bid.capacity_loans, "note": bid.note}


def _placement(actor, share):
    """What the agency won, as long as it may work on it."""
    if share is None:
        return None
    return visible_placements(actor).filter(pk=share.placement_id).first()
