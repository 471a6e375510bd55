"""The lines of a statement: what earned what, as a table and as a file."""

from decimal import Decimal

import django_filters
import django_tables2
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies as roles
from agencies import selectors
from agencies.actors import Actor
from frontend import csv_files, tables
from frontend.access import page
from frontend.templatetags import fairplace
from payouts import commission, policies
from payouts.models import CommissionEntry, Statement, StatementLine
from payouts.selectors import visible_statement_lines, visible_statements

Kind = CommissionEntry.Kind


class LineTable(tables.Table):
    caption = gettext_lazy("Lines of the statement")
    empty_title = gettext_lazy("No line")

    reference = django_tables2.Column(verbose_name=gettext_lazy("Payment"))
    value_on = tables.DayColumn(verbose_name=gettext_lazy("Value date"))
    kind = tables.StateColumn(verbose_name=gettext_lazy("What"))
    base_minor = tables.MoneyColumn(verbose_name=gettext_lazy("Base"), currency="currency")
    rate_ppm = tables.RateColumn(verbose_name=gettext_lazy("× rate"))
    amount_minor = tables.MoneyColumn(
        verbose_name=gettext_lazy("= commission"), currency="currency"
    )

    def render_reference(self, record):
        loan = getattr(record, "loan_reference", "")
        note = _("Loan %(reference)s") % {"reference": loan} if loan else ""
        below = format_html('<span class="cell-note">{}</span>', note) if note else ""
        return format_html("{}{}", record.reference, below)

    def render_amount_minor(self, record):
        sign = 1 if record.kind == Kind.ACCRUAL else -1
        shown = fairplace.money(sign * record.amount_minor, record.currency)
        alone = commission.accrued(record.base_minor, record.rate_ppm)
        if alone == record.amount_minor:
            return shown
        # Parts of one payment's commission add up to the whole, so a part may be rounded otherwise.
        step = fairplace.money(record.amount_minor - alone, record.currency)
        note = _("%(step)s so that the parts of this payment add up") % {"step": step}
        return format_html('{}<span class="cell-note">{}</span>', shown, note)


class LineFilter(tables.FilterSet):
    reference = django_filters.CharFilter(
        label=gettext_lazy("Payment reference"), lookup_expr="icontains"
    )
    kind = django_filters.ChoiceFilter(label=gettext_lazy("What"), choices=Kind.choices)


def lines_of(actor: Actor, found: Statement) -> QuerySet[StatementLine]:
    """Lines in order, with `currency`, and for the bank with `loan_reference`.

    An agency recomputes its lines without the loan, which it may have lost.
    """
    lines = visible_statement_lines(actor).filter(statement=found)
    lines = lines.annotate(currency=F("statement__currency"))
    if actor.kind == "institution":
        lines = lines.annotate(loan_reference=F("entry__recovery__loan__reference"))
    return lines.order_by("reference", "pk")


@page(allow=policies.READERS & roles.PEOPLE)
def lines_csv(request: HttpRequest, pk) -> HttpResponse:
    """The lines as a file, amounts as plain numbers in the currency's main unit."""
    found = selectors.find(visible_statements(request.actor), pk=pk)
    rows = [["reference", "value_date", "kind", "currency", "base", "rate_per_cent", "commission"]]
    for line in lines_of(request.actor, found):
        sign = 1 if line.kind == Kind.ACCRUAL else -1
        rows.append(
            [
                line.reference,
                line.value_on.isoformat(),
                line.kind,
                found.currency,
                fairplace.major(line.base_minor, found.currency),
                Decimal(line.rate_ppm) / fairplace.PPM_PER_CENT,
                fairplace.major(sign * line.amount_minor, found.currency),
            ]
        )
    name = f"statement-{found.starts_on:%Y-%m}-{found.currency}.csv"
    return HttpResponse(
        csv_files.BYTE_ORDER_MARK + csv_files.lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )
