"""Listings: the market's list, one listing for either side, publication and withdrawal."""

import datetime
from zoneinfo import ZoneInfo

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from agencies.models import PanelMembership
from config import clock, errors
from frontend import forms, tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import awards, bids, rooms
from marketplace.models import Listing
from marketplace.selectors import (
    shown_listings,
    visible_listings,
    with_own_offer,
    with_tape,
)
from marketplace.services import listings
from marketplace.services import terms as texts
from portfolios.models import Portfolio
from portfolios.selectors import visible_loans, visible_portfolios
from portfolios.services import eligibility

VIEWERS = policies.INSTITUTION_PEOPLE | policies.AGENCY_PEOPLE
OPEN_DAYS = 7
CLOSING_HOUR = 17


class ListingTable(tables.Table):
    """What both sides see of a listing in a row."""

    caption = gettext_lazy("Listings")

    title = django_tables2.Column(verbose_name=gettext_lazy("Listing"))
    phase = tables.StateColumn(verbose_name=gettext_lazy("State"))
    closes_at = django_tables2.Column(verbose_name=gettext_lazy("Closes"))
    loan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    balance_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    highest_rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("Highest rate"))

    def render_title(self, value, record):
        return tables.link(reverse("listing", args=[record.pk]), value, _what(record))

    def render_closes_at(self, value, record):
        zone = record.institution.time_zone
        if record.phase != "open":
            return fairplace.zoned(value, zone)
        if not hasattr(self, "rendered_at"):
            self.rendered_at = clock.now()
        return fairplace.deadline_html(value, self.rendered_at, zone, record.published_at)


class BankTable(ListingTable):
    empty_title = gettext_lazy("No portfolio was published yet")
    empty_text = gettext_lazy("Open a portfolio and publish it for bids; it appears here.")

    def render_phase(self, value):
        return fairplace.badge(awards.bank_state(value))


class AgencyTable(ListingTable):
    empty_title = gettext_lazy("No bank invites you to bid now")
    empty_text = gettext_lazy(
        "Listings of the banks that admitted you to their panel appear here when they open."
    )

    offer = django_tables2.Column(
        verbose_name=gettext_lazy("Your bid"), empty_values=(), order_by="bid_rate_ppm"
    )

    class Meta:
        sequence = ("title", "phase", "offer", "...")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # In the order of a figure that is not shown the figure could be read.
        for name in ("loan_count", "balance_minor", "highest_rate_ppm"):
            self.columns[name].column.orderable = False

    def render_title(self, value, record):
        what = f" · {_what(record)}" if record.is_opened else ""
        note = f"{record.institution.name}{what}"
        return tables.link(reverse("listing", args=[record.pk]), value, note)

    def render_loan_count(self, record):
        if not record.is_opened:
            return rooms.size_words(record)
        return fairplace.integer(record.tape_loan_count)

    def render_balance_minor(self, record):
        shown_minor = record.tape_balance_minor if record.is_opened else None
        return fairplace.money(shown_minor, record.currency)

    def render_highest_rate_ppm(self, record):
        return fairplace.rate(record.highest_rate_ppm if record.is_opened else None)

    def render_offer(self, record):
        return bids.standing(record)


class ListingFilter(tables.FilterSet):
    title = django_filters.CharFilter(label=gettext_lazy("Name"), lookup_expr="icontains")
    phase = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=Listing.Phase.choices)


class AgencyFilter(ListingFilter):
    bid = django_filters.ChoiceFilter(
        label=gettext_lazy("Your bid"),
        field_name="bid_rate_ppm",
        choices=[("yes", gettext_lazy("Submitted")), ("no", gettext_lazy("None"))],
        method="with_bid",
    )

    def with_bid(self, queryset, name, value):
        return queryset.filter(bid_rate_ppm__isnull=value == "no")


def _what(listing: Listing) -> str:
    return f"{listing.product}, {listing.jurisdiction}"


@page(allow=VIEWERS)
def listing_list(request: HttpRequest) -> HttpResponse:
    """The bank's listings, or those an agency may bid on; the open ones first."""
    actor = request.actor
    rows = shown_listings(actor)
    if actor.kind == "agency":
        rows = with_tape(actor, with_own_offer(actor, rows))
        found = AgencyFilter(request.GET or None, _soonest_first(rows))
        table = AgencyTable(found.qs, request=request)
        lead = _("Portfolios that banks offer you. Bids are sealed: only you know of yours.")
    else:
        found = ListingFilter(request.GET or None, _soonest_first(rows))
        table = BankTable(found.qs, request=request)
        lead = _("Portfolios published for bids. Bids are sealed until a listing closes.")
    context = {"title": _("Listings"), "lead": lead, "table": table, "filterset": found}
    return render(request, "frontend/listings/list.html", context)


def _soonest_first(rows: QuerySet[Listing]) -> QuerySet[Listing]:
    """What is open, the soonest to close first; what waits for a decision; then the newest."""
    place = Case(When(phase="open", then=Value(0)), When(phase="closed", then=Value(1)), default=2)
    ends = Case(When(phase="open", then=F("closes_at")))
    return rows.order_by(place, ends, "-closes_at")


@page(allow=VIEWERS)
def listing(request: HttpRequest, pk) -> HttpResponse:
    """One listing: a sealed room before the closing, bids and the award after it."""
    rows = shown_listings(request.actor)
    if request.actor.kind == "agency":
        return bids.room(request, selectors.find(rows, pk=pk))
    return awards.room(request, selectors.find(rows, pk=pk))


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
        max_length=texts.LONGEST,
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
    agencies = _approved_agencies(actor)
    form = PublishForm(
        request.POST or None,
        request.FILES or None,
        time_zone=time_zone,
        agencies=agencies,
        initial={
            "closes_at": _usual_closing(time_zone),
            "term_days": 365,
            "terms": texts.usual(actor),
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
        "breadcrumbs": _above(portfolio),
        "portfolio": portfolio,
        "form": form,
        "agencies": agencies,
        "offered": _offered(actor, portfolio),
    }
    return forms.render_page(request, "frontend/listings/publish.html", context)


def _published_already(request: HttpRequest, portfolio: Portfolio) -> HttpResponse:
    current = visible_listings(request.actor).filter(portfolio=portfolio)
    current = current.exclude(state=Listing.State.WITHDRAWN).first()
    if current is None:
        raise errors.InvalidState("NOT_A_DRAFT", _("This portfolio is published already."))
    messages.info(request, _("This portfolio is published already: here is its listing."))
    return redirect("listing", current.pk)


def _approved_agencies(actor) -> list[tuple[str, str]]:
    rows = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    rows = rows.order_by("agency__name").values_list("agency_id", "agency__name")
    return [(str(agency_id), name) for agency_id, name in rows]


def _usual_closing(time_zone: str) -> datetime.datetime:
    """A week from now at the end of the working day, in the bank's own zone."""
    zone = ZoneInfo(time_zone)
    day = clock.business_date(time_zone) + datetime.timedelta(days=OPEN_DAYS)
    return datetime.datetime.combine(day, datetime.time(CLOSING_HOUR), zone)


def _above(portfolio: Portfolio) -> list[tuple[str, str]]:
    return [
        (_("Portfolios"), reverse("portfolios")),
        (portfolio.name, reverse("portfolio", args=[portfolio.pk])),
    ]


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
        "breadcrumbs": [
            (_("Listings"), reverse("listings")),
            (found.title, reverse("listing", args=[pk])),
        ],
        "listing": found,
        "form": form,
    }
    return forms.render_page(request, "frontend/listings/withdraw.html", context)
