"""Receipts: the bank's files, what they confirmed, and what a person has to settle."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import errors
from frontend import forms, tables
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import ReceiptLine
from portfolios.receipt_files import COLUMNS
from portfolios.selectors import (
    recovery_totals,
    reported_recoveries,
    visible_receipt_files,
    visible_receipt_lines,
)
from portfolios.services import receipts

READERS = policies.FINANCE | policies.AUDITORS
PROBLEMS_SHOWN = 200
FILES_SHOWN = 5
State = ReceiptLine.State
TO_SETTLE = "to_settle"


class LineTable(tables.Table):
    caption = gettext_lazy("Receipts")
    empty_title = gettext_lazy("No receipt yet")
    empty_text = gettext_lazy("Upload a file of what came in: it confirms what agencies reported.")

    receipt_reference = django_tables2.Column(verbose_name=gettext_lazy("Receipt"))
    loan_reference = django_tables2.Column(verbose_name=gettext_lazy("Loan"))
    amount_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Amount"))
    value_on = tables.DayColumn(verbose_name=gettext_lazy("Value date"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    file = django_tables2.Column(
        verbose_name=gettext_lazy("File"), accessor="receipt_file__file_name", orderable=False
    )

    def render_receipt_reference(self, record):
        return tables.link(reverse("receipt_line", args=[record.pk]), record.receipt_reference)

    def render_file(self, value, record):
        url = reverse("receipt_file", args=[record.receipt_file_id])
        return format_html('<a href="{}">{}</a>', url, value)


class LineFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(
        label=gettext_lazy("State"),
        choices=[(TO_SETTLE, gettext_lazy("To settle")), *State.choices],
        method="in_state",
    )
    receipt = django_filters.CharFilter(
        label=gettext_lazy("Receipt"), field_name="receipt_reference", lookup_expr="istartswith"
    )
    loan = django_filters.CharFilter(
        label=gettext_lazy("Loan"), field_name="loan_reference", lookup_expr="istartswith"
    )
    value_on = django_filters.DateFromToRangeFilter(label=gettext_lazy("Value date"))

    def in_state(self, queryset, name, value):
        return queryset.filter(state__in=receipts.OPEN if value == TO_SETTLE else [value])


class FileForm(forms.Form):
    file = django_forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy("UTF-8, at most 20 MB. The same file is read once."),
        widget=django_forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )


@page(allow=READERS)
def receipt_list(request: HttpRequest) -> HttpResponse:
    """What came in, and what of it waits for a person; finance preparers upload here."""
    form, problems = FileForm(), []
    if request.method == "POST":
        policies.demand(request.actor, policies.FINANCE_PREPARERS)
        form = FileForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                read = receipts.confirm(
                    actor=request.actor, file_name=file.name, content=file.read()
                )
            except errors.InvalidInput as error:
                forms.form_from_error(form, error)
            else:
                if read.receipt_file:
                    _tell(request, read)
                    return redirect("receipt_file", read.receipt_file.pk)
                form.add_error("file", _("No row of this file could be taken. Nothing was kept."))
                problems = read.problems
    return _show_list(request, form, problems)


def _tell(request: HttpRequest, read: receipts.Read) -> None:
    words = ngettext(
        "%(count)s recovery confirmed.", "%(count)s recoveries confirmed.", read.matched
    )
    messages.success(request, words % {"count": fairplace.integer(read.matched)})
    if read.matched_before:
        words = ngettext(
            "%(count)s receipt of an earlier file found its report.",
            "%(count)s receipts of earlier files found their reports.",
            read.matched_before,
        )
        messages.info(request, words % {"count": fairplace.integer(read.matched_before)})


def _show_list(request: HttpRequest, form: FileForm, problems: list) -> HttpResponse:
    actor = request.actor
    lines = visible_receipt_lines(actor).select_related("receipt_file")
    found = LineFilter(request.GET or None, lines.order_by("-receipt_file__uploaded_at", "row"))
    files = visible_receipt_files(actor).order_by("-uploaded_at")[:FILES_SHOWN]
    return forms.render_page(
        request,
        "frontend/receipts/list.html",
        {
            "title": _("Receipts"),
            "lead": _("Only what one of your receipts confirms counts for commission and ranking."),
            "may_upload": policies.allows(actor, policies.FINANCE_PREPARERS),
            "form": form,
            "problems": problems[:PROBLEMS_SHOWN],
            "hidden": max(0, len(problems) - PROBLEMS_SHOWN),
            "columns": COLUMNS,
            "open_count": lines.filter(state__in=receipts.OPEN).count(),
            "open_url": f"{reverse('receipts')}?state={TO_SETTLE}",
            "totals": recovery_totals(reported_recoveries(actor)),
            "waiting_url": f"{reverse('recoveries')}?state=reported&sort=logged_at",
            "files": files,
            "table": LineTable(found.qs, request=request),
            "filterset": found,
            "time_zone": selectors.time_zone_of(actor),
        },
    )


@page(allow=READERS)
def receipt_file(request: HttpRequest, pk) -> HttpResponse:
    """One file: what its receipts confirmed, and its rows that could not be taken."""
    found = selectors.find(visible_receipt_files(request.actor), pk=pk)
    lines = visible_receipt_lines(request.actor).filter(receipt_file=found)
    filterset = LineFilter(request.GET or None, lines.order_by("row"))
    counts = {state.value: lines.filter(state=state).count() for state in State}
    bad_rows = len({problem["row"] for problem in found.problems})
    return render(
        request,
        "frontend/receipts/file.html",
        {
            "title": found.file_name,
            "lead": _("What this file confirmed, and what is left to settle."),
            "breadcrumbs": [(_("Receipts"), reverse("receipts"))],
            "file": found,
            "counts": counts,
            "bad_rows": bad_rows,
            "open_count": counts[State.UNMATCHED] + counts[State.AMBIGUOUS],
            "problems": found.problems[:PROBLEMS_SHOWN],
            "hidden": max(0, len(found.problems) - PROBLEMS_SHOWN),
            "table": LineTable(filterset.qs, request=request, exclude=("file",)),
            "filterset": filterset,
            "time_zone": selectors.time_zone_of(request.actor),
        },
    )
