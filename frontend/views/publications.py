"""Publishing a portfolio for bids under terms, and taking a listing off the market again."""

import dataclasses
import datetime
import uuid
from zoneinfo import ZoneInfo

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from agencies.models import PanelMembership
from config import clock, errors
from frontend import breadcrumbs, forms
from frontend.access import page
from frontend.templatetags import fairplace
from marketplace.models import Listing
from marketplace.selectors import (
    shown_listings,
    visible_listings,
)
from marketplace.services import listings
from marketplace.services import terms as bidding_terms
from portfolios.models import Portfolio
from portfolios.selectors import visible_loans, visible_portfolios
from portfolios.services import eligibility, limits, rules

OPEN_DAYS = 7
CLOSING_HOUR = 17


class PublishForm(forms.Form):
    """The terms of a listing. Whoever may bid is chosen among approved agencies."""

    closes_at = forms.MomentField(
        label=gettext_lazy("Closing time"),
        help_text=gettext_lazy(
            "Agencies bid until then, and nobody reads a bid before. It cannot be moved later."
        ),
    )
    highest_rate_ppm = forms.RateField(
        label=gettext_lazy("Highest commission rate"),
        lowest_ppm=1,
        help_text=gettext_lazy("Of what is recovered. Bids above it are refused."),
    )
    term_days = django_forms.IntegerField(
        label=gettext_lazy("Term in days"),
        min_value=1,
        max_value=listings.LONGEST_TERM_DAYS,
        help_text=gettext_lazy("How long an agency keeps its loans, counted from the award."),
    )
    audience = django_forms.ChoiceField(
        label=gettext_lazy("Who may bid"), widget=django_forms.RadioSelect, initial="all"
    )
    invited = django_forms.MultipleChoiceField(
        label=gettext_lazy("Invited agencies"),
        widget=django_forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("They do not learn who else is invited."),
    )
    terms = django_forms.CharField(
        label=gettext_lazy("Terms for bidders"),
        help_text=gettext_lazy("Everybody accepts them before they see more than the title."),
        max_length=bidding_terms.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 8}),
    )
    files = forms.FilesField(
        label=gettext_lazy("Documents"),
        required=False,
        help_text=gettext_lazy(
            "PDF, text, CSV or XLSX, at most 10 MB each. You can add more later."
        ),
    )

    def __init__(
        self, data=None, files=None, *, time_zone: str, agencies: list[tuple[str, str]], **kwargs
    ):
        super().__init__(data, files, **kwargs)
        self.fields["closes_at"].time_zone = time_zone
        count = len(agencies)
        everybody = ngettext(
            "The one approved agency of your panel",
            "All %(count)s approved agencies of your panel",
            count,
        ) % {"count": fairplace.integer(count)}
        self.fields["audience"].choices = [
            ("all", everybody),
            ("invited", _("Only the agencies ticked below")),
        ]
        self.fields["invited"].choices = agencies

    def clean(self):
        given = super().clean()
        is_invited = given.get("audience") == "invited"
        if is_invited and "invited" in given and not given["invited"]:
            self.add_error("invited", _("Tick at least one agency."))
        return given

    def decided(self) -> dict:
        """What `listings.publish` takes."""
        given = dict(self.cleaned_data)
        invited = given.pop("invited")
        only_invited = given.pop("audience") == "invited"
        files = forms.contents(given.pop("files"))
        return {**given, "invited_agency_ids": invited if only_invited else None, "files": files}


@page(allow=policies.VENDOR_MANAGERS)
def publish(request: HttpRequest, portfolio_pk) -> HttpResponse:
    """Open a draft portfolio for bids."""
    actor = request.actor
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_pk)
    if portfolio.state != Portfolio.State.DRAFT:
        return _published_already(request, portfolio)
    time_zone = selectors.time_zone_of(actor)
    agencies = _approved_agencies(actor, portfolio)
    form = PublishForm(
        request.POST or None,
        request.FILES or None,
        time_zone=time_zone,
        agencies=[(str(agency.pk), agency.words) for agency in agencies],
        initial={
            "closes_at": _usual_closing(time_zone),
            "term_days": 365,
            "terms": bidding_terms.usual(actor),
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = listings.publish(actor=actor, portfolio_id=portfolio.pk, **form.decided())
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error, {"invited_agency_ids": "invited"})
        else:
            messages.success(
                request,
                _("%(title)s is open for bids until %(moment)s.")
                % {
                    "title": made.title,
                    "moment": fairplace.moment_text(made.closes_at, time_zone),
                },
            )
            return redirect("listing", made.pk)
    context = {
        "title": _("Publish for bids"),
        "lead": portfolio.name,
        "breadcrumbs": breadcrumbs.to_portfolio(portfolio),
        "portfolio": portfolio,
        "form": form,
        "agencies": agencies,
        "is_licensed": any(agency.loans for agency in agencies),
        "offered": _offered(actor, portfolio),
        "tail_days": rules.current(actor=actor).tail_days,
    }
    return forms.render_page(request, "frontend/listings/publish.html", context)


def _published_already(request: HttpRequest, portfolio: Portfolio) -> HttpResponse:
    current = visible_listings(request.actor).filter(portfolio=portfolio)
    current = current.exclude(state=Listing.State.WITHDRAWN).first()
    if current is None:
        raise errors.InvalidState("NOT_A_DRAFT", _("This portfolio is published already."))
    messages.info(request, _("This portfolio is published already: here is its listing."))
    return redirect("listing", current.pk)


@dataclasses.dataclass(frozen=True)
class Approved:
    """An agency that could bid; `loans` of `of_loans` lie where it is licensed."""

    pk: uuid.UUID
    name: str
    loans: int
    of_loans: int

    @property
    def words(self) -> str:
        if self.loans == self.of_loans:
            return self.name
        if not self.loans:
            return _("%(agency)s, not licensed where these borrowers live") % {"agency": self.name}
        return _("%(agency)s, licensed for %(count)s of %(loans)s") % {
            "agency": self.name,
            "count": fairplace.integer(self.loans),
            "loans": fairplace.loans(self.of_loans),
        }


def _approved_agencies(actor, portfolio: Portfolio) -> list[Approved]:
    rows = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    names = dict(rows.order_by("agency__name").values_list("agency_id", "agency__name"))
    loans = visible_loans(actor).filter(portfolio=portfolio)
    licensed = limits.licensed(actor, loans, list(names))
    total = loans.count()
    return [Approved(pk, name, licensed[pk], total) for pk, name in names.items()]


def _usual_closing(time_zone: str) -> datetime.datetime:
    """A week from now at the end of the working day, in the bank's own zone."""
    zone = ZoneInfo(time_zone)
    day = clock.business_date(time_zone) + datetime.timedelta(days=OPEN_DAYS)
    return datetime.datetime.combine(day, datetime.time(CLOSING_HOUR), zone)


def _offered(actor, portfolio: Portfolio) -> dict:
    """What would be listed, and what the eligibility test keeps out."""
    found = eligibility.test(actor, visible_loans(actor).filter(portfolio=portfolio).order_by())
    return {
        "loans": found.placeable_count,
        "balance_minor": found.placeable_minor,
        "held": found.held_count,
        "settled": found.settled_count,
        "barred": found.barred_count,
        "warned": found.warned_count,
    }


class WithdrawForm(forms.Form):
    reason = forms.ReasonField(
        help_text=gettext_lazy("Kept in the audit trail; agencies see only that it was withdrawn.")
    )


@page(allow=policies.VENDOR_MANAGERS)
def withdraw(request: HttpRequest, pk) -> HttpResponse:
    """Take a listing that was not awarded off the market, with a reason."""
    found = selectors.find(shown_listings(request.actor), pk=pk)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            listings.withdraw(actor=request.actor, listing_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(
                request,
                _("%(title)s is off the market; its portfolio is a draft again.")
                % {"title": found.title},
            )
            return redirect("listing", pk)
    context = {
        "title": _("Withdraw the listing"),
        "lead": found.title,
        "breadcrumbs": breadcrumbs.to_listing(found),
        "listing": found,
        "form": form,
    }
    return forms.render_page(request, "frontend/listings/withdraw.html", context)
