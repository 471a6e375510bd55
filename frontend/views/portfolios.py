"""Portfolios: the list, a new one, and what one is made of and where it stands."""

import django_filters
import django_tables2
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import errors, money
from frontend import composition, forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.placements import PlacementTable
from marketplace.selectors import visible_listings
from portfolios.models import Portfolio
from portfolios.selectors import (
    shown_placements,
    shown_portfolios,
    visible_imports,
    visible_portfolios,
    visible_tallies,
)
from portfolios.services import portfolios
from portfolios.services.imports import UNFINISHED

COMMON_CURRENCIES = ("USD", "EUR", "GBP", "CNY", "HKD", "SGD", "JPY", "INR")
State = Portfolio.State


class PortfolioTable(tables.Table):
    caption = gettext_lazy("Portfolios")
    empty_title = gettext_lazy("No portfolio yet")
    empty_text = gettext_lazy("A vendor manager makes one and imports a file of loans into it.")

    name = django_tables2.Column(verbose_name=gettext_lazy("Name"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    loan_count = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    balance_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Balance"))
    free_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Not placed"))
    created_at = tables.MomentColumn(verbose_name=gettext_lazy("Made"))

    def render_name(self, record):
        note = f"{record.product} · {record.jurisdiction}"
        return tables.link(reverse("portfolio", args=[record.pk]), record.name, note)


class PortfolioFilter(tables.FilterSet):
    text = django_filters.CharFilter(label=gettext_lazy("Name or product"), method="containing")
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)
    currency = django_filters.CharFilter(
        label=gettext_lazy("Currency"), field_name="currency", lookup_expr="iexact"
    )

    def containing(self, queryset, name, value):
        return queryset.filter(Q(name__icontains=value) | Q(product__icontains=value))


@page(allow=policies.INSTITUTION_PEOPLE)
def portfolio_list(request: HttpRequest) -> HttpResponse:
    """Every portfolio of the bank, and what of them nobody works on."""
    rows = shown_portfolios(request.actor).order_by("-created_at")
    found = PortfolioFilter(request.GET or None, rows)
    zone = selectors.time_zone_of(request.actor)
    return render(
        request,
        "frontend/portfolios/list.html",
        {
            "title": _("Portfolios"),
            "lead": _("Loans that are published and placed together."),
            "table": PortfolioTable(found.qs, request=request, time_zone=zone),
            "filterset": found,
            "stats": [*_waiting(request.actor), *_free(request.actor)],
            "may_create": policies.allows(request.actor, policies.VENDOR_MANAGERS),
        },
    )


def _waiting(actor) -> list[dict]:
    """How many are drafts and how many are open for bids."""
    states = visible_portfolios(actor).order_by().values_list("state").annotate(Count("pk"))
    counts = dict(states)
    labels = {State.DRAFT: _("Drafts to publish"), State.LISTED: _("Published for bids")}
    return [
        {"label": label, "value": counts.get(state, 0), "url": f"?state={state}"}
        for state, label in labels.items()
    ]


def _free(actor) -> list[dict]:
    """The balance that nobody works on, one tile for each currency."""
    free = shown_portfolios(actor).filter(free_minor__gt=0).order_by().values("currency")
    return [
        {
            "label": _("Not placed, %(currency)s") % {"currency": row["currency"]},
            "value": fairplace.money_short(row["total_minor"], row["currency"]),
            "note": fairplace.money(row["total_minor"], row["currency"]),
        }
        for row in free.annotate(total_minor=Sum("free_minor")).order_by("-total_minor")[:3]
    ]


class PortfolioForm(forms.Form):
    name = forms.forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Yours alone; bidders see it as the title of the listing."),
    )
    product = forms.forms.CharField(
        label=gettext_lazy("Product"),
        max_length=60,
        help_text=gettext_lazy("What was lent, such as personal loan or credit card."),
    )
    currency = forms.forms.ChoiceField(
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Of every loan in it; it cannot be changed later."),
    )
    jurisdiction = forms.forms.CharField(
        label=gettext_lazy("Jurisdiction"),
        max_length=10,
        help_text=gettext_lazy("A country or a part of one by ISO 3166, such as US or US-NY."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        others = sorted(set(money.CURRENCIES) - set(COMMON_CURRENCIES))
        self.fields["currency"].choices = [
            (_("Common"), [(code, code) for code in COMMON_CURRENCIES]),
            (_("All others"), [(code, code) for code in others]),
        ]


@page(allow=policies.VENDOR_MANAGERS)
def create(request: HttpRequest) -> HttpResponse:
    """An empty draft; the next step is its file of loans."""
    form = PortfolioForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = portfolios.create(actor=request.actor, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The portfolio is there. Now import its loans."))
            return redirect("loans_import", made.pk)
    return forms.render_page(
        request,
        "frontend/portfolios/create.html",
        {
            "title": _("New portfolio"),
            "lead": _("Loans of one currency and jurisdiction that agencies bid for together."),
            "breadcrumbs": [(_("Portfolios"), reverse("portfolios"))],
            "form": form,
        },
    )


class ImportTable(tables.Table):
    caption = gettext_lazy("Imports")
    empty_title = gettext_lazy("Nothing imported yet")

    file_name = django_tables2.Column(verbose_name=gettext_lazy("File"))
    rows_imported = tables.IntegerColumn(verbose_name=gettext_lazy("Loans"))
    rejected = tables.IntegerColumn(
        verbose_name=gettext_lazy("Left out"), orderable=False, empty_values=()
    )
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    uploaded_at = tables.MomentColumn(verbose_name=gettext_lazy("Sent"))

    def render_file_name(self, record):
        by = _("by %(name)s") % {"name": record.uploaded_by.name}
        return tables.link(reverse("loan_import", args=[record.pk]), record.file_name, by)

    def render_rejected(self, record):
        return fairplace.integer(record.rows_read - record.rows_good)


@page(allow=policies.INSTITUTION_PEOPLE)
def portfolio(request: HttpRequest, pk) -> HttpResponse:
    """One portfolio: what is in it, what is next, and what happened."""
    found = selectors.find(shown_portfolios(request.actor), pk=pk)
    made_of = portfolios.composition_of(visible_tallies(request.actor).filter(portfolio=found))
    zone = selectors.time_zone_of(request.actor)
    imports = visible_imports(request.actor).filter(portfolio=found)
    imports = imports.select_related("uploaded_by")
    placements = shown_placements(request.actor).filter(portfolio=found).order_by("-opened_at")
    return render(
        request,
        "frontend/portfolios/portfolio.html",
        {
            "title": found.name,
            "state": found.state,
            "lead": _("%(product)s · %(jurisdiction)s · %(currency)s")
            % {
                "product": found.product,
                "jurisdiction": found.jurisdiction,
                "currency": found.currency,
            },
            "breadcrumbs": [(_("Portfolios"), reverse("portfolios"))],
            "portfolio": found,
            "composition": made_of,
            "placed_ppm": _ppm(made_of.placed_minor, made_of.balance_minor),
            "average_minor": made_of.balance_minor // max(made_of.loan_count, 1),
            "charts": composition.of(made_of, found.currency),
            "next_step": next_step(request.actor, found),
            "unfinished": imports.filter(state__in=UNFINISHED),
            "may_import": policies.allows(request.actor, policies.VENDOR_MANAGERS),
            "loans_url": f"{reverse('loans')}?portfolio={found.pk}",
            "imports": ImportTable(
                imports.order_by("-uploaded_at"), request=request, time_zone=zone, prefix="i-"
            ),
            "placements": PlacementTable(
                placements, request=request, time_zone=zone, prefix="p-", exclude=("portfolio",)
            ),
            "time_zone": zone,
            "entries": trail.timeline(request.actor, found, *imports, *placements[:50]),
        },
    )


def _ppm(part: int, whole: int) -> int:
    return part * 1_000_000 // whole if whole else 0


def next_step(actor, portfolio: Portfolio) -> dict | None:
    """{title, text, url, label}: what is to be done about it now; the link only for who may."""
    may = policies.allows(actor, policies.VENDOR_MANAGERS)
    if portfolio.state == State.DRAFT and not portfolio.loan_count:
        return {
            "title": _("Import its loans"),
            "text": _("It is empty. Bring a file of loans; you see what is in it first."),
            "url": reverse("loans_import", args=[portfolio.pk]) if may else "",
            "label": _("Import loans"),
        }
    if portfolio.state == State.DRAFT:
        return {
            "title": _("Publish it for bids"),
            "text": _("Say until when agencies may bid and the highest commission you would pay."),
            "url": reverse("listing-publish", args=[portfolio.pk]) if may else "",
            "label": _("Publish for bids"),
        }
    listing = visible_listings(actor).filter(portfolio=portfolio).order_by("-published_at").first()
    if portfolio.state == State.LISTED and listing is not None:
        return {
            "title": _("Agencies bid until %(moment)s")
            % {"moment": fairplace.moment_text(listing.closes_at, selectors.time_zone_of(actor))},
            "text": _("Nobody reads a bid before then, you included. Afterwards you award it."),
            "url": reverse("listing", args=[listing.pk]),
            "label": _("Open the listing"),
        }
    return None
