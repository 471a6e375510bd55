"""Maintenance files: what the bank's core system says of its loans every day.

From the second step on they go through the import wizard (`frontend.views.imports`).
"""

import functools

import django_filters
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from config import money
from frontend import forms, tables
from frontend.access import page
from frontend.views import import_steps
from frontend.views.imports import STEPS, FileForm, received
from frontend.views.portfolios import ImportTable
from portfolios.models import LoanImport
from portfolios.selectors import visible_imports, visible_portfolios
from portfolios.services import import_uploads


class MaintenanceTable(ImportTable):
    caption = gettext_lazy("Maintenance files")
    empty_title = gettext_lazy("No maintenance file yet")
    empty_text = gettext_lazy(
        "Send what your core system exports every day, and agencies see it at once."
    )

    rows_imported = tables.IntegerColumn(verbose_name=gettext_lazy("Rows applied"))


class MaintenanceFilter(tables.FilterSet):
    text = django_filters.CharFilter(
        label=gettext_lazy("Name of the file"), field_name="file_name", lookup_expr="icontains"
    )
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"), choices=LoanImport.State.choices
    )


@page(allow=policies.INSTITUTION_PEOPLE)
def maintenance_list(request: HttpRequest) -> HttpResponse:
    """Every maintenance file of the bank, the newest first."""
    news = visible_imports(request.actor).filter(kind=LoanImport.Kind.MAINTENANCE)
    rows = news.select_related("uploaded_by").order_by("-uploaded_at")
    found = MaintenanceFilter(request.GET or None, rows)
    zone = selectors.time_zone_of(request.actor)
    return render(
        request,
        "frontend/maintenance/list.html",
        {
            "title": _("Maintenance files"),
            "lead": _("Balances, payments, deaths and disputes, as your core system tells them."),
            "table": MaintenanceTable(found.qs, request=request, time_zone=zone),
            "filterset": found,
            "may_send": policies.allows(request.actor, policies.VENDOR_MANAGERS),
        },
    )


class NewsForm(FileForm):
    """A maintenance file: `currencies` are those of the bank's portfolios, the usual one first."""

    file_label = gettext_lazy("Maintenance file")
    sum_label = gettext_lazy("The sum of the payments")

    currency = forms.forms.ChoiceField(
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Of every amount in the file."),
    )
    field_order = ("file", "currency", "rows", "sum_minor")

    def __init__(self, *args, currencies: list[str], **kwargs):
        super().__init__(*args, currency=currencies[0], **kwargs)
        self.fields["currency"].choices = [(code, code) for code in currencies]
        given = self.data.get("currency")
        if given in currencies:
            self.fields["sum_minor"].currency = given
        self.order_fields(self.field_order)


@page(allow=policies.VENDOR_MANAGERS)
def send(request: HttpRequest) -> HttpResponse:
    """First step: the file. A program may POST here too and accept JSON."""
    form = NewsForm(
        request.POST or None, request.FILES or None, currencies=_currencies(request.actor)
    )
    receive = functools.partial(
        import_uploads.receive_maintenance, currency=request.POST.get("currency", "")
    )
    if answer := received(request, form, receive):
        return answer
    return forms.render_page(
        request,
        "frontend/maintenance/send.html",
        {
            "title": _("Send a maintenance file"),
            "lead": _("What happened to your loans since the last one."),
            "breadcrumbs": [(_("Maintenance files"), reverse("maintenance"))],
            "form": form,
            "events": import_steps.EVENTS,
            "step": 1,
            "steps": STEPS,
            "step_words": _("Choose the file"),
        },
    )


def _currencies(actor) -> list[str]:
    """The currencies of the bank's portfolios, the newest portfolio's first; all where it has
    none."""
    newest = visible_portfolios(actor).order_by("-created_at")
    return list(dict.fromkeys(newest.values_list("currency", flat=True))) or sorted(
        money.CURRENCIES
    )
