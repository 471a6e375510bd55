"""What each step of the import wizard shows, and the form of its decision."""

import django_tables2
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from frontend import forms, tables
from frontend.templatetags import fairplace
from frontend.views.import_columns import LABELS, ColumnsForm
from portfolios import file_sentences
from portfolios.mappings import Mapping, guessing
from portfolios.mappings.fields import FIELDS
from portfolios.models import LoanImport
from portfolios.selectors import visible_import_problems
from portfolios.services import control_totals, import_progress, imports, loan_mappings

ALWAYS_READ = ("balance", "days_past_due")
"""What every loan has, computed from other columns where the file does not say it."""
EVENTS = {
    "balance": (
        gettext_lazy("Balance"),
        gettext_lazy("The balance is stated anew; a loan that owes nothing is put on hold."),
    ),
    "direct_payment": (
        gettext_lazy("Direct payment"),
        gettext_lazy("The payment is recorded and counts for the agency that earned it."),
    ),
    "contact": (
        gettext_lazy("Contact data"),
        gettext_lazy("Name, phone, e-mail or address change on every loan of the person."),
    ),
    "deceased": (gettext_lazy("Death"), gettext_lazy("Put on hold: borrower deceased.")),
    "insolvent": (gettext_lazy("Insolvency"), gettext_lazy("Put on hold: insolvency.")),
    "dispute": (gettext_lazy("Dispute"), gettext_lazy("Put on hold: dispute.")),
    "plan": (
        gettext_lazy("Repayment plan"),
        gettext_lazy("Put on hold: a plan made with the bank is in force."),
    ),
    "settled": (gettext_lazy("Settlement"), gettext_lazy("Put on hold: paid or settled.")),
    "released": (
        gettext_lazy("Release"),
        gettext_lazy("Holds of these kinds end; collection goes on unless another is open."),
    ),
}
"""Event of a maintenance file → what it is called, and what it does."""
BUILT_IN = {
    "standard": gettext_lazy("Standard columns"),
    "lendingclub": gettext_lazy("LendingClub's public files"),
}


def label_of(mapping: str) -> str:
    """What a mapping is called."""
    return BUILT_IN.get(mapping, mapping) or _("Chosen for this file")


def _columns_context(request: HttpRequest, made: LoanImport) -> dict:
    return {"form": columns_form(request, made)}


def columns_form(request: HttpRequest, made: LoanImport) -> ColumnsForm:
    table = imports.sample(actor=request.actor, import_id=made.pk)
    if made.as_of is None:
        guess = guessing.explained(
            table.columns,
            sample=table.sample(loan_mappings.SAMPLE_ROWS),
            saved=loan_mappings.saved(request.actor, made.kind),
            kind=made.kind,
        )
    else:  # It was checked once: what was chosen then is where to begin.
        guess = guessing.Guess(Mapping.from_dict(made.mapping), {})
    return ColumnsForm(request.POST if request.method == "POST" else None, table=table, guess=guess)


def _moving_context(request: HttpRequest, made: LoanImport) -> dict:
    return {"progress": import_progress.of(made)}


class ProblemTable(tables.Table):
    caption = gettext_lazy("What is wrong, row by row")
    empty_title = gettext_lazy("Nothing is wrong")
    stacked = True

    row = tables.IntegerColumn(verbose_name=gettext_lazy("Row"))
    column = django_tables2.Column(verbose_name=gettext_lazy("Column"))
    value = django_tables2.Column(verbose_name=gettext_lazy("Value"), orderable=False)
    message = django_tables2.Column(verbose_name=gettext_lazy("What is wrong"), orderable=False)

    def render_message(self, record):
        return file_sentences.told(record)


def _problems(request: HttpRequest, made: LoanImport, *, is_warning: bool, prefix: str):
    found = visible_import_problems(request.actor).filter(loan_import=made, is_warning=is_warning)
    return ProblemTable(found.order_by("row"), request=request, prefix=prefix)


def _record_context(request: HttpRequest, made: LoanImport) -> dict:
    rejected = made.rows_read - made.rows_good
    return {
        "table": _problems(request, made, is_warning=False, prefix="") if rejected else None,
        "outcome": [
            {"label": EVENTS[event][0], "changed": changed, "same": same}
            for event, (changed, same) in _in_order(made.outcome)
        ],
        "overtaken": made.rows_good - made.rows_imported
        if made.state == LoanImport.State.IMPORTED
        else 0,
    }


def _in_order(by_event: dict) -> list[tuple]:
    """What is known by event, in the order in which events are explained."""
    return [(event, by_event[event]) for event in EVENTS if event in by_event]


class PolicyForm(forms.Form):
    policy = forms.forms.ChoiceField(
        label=gettext_lazy("What becomes of the good rows?"),
        widget=forms.forms.RadioSelect,
    )

    def __init__(self, *args, made: LoanImport, **kwargs):
        super().__init__(*args, **kwargs)
        counts = {
            "good": fairplace.integer(made.rows_good),
            "bad": fairplace.integer(made.rows_read - made.rows_good),
        }
        if made.kind == LoanImport.Kind.MAINTENANCE:
            some = _("Apply the %(good)s good rows and leave %(bad)s out") % counts
            none = _("All or nothing: change nothing now, I put the file right first")
        else:
            some = _("Import the %(good)s good rows and leave %(bad)s out") % counts
            none = _("All or nothing: import nothing now, I put the file right first")
        self.fields["policy"].choices = [
            (imports.Policy.GOOD_ROWS_ONLY.value, some),
            (imports.Policy.ALL_OR_NOTHING.value, none),
        ]


def _decision_context(request: HttpRequest, made: LoanImport) -> dict:
    report = made.report
    warned = sum(kind[-1] for kind in report["kinds"] if kind[2])
    return {
        "form": PolicyForm(made=made),
        "differs": control_totals.differ(made),
        "read_minor": report["read_minor"],
        "trailer": report["trailer"] or {},
        "kinds": _kinds(report["kinds"], is_warning=False),
        "warning_kinds": _kinds(report["kinds"], is_warning=True),
        "warned": warned,
        "columns": _column_rows(made),
        "events": [
            {"label": EVENTS[event][0], "effect": EVENTS[event][1], "count": count}
            for event, count in _in_order(report.get("events", {}))
        ],
        "table": _problems(request, made, is_warning=False, prefix=""),
        "warning_table": _problems(request, made, is_warning=True, prefix="w-"),
    }


def _kinds(kinds: list, *, is_warning: bool) -> list[tuple]:
    """(column, sentence, how often), the most frequent first."""
    return [
        (column, file_sentences.sentence(code, params), count)
        for column, code, warns, params, count in kinds
        if warns == is_warning
    ]


def _column_rows(made: LoanImport) -> list[dict]:
    """For each field that is read: from where, how many rows have it, lowest and highest."""
    currency = made.currency
    words = {
        "amount": lambda value: fairplace.money(value, currency),
        "balance": lambda value: fairplace.money(value, currency),
        "principal": lambda value: fairplace.money(value, currency),
        "interest": lambda value: fairplace.money(value, currency),
        "fees": lambda value: fairplace.money(value, currency),
        "rate": fairplace.rate,
        "expected_recovery": fairplace.rate,
        "days_past_due": fairplace.integer,
    }
    summaries = {
        target.removesuffix("_minor").removesuffix("_ppm"): found
        for target, found in made.report["columns"].items()
    }
    mapping = Mapping.from_dict(made.mapping)
    read = {*mapping.columns, *mapping.computed, *mapping.constants, *ALWAYS_READ}
    rows = []
    for name in FIELDS[made.kind]:
        if name not in read or name not in summaries:
            continue
        told = words.get(name, str)
        found = summaries[name]
        row = {"label": LABELS[name], **found}
        for end in ("lowest", "highest"):
            is_shown = found.get(end) not in (None, "") and name != "event"
            row[end] = told(found[end]) if is_shown else ""
        rows.append(row)
    return rows


CONTEXTS = {
    "columns": _columns_context,
    "moving": _moving_context,
    "decision": _decision_context,
    "record": _record_context,
}
