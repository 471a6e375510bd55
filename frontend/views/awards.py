"""Awards: a listing as the bank sees it, from sealed bids to the lots that were placed."""

import dataclasses

from django import forms as django_forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors, texts
from config import errors, money
from frontend import comparisons, forms, lot_balances, strata, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import rooms
from marketplace import allocation
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
from portfolios.services import limits

CONFLICT = 409


REHEARSED_WHILE_TYPING = 50_000
"""Loans up to which every change of a share is rehearsed at once; more take the button."""


class AwardForm(forms.ConfirmForm):
    """A share in per cent for each bid that may win, a reason, and the title typed; optionally a
    part for comparison, a hold-out, and why unlike lots are accepted."""

    reason = forms.ReasonField(
        help_text=gettext_lazy("Kept in the audit trail. No agency reads it.")
    )
    comparison_ppm = forms.RateField(
        label=gettext_lazy("Part for comparison"),
        required=False,
        help_text=gettext_lazy(
            "Of all loans; every winner gets an equal lot of it, within its share."
        ),
    )
    hold_out_ppm = forms.RateField(
        label=gettext_lazy("Part to hold out"),
        required=False,
        highest_ppm=999_999,
        help_text=gettext_lazy("Of all loans; drawn like the others and placed with nobody."),
    )
    hold_out_until = forms.DayField(label=gettext_lazy("Held out until"), required=False)
    hold_out_reason = django_forms.CharField(
        label=gettext_lazy("Why they are held out"),
        required=False,
        max_length=texts.LONGEST,
    )
    imbalance_reason = forms.ReasonField(
        label=gettext_lazy("Why these lots are good enough"),
        required=False,
        help_text=gettext_lazy("Kept with the award and in the audit trail."),
    )

    def __init__(self, data=None, *, listing: Listing, bids: list[Bid]):
        super().__init__(data, expected=listing.title)
        self.bids = [bid for bid in bids if comparisons.may_win(bid)]
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

    @property
    def sets_parts(self) -> bool:
        """Whether anything is typed, or wrong, in what stands folded away."""
        names = ("comparison_ppm", "hold_out_ppm", "hold_out_until", "hold_out_reason")
        return any(self[name].value() or self[name].errors for name in names)

    def shares(self) -> list[awards.Share]:
        """The shares above nothing that can be read, in the order of the bids."""
        given = [(bid, self.cleaned_data.get(_field(bid))) for bid in self.bids]
        return [awards.Share(bid.pk, share_ppm) for bid, share_ppm in given if share_ppm]

    def parts(self) -> dict[str, int]:
        """What is drawn besides the shares, as far as it can be read."""
        return {
            name: self.cleaned_data.get(name) or 0 for name in ("comparison_ppm", "hold_out_ppm")
        }

    def decision(self) -> dict:
        """What `awards.award` takes, of a valid form."""
        given, parts = self.cleaned_data, self.parts()
        return {
            "shares": self.shares(),
            "reason": given["reason"],
            "comparison_ppm": parts["comparison_ppm"],
            "hold_out": awards.HoldOut(
                parts["hold_out_ppm"], given["hold_out_until"], given["hold_out_reason"]
            ),
            "imbalance_reason": given["imbalance_reason"],
        }

    def refuse(self, error: errors.DomainError) -> None:
        """Put a refusal beside the share that it is about."""
        if error.row is None:
            forms.form_from_error(self, error)
        else:
            self.add_error(f"share-{self.shares()[error.row - 1].bid_id}", error.message)


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
        plan = _plan(request.actor, listing, form, REHEARSED_WHILE_TYPING)
        context = {"listing": listing, "form": form, "plan": plan}
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
    return sorted(found, key=comparisons.may_win, reverse=True)


def _plan(
    actor, listing: Listing, form: AwardForm, rehearse_up_to: int | None = None
) -> dict | None:
    """The plan of the form's shares with names and sentences, for the preview."""
    shares = form.shares()
    if not shares:
        return None
    found = awards.preview(
        actor=actor,
        listing_id=listing.pk,
        shares=shares,
        rehearse_up_to=rehearse_up_to,
        **form.parts(),
    )
    plan, rehearsal = found.plan, found.rehearsal
    bids = {bid.pk: bid for bid in form.bids}
    return {
        "chart": _rehearsed(rehearsal, [bids[share.bid_id].agency.name for share in shares]),
        "is_postponed": found.is_postponed,
        "needs_acceptance": bool(rehearsal and rehearsal.needs_acceptance),
        "is_refused": bool(rehearsal and rehearsal.is_refused),
        "held_out_ppm": form.parts()["hold_out_ppm"],
        "held_out_loans": plan.held_out_loans,
        "held_out_minor": plan.held_out_minor,
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
        "left_out": [
            {
                "words": limits.WORDS[row.code],
                "loans": row.loan_count,
                "balance_minor": row.balance_minor,
            }
            for row in plan.left_out
        ],
        "problem": awards.REFUSALS["SHARES_ABOVE_WHOLE"] if plan.is_above_whole else "",
        "has_problem": plan.is_above_whole or any(lot.problem for lot in plan.lots),
    }


def _rehearsed(drawn: allocation.Drawn | None, names: list[str]) -> dict | None:
    """The love plot of a rehearsal; the lots come in the order of the names."""
    if drawn is None:
        return None
    told = list(zip(names, map(dataclasses.asdict, drawn.lots), strict=True))
    for name, comparison in zip(names, drawn.comparisons, strict=False):
        told.append((_compared(name), dataclasses.asdict(comparison)))
    if drawn.hold_out:
        told.append((_("Held out"), dataclasses.asdict(drawn.hold_out)))
    return lot_balances.chart(told, rehearsed=True)


def _compared(name: str) -> str:
    return _("%(agency)s, for comparison") % {"agency": name}


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
    told += [(_compared(row.agency.name), row.comparison_balance) for row in rows]
    told += [(_("Held out"), made.hold_out_balance)]
    return {
        "rows": rows,
        "chart": lot_balances.chart(told),
        "loans": sum(row.placement.loan_count for row in rows),
        "balance_minor": sum(row.placement.balance_minor for row in rows),
        "share_ppm": share_ppm,
        "left_ppm": money.PPM - share_ppm - made.hold_out_ppm,
    }
