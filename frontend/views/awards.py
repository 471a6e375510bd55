"""Awards: a listing as the bank sees it, from sealed bids to the lots that were placed."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from agencies.models import PanelMembership
from config import errors, money
from frontend import forms, strata, trail
from frontend.access import page
from frontend.templatetags import fairplace, states
from frontend.views import rooms
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


class AwardForm(forms.ConfirmForm):
    """A share in per cent for each bid that may win, a reason, and the title typed."""

    reason = forms.ReasonField(
        help_text=gettext_lazy("Kept in the audit trail. No agency reads it.")
    )

    def __init__(self, data=None, *, listing: Listing, bids: list[Bid]):
        super().__init__(data, expected=listing.title)
        self.bids = [bid for bid in bids if _may_win(bid)]
        for bid in self.bids:
            self.fields[_field(bid)] = forms.RateField(
                label=bid.agency.name,
                required=False,
                help_text=_("%(rate)s, up to %(loans)s")
                % {
                    "rate": fairplace.rate(bid.rate_ppm),
                    "loans": fairplace.loans(bid.capacity_loans),
                },
            )
        forms.dress(self)

    @property
    def share_fields(self) -> list:
        return [self[_field(bid)] for bid in self.bids]

    def shares(self) -> list[awards.Share]:
        """The shares above nothing that can be read, in the order of the bids."""
        given = [(bid, self.cleaned_data.get(_field(bid))) for bid in self.bids]
        return [awards.Share(bid.pk, share_ppm) for bid, share_ppm in given if share_ppm]

    def refuse(self, error: errors.DomainError) -> None:
        """Put a refusal beside the share that it is about."""
        if error.row is None:
            forms.form_from_error(self, error)
        else:
            self.add_error(f"share-{self.shares()[error.row - 1].bid_id}", error.message)


def _may_win(bid: Bid) -> bool:
    return bid.standing == PanelMembership.State.APPROVED


def _field(bid: Bid) -> str:
    return f"share-{bid.pk}"


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def award(request: HttpRequest, pk) -> HttpResponse:
    """Decide a closed listing, once and for all."""
    listing = selectors.find(shown_listings(request.actor), pk=pk)
    if listing.phase != Listing.Phase.CLOSED:
        return room(request, listing, problem=awards.REFUSALS["NOT_AWARDABLE"])
    form = AwardForm(request.POST, listing=listing, bids=_bids(request.actor, listing))
    if form.is_valid():
        shares = form.shares()
        try:
            awards.award(
                actor=request.actor,
                listing_id=pk,
                shares=shares,
                reason=form.cleaned_data["reason"],
            )
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
        context = {"listing": listing, "form": form, "plan": _plan(request.actor, listing, form)}
        return render(request, "frontend/awards/preview.html", context)
    plan = _plan(request.actor, listing, form)
    for name in ("confirmation", "reason"):
        form.errors.pop(name, None)
    return room(request, listing, form=form, plan=plan)


def bank_state(phase: str) -> str:
    """A phase as the bank reads it: what has closed waits for its decision."""
    return "to_award" if phase == Listing.Phase.CLOSED else phase


def _bids(actor, listing: Listing) -> list[Bid]:
    """The lowest rate first, those that cannot win last; none before the closing."""
    found = shown_bids(actor).filter(listing=listing).order_by("rate_ppm", "submitted_at")
    return sorted(found, key=_may_win, reverse=True)


def _plan(actor, listing: Listing, form: AwardForm) -> dict | None:
    """The plan of the form's shares with names and sentences, for the preview."""
    shares = form.shares()
    if not shares:
        return None
    plan = awards.preview(actor=actor, listing_id=listing.pk, shares=shares)
    bids = {bid.pk: bid for bid in form.bids}
    return {
        "rows": [
            {
                "agency": bids[share.bid_id].agency.name,
                "share_ppm": share.share_ppm,
                "rate_ppm": bids[share.bid_id].rate_ppm,
                "lot": lot,
                "problem": awards.REFUSALS.get(lot.problem, ""),
            }
            for share, lot in zip(shares, plan.lots, strict=True)
        ],
        "share_ppm": plan.share_ppm,
        "unplaced_ppm": money.PPM - plan.share_ppm,
        "unplaced_loans": plan.unplaced_loans,
        "unplaced_minor": plan.unplaced_minor,
        "problem": awards.REFUSALS["SHARES_ABOVE_WHOLE"] if plan.is_above_whole else "",
        "has_problem": plan.is_above_whole or any(lot.problem for lot in plan.lots),
    }


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
        plan = _plan(actor, listing, form)
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
        "comparison": _comparison(listing, bids),
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
    return {
        "rows": rows,
        "loans": sum(row.placement.loan_count for row in rows),
        "balance_minor": sum(row.placement.balance_minor for row in rows),
        "share_ppm": share_ppm,
        "left_ppm": money.PPM - share_ppm,
    }


def _comparison(listing: Listing, bids: list[Bid]) -> dict:
    """Bids side by side, as `{% comparison %}` takes them; the lowest rate first."""
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
                "best": _best([-bid.rate_ppm for bid in bids if _may_win(bid)]),
            },
            {
                "label": _("Loans it can take"),
                "values": [fairplace.integer(bid.capacity_loans) for bid in bids],
                "best": _best(
                    [min(bid.capacity_loans, listing.loan_count) for bid in bids if _may_win(bid)]
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
