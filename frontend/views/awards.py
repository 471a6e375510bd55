"""Awards: a listing as the bank sees it, from sealed bids to the lots that were placed."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors, money
from frontend import comparisons, forms, lot_balances, strata, trail
from frontend.access import page
from frontend.views import rooms
from frontend.views.award_form import AwardForm, compared, plan_of
from marketplace.models import Award, Bid, Listing
from marketplace.selectors import (
    shown_award_shares,
    shown_bids,
    shown_listings,
    visible_awards,
    visible_invitations,
    visible_questions,
    visible_tapes,
    visible_terms,
)
from marketplace.services import awards

CONFLICT = 409


REHEARSED_WHILE_TYPING = 50_000
"""Loans up to which every change of a share is rehearsed at once; more take the button."""


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def award(request: HttpRequest, pk) -> HttpResponse:
    """Decide a closed listing, once and for all."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    if listing.phase != Listing.Phase.CLOSED:
        return room(request, listing, problem=awards.REFUSALS["NOT_AWARDABLE"])
    form = AwardForm(request.POST, listing=listing, bids=_bids(request.actor, listing))
    if form.is_valid():
        try:
            awards.award(actor=request.actor, listing_id=pk, **form.decision())
        except errors.InvalidInput as error:
            form.refuse(error)
        except errors.InvalidState as error:
            now = selectors.find(shown_listings(request.actor), pk=pk)
            return room(request, now, problem=error.message)
        else:
            messages.success(
                request,
                _("%(title)s is awarded: the lots are drawn and placed.")
                % {"title": listing.title},
            )
            return redirect("listing", pk)
    return room(request, listing, form=form)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def preview(request: HttpRequest, pk) -> HttpResponse:
    """What the shares typed so far would place: a part of the page, or without htmx all of it."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    form = AwardForm(request.POST, listing=listing, bids=_bids(request.actor, listing))
    form.is_valid()
    if request.htmx:
        plan = plan_of(request.actor, listing, form, REHEARSED_WHILE_TYPING)
        context = {"listing": listing, "form": form, "plan": plan}
        return render(request, "frontend/awards/preview.html", context)
    plan = plan_of(request.actor, listing, form)
    for name in ("confirmation", "reason"):
        form.errors.pop(name, None)
    return room(request, listing, form=form, plan=plan)


def bank_state(phase: str) -> str:
    """A phase as the bank reads it: what has closed waits for its decision."""
    return "to_award" if phase == Listing.Phase.CLOSED else phase


def _bids(actor, listing: Listing) -> list[Bid]:
    """The lowest rate first, those that cannot win last; none before the closing."""
    found = shown_bids(actor).filter(listing=listing).order_by("rate_ppm", "submitted_at")
    return sorted(found, key=comparisons.may_win, reverse=True)


def room(
    request: HttpRequest, listing: Listing, *, form=None, plan=None, files_form=None, problem=""
) -> HttpResponse:
    """One listing for the bank's people: sealed, to be decided, decided, or withdrawn.

    `problem` is why a decision was refused because of how the listing stands (409).
    """
    actor = request.actor
    bids = _bids(actor, listing)
    manages = policies.allows(actor, policies.VENDOR_MANAGERS)
    decides = manages and listing.phase == Listing.Phase.CLOSED
    if decides and form is None:
        form = AwardForm(listing=listing, bids=bids)
    if decides and form.is_bound and plan is None:
        plan = plan_of(actor, listing, form)
    is_open = listing.phase == Listing.Phase.OPEN
    if files_form is None and manages and is_open:
        files_form = forms.FilesForm()
    tape = selectors.find(visible_tapes(actor), listing=listing)
    made = visible_awards(actor).filter(listing=listing).select_related("awarded_by").first()
    context = {
        "title": listing.title,
        "state": bank_state(listing.phase),
        "lead": f"{listing.product}, {listing.jurisdiction}",
        "breadcrumbs": [(_("Listings"), reverse("listings"))],
        "listing": listing,
        "time_zone": listing.institution.time_zone,
        "may_withdraw": manages and listing.state == Listing.State.OPEN,
        "may_publish": manages and listing.state == Listing.State.WITHDRAWN,
        "bids": bids,
        "comparison": comparisons.of_bids(listing, bids),
        "form": form if decides else None,
        "plan": plan,
        "award": made,
        "shares": _shares(actor, made),
        "problem": problem,
        "invited": visible_invitations(actor)
        .filter(listing=listing)
        .values_list("agency__name", flat=True)
        .order_by("agency__name"),
        **strata.contents(listing, tape),
        "average_minor": listing.balance_minor // listing.loan_count,
        "documents": rooms.documents_of(actor, listing),
        "files_form": files_form,
        "may_edit": manages and is_open,
        "may_read_log": policies.allows(actor, rooms.LOG_READERS),
        "questions": _questions(actor, listing),
        "terms": visible_terms(actor).filter(listing=listing, sha256=listing.terms_sha256).first(),
        "entries": trail.timeline(actor, listing),
    }
    if problem:
        return render(request, "frontend/awards/room.html", context, status=CONFLICT)
    is_refused = any(one is not None and one.errors for one in (form, files_form))
    status = forms.UNPROCESSABLE if is_refused else 200
    return render(request, "frontend/awards/room.html", context, status=status)


def _questions(actor, listing: Listing) -> dict[str, int]:
    """`{asked, unanswered, drafted}`: how many questions there are, and what waits for the bank."""
    return (
        visible_questions(actor)
        .filter(listing=listing)
        .aggregate(
            asked=Count("pk"),
            unanswered=Count("pk", filter=Q(answer__isnull=True)),
            drafted=Count("answer", filter=Q(answer__published_at__isnull=True)),
        )
    )


def _shares(actor, made: Award | None) -> dict | None:
    """The lots of an award, and the part of the portfolio that nobody got."""
    if made is None:
        return None
    rows = list(
        shown_award_shares(actor).filter(award=made).select_related("placement").order_by("lot")
    )
    share_ppm = sum(row.share_ppm for row in rows)
    told = [(row.agency.name, row.balance) for row in rows]
    told += [(compared(row.agency.name), row.comparison_balance) for row in rows]
    told += [(_("Held out"), made.hold_out_balance)]
    return {
        "rows": rows,
        "chart": lot_balances.chart(told),
        "loans": sum(row.placement.loan_count for row in rows),
        "balance_minor": sum(row.placement.balance_minor for row in rows),
        "share_ppm": share_ppm,
        "left_ppm": money.PPM - share_ppm - made.hold_out_ppm,
    }
