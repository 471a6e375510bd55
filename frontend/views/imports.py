"""Imports: what one file brought, and the rows that it left out."""

import django_tables2
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from frontend import tables
from frontend.access import page
from portfolios.models import Portfolio
from portfolios.selectors import visible_import_problems, visible_imports
from portfolios.services import imports

LABELS = {
    "standard": gettext_lazy("Standard columns"),
    "lendingclub": gettext_lazy("LendingClub's public files"),
}


def label_of(mapping: str) -> str:
    """What a mapping is called."""
    return LABELS.get(mapping, mapping)


def way_back(portfolio: Portfolio) -> list[tuple]:
    """Breadcrumbs from a file to its portfolio."""
    return [
        (_("Portfolios"), reverse("portfolios")),
        (portfolio.name, reverse("portfolio", args=[portfolio.pk])),
    ]


class ProblemTable(tables.Table):
    caption = gettext_lazy("Rows left out")
    empty_title = gettext_lazy("No row was left out")
    stacked = True

    row = tables.IntegerColumn(verbose_name=gettext_lazy("Row"))
    column = django_tables2.Column(verbose_name=gettext_lazy("Column"))
    value = django_tables2.Column(verbose_name=gettext_lazy("Value"), orderable=False)
    message = django_tables2.Column(verbose_name=gettext_lazy("What is wrong"), orderable=False)


@page(allow=policies.INSTITUTION_PEOPLE)
def loan_import(request: HttpRequest, pk) -> HttpResponse:
    """The end of the wizard, and later the record: what one file brought."""
    rows = visible_imports(request.actor).select_related("portfolio", "imported_by")
    made = selectors.find(rows.defer("rejected_rows"), pk=pk)
    problems = visible_import_problems(request.actor).filter(loan_import=made).order_by("row")
    rejected = made.rows_read - made.rows_imported
    return render(
        request,
        "frontend/imports/import.html",
        {
            "title": made.file_name,
            "lead": format_lazy(
                _("Imported into “{name}” by {person}."),
                name=made.portfolio.name,
                person=made.imported_by.name,
            ),
            "breadcrumbs": way_back(made.portfolio),
            "made": made,
            "rejected": rejected,
            "mapping_label": label_of(made.mapping),
            "table": ProblemTable(problems, request=request) if rejected else None,
            "may_change": policies.allows(request.actor, policies.VENDOR_MANAGERS),
            "is_draft": made.portfolio.state == Portfolio.State.DRAFT,
            "time_zone": selectors.time_zone_of(request.actor),
        },
    )


@page(allow=policies.VENDOR_MANAGERS)
def rejected(request: HttpRequest, pk) -> HttpResponse:
    """The rows that an import left out."""
    return download(imports.left_out(actor=request.actor, import_id=pk))


def download(text: str) -> HttpResponse:
    """Rejected rows as a file."""
    # The mark lets spreadsheets recognise UTF-8; the reader takes it away again.
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(True, "rejected-rows.csv")
    return response
