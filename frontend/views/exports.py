"""Exports: the loans of a placement as a file that stops when access to them ends."""

from collections.abc import Iterator

import django_tables2
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies
from agencies.actors import Actor
from config import errors
from frontend import csv_files, tables
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Export
from portfolios.services import exports

GONE = 410
PPM_PER_CENT = 10_000
HEADINGS = {"balance_minor": "balance", "rate_ppm": "rate_per_cent"}


class ExportTable(tables.Table):
    """Who took loans out of the portal; rows with `row_count`."""

    caption = gettext_lazy("Exports")
    empty_title = gettext_lazy("Nothing was exported")

    actor_label = django_tables2.Column(verbose_name=gettext_lazy("By"), orderable=False)
    requested_at = tables.MomentColumn(verbose_name=gettext_lazy("Exported"), orderable=False)
    row_count = tables.IntegerColumn(verbose_name=gettext_lazy("Rows"), orderable=False)


@page(allow=policies.AGENCY_PEOPLE)
@require_POST
def ask(request: HttpRequest, pk) -> HttpResponse:
    """A link of one's own, followed at once."""
    made = exports.ask(actor=request.actor, placement_id=pk)
    return redirect("export_loans", made.pk)


@page(allow=policies.AGENCY_WORKERS)
def loans(request: HttpRequest, pk) -> HttpResponse:
    """The file behind a link; 410 when the link or the access is over."""
    try:
        export = exports.begin(actor=request.actor, export_id=pk)
    except errors.InvalidState as error:
        shown = {"error": error, "status": GONE}
        return render(request, "frontend/refused.html", shown, status=GONE)
    # Sent when the scope of this view is closed: each part opens its own. Where one of them is
    # refused, the exception breaks the connection, and what has arrived is no complete file.
    return StreamingHttpResponse(
        _sent(request.actor, export),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, f"{export.title}.csv")},
    )


def _sent(actor: Actor, export: Export) -> Iterator[str]:
    headings = [HEADINGS.get(name, name) for name in exports.FIELDS]
    begun = csv_files.BYTE_ORDER_MARK + csv_files.lines([headings])
    for part in exports.rows(actor=actor, export=export):
        yield begun + csv_files.lines(_values(row) for row in part)
        begun = ""


def _values(row: dict) -> Iterator:
    """The values of a row as a spreadsheet wants them: main units of money, per cent."""
    for name, value in row.items():
        if name == "balance_minor":
            yield fairplace.major(value, row["currency"])
        elif name == "rate_ppm":
            yield value / PPM_PER_CENT
        else:
            yield value
