"""The import wizard: a file, its columns, what is in it, the decision, and what came of it.

One address per import shows the step that it is at; a long step is looked at anew every second.
"""

import codecs
import itertools

import django_tables2
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors
from frontend import forms, tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.import_columns import LABELS, ColumnsForm
from portfolios import file_sentences
from portfolios.mappings import Mapping, guessing
from portfolios.models import LoanImport, Portfolio
from portfolios.selectors import visible_import_problems, visible_imports, visible_portfolios
from portfolios.services import control_totals, import_progress, imports, loan_mappings

State = LoanImport.State
STEPS = 5
PIECE_BYTES = 1 << 16
STEP_OF = {
    State.RECEIVED: (2, gettext_lazy("Say which columns hold what")),
    State.CHECKING: (3, gettext_lazy("Check the file")),
    State.CHECKED: (4, gettext_lazy("Decide")),
    State.IMPORTING: (5, gettext_lazy("Import the loans")),
    State.IMPORTED: (5, gettext_lazy("Done")),
    State.CANCELLING: (5, gettext_lazy("Undo")),
    State.CANCELLED: (5, gettext_lazy("Cancelled")),
}
TEMPLATE_OF = {
    State.RECEIVED: "columns",
    State.CHECKING: "moving",
    State.CHECKED: "decision",
    State.IMPORTING: "moving",
    State.CANCELLING: "moving",
    State.IMPORTED: "record",
    State.CANCELLED: "record",
}
ALWAYS_READ = ("balance", "days_past_due")
"""What every loan has, computed from other columns where the file does not say it."""
BUILT_IN = {
    "standard": gettext_lazy("Standard columns"),
    "lendingclub": gettext_lazy("LendingClub's public files"),
}


def label_of(mapping: str) -> str:
    """What a mapping is called."""
    return BUILT_IN.get(mapping, mapping) or _("Chosen for this file")


def way_back(portfolio: Portfolio) -> list[tuple]:
    """Breadcrumbs from a file to its portfolio."""
    return [
        (_("Portfolios"), reverse("portfolios")),
        (portfolio.name, reverse("portfolio", args=[portfolio.pk])),
    ]


class FileForm(forms.Form):
    file = forms.forms.FileField(
        label=gettext_lazy("File of loans"),
        help_text=gettext_lazy(
            "CSV in any usual encoding, or XLSX up to 100,000 rows; 4 GB at most. Nothing is"
            " imported before you have seen what is in it."
        ),
        widget=forms.forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,text/csv"}),
    )
    rows = forms.forms.IntegerField(
        label=gettext_lazy("How many rows it has"),
        help_text=gettext_lazy(
            "If your core system tells: the import is refused when they differ."
        ),
        required=False,
        min_value=0,
    )

    def __init__(self, *args, currency: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["balance_minor"] = forms.MoneyField(
            currency=currency, label=gettext_lazy("The sum of their balances"), required=False
        )
        forms.dress(self)


@page(allow=policies.VENDOR_MANAGERS)
def choose(request: HttpRequest, pk) -> HttpResponse:
    """First step: the file. A program may POST here too and accept JSON."""
    portfolio = selectors.find(visible_portfolios(request.actor), pk=pk)
    if portfolio.state != Portfolio.State.DRAFT:
        raise errors.InvalidState(
            "NOT_DRAFT", _("This portfolio is published: no more loans can be imported into it.")
        )
    form = FileForm(request.POST or None, request.FILES or None, currency=portfolio.currency)
    wants_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        totals = control_totals.Totals(
            form.cleaned_data["rows"], form.cleaned_data["balance_minor"]
        )
        try:
            made = imports.receive(
                actor=request.actor, portfolio_id=pk, file_name=file.name, file=file, totals=totals
            )
        except errors.InvalidInput as error:
            if wants_json:
                message = file_sentences.told(error)
                told = {"code": error.code, "message": message, "field": error.field}
                return JsonResponse({"errors": [told]}, status=forms.UNPROCESSABLE)
            forms.form_from_error(form, error)
        else:
            if wants_json:
                return JsonResponse({"loanImport": {"id": str(made.pk)}}, status=201)
            return redirect("loan_import", made.pk)
    if wants_json and request.method == "POST":
        return JsonResponse({"errors": form.errors.get_json_data()}, status=forms.UNPROCESSABLE)
    return forms.render_page(
        request,
        "frontend/imports/choose.html",
        {
            "title": _("Import loans"),
            "lead": _("Into “%(name)s”, in %(currency)s.")
            % {"name": portfolio.name, "currency": portfolio.currency},
            "breadcrumbs": way_back(portfolio),
            "form": form,
            "portfolio": portfolio,
            "step": 1,
            "steps": STEPS,
            "step_words": _("Choose the file"),
        },
    )


@page(allow=policies.INSTITUTION_PEOPLE)
def loan_import(request: HttpRequest, pk) -> HttpResponse:
    """The step that an import is at, and at its end the record of what it brought."""
    return _show(request, pk)


def _show(request: HttpRequest, pk, **more) -> HttpResponse:
    rows = visible_imports(request.actor).select_related("portfolio", "uploaded_by")
    made = selectors.find(rows, pk=pk)
    step, words = STEP_OF[State(made.state)]
    template = TEMPLATE_OF[State(made.state)]
    may_change = policies.allows(request.actor, policies.VENDOR_MANAGERS)
    if template in ("columns", "decision") and not may_change:
        template = "record"
    context = {
        "title": made.file_name,
        "lead": _("Sent by %(person)s for “%(name)s”.")
        % {"person": made.uploaded_by.name, "name": made.portfolio.name},
        "breadcrumbs": way_back(made.portfolio),
        "made": made,
        "step": step,
        "steps": STEPS,
        "step_words": words,
        "rejected": made.rows_read - made.rows_good,
        "mapping_label": label_of(made.mapping_name),
        "may_change": may_change,
        "is_draft": made.portfolio.state == Portfolio.State.DRAFT,
        "time_zone": selectors.time_zone_of(request.actor),
        "currency": made.portfolio.currency,
    }
    context |= _MORE[template](request, made) | more
    status = forms.UNPROCESSABLE if more else 200
    return render(request, f"frontend/imports/{template}.html", context, status=status)


def _columns_context(request: HttpRequest, made: LoanImport) -> dict:
    return {"form": _columns_form(request, made)}


def _columns_form(request: HttpRequest, made: LoanImport) -> ColumnsForm:
    table = imports.sample(actor=request.actor, import_id=made.pk)
    if made.as_of is None:
        guess = guessing.explained(
            table.columns,
            sample=table.sample(loan_mappings.SAMPLE_ROWS),
            saved=loan_mappings.saved(request.actor),
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
    return {"table": _problems(request, made, is_warning=False, prefix="") if rejected else None}


class PolicyForm(forms.Form):
    policy = forms.forms.ChoiceField(
        label=gettext_lazy("What becomes of the good rows?"),
        widget=forms.forms.RadioSelect,
    )

    def __init__(self, *args, good: int, rejected: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["policy"].choices = [
            (
                imports.Policy.GOOD_ROWS_ONLY.value,
                _("Import the %(good)s good rows and leave %(bad)s out")
                % {"good": fairplace.integer(good), "bad": fairplace.integer(rejected)},
            ),
            (
                imports.Policy.ALL_OR_NOTHING.value,
                _("All or nothing: import nothing now, I put the file right first"),
            ),
        ]


def _decision_context(request: HttpRequest, made: LoanImport) -> dict:
    report = made.report
    warned = sum(kind[-1] for kind in report["kinds"] if kind[2])
    return {
        "form": PolicyForm(good=made.rows_good, rejected=made.rows_read - made.rows_good),
        "differs": control_totals.differ(made),
        "read_minor": report["read_minor"],
        "trailer": report["trailer"] or {},
        "kinds": _kinds(report["kinds"], is_warning=False),
        "warning_kinds": _kinds(report["kinds"], is_warning=True),
        "warned": warned,
        "columns": _column_rows(made),
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
    currency = made.portfolio.currency
    words = {
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
    for name, label in LABELS.items():
        if name not in read or name not in summaries:
            continue
        told = words.get(name, str)
        found = summaries[name]
        row = {"label": label, **found}
        for end in ("lowest", "highest"):
            row[end] = "" if found.get(end) in (None, "") else told(found[end])
        rows.append(row)
    return rows


_MORE = {
    "columns": _columns_context,
    "moving": _moving_context,
    "decision": _decision_context,
    "record": _record_context,
}


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def columns(request: HttpRequest, pk) -> HttpResponse:
    """The columns are chosen: the file is checked."""
    made = selectors.find(visible_imports(request.actor), pk=pk)
    if made.state != State.RECEIVED:
        return _moved_on(request, pk)
    form = _columns_form(request, made)
    if form.is_valid():
        try:
            imports.choose_mapping(
                actor=request.actor,
                import_id=pk,
                mapping=form.mapping(),
                save_as=form.cleaned_data["save_as"],
            )
        except errors.InvalidInput as error:
            form.add_error(form.field_of(error), file_sentences.told(error))
        else:
            return redirect("loan_import", pk)
    return _show(request, pk, form=form)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def decide(request: HttpRequest, pk) -> HttpResponse:
    """The good rows are imported, or the file is thrown away."""
    made = selectors.find(visible_imports(request.actor), pk=pk)
    if made.state != State.CHECKED:
        return _moved_on(request, pk)
    rejected = made.rows_read - made.rows_good
    policy = imports.Policy.ALL_OR_NOTHING
    if rejected:
        form = PolicyForm(request.POST, good=made.rows_good, rejected=rejected)
        if not form.is_valid():
            return _show(request, pk, form=form)
        policy = form.cleaned_data["policy"]
        if policy == imports.Policy.ALL_OR_NOTHING:
            return _thrown_away(request, pk)
    try:
        imports.decide(actor=request.actor, import_id=pk, policy=policy)
    except errors.InvalidInput as error:
        messages.error(request, error.message)
    return redirect("loan_import", pk)


def _moved_on(request: HttpRequest, pk) -> HttpResponse:
    """A page that was left open asks for a step that is past: show where the import is."""
    messages.info(request, _("This file is past that step already."))
    return redirect("loan_import", pk)


def _thrown_away(request: HttpRequest, pk) -> HttpResponse:
    made = imports.cancel(actor=request.actor, import_id=pk)
    messages.info(request, _("Nothing stays imported. Put the file right and choose it again."))
    return redirect("loans_import", made.portfolio_id)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def again(request: HttpRequest, pk) -> HttpResponse:
    """Back from the check to the columns."""
    imports.reopen(actor=request.actor, import_id=pk)
    return redirect("loan_import", pk)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def cancel(request: HttpRequest, pk) -> HttpResponse:
    """Leave the wizard at any step: what was written is taken back."""
    return _thrown_away(request, pk)


@page(allow=policies.VENDOR_MANAGERS)
def rejected(request: HttpRequest, pk) -> HttpResponse:
    """The rows that are left out, to be put right."""
    rows = imports.left_out(actor=request.actor, import_id=pk)
    # The mark lets spreadsheets recognise UTF-8; the reader takes it away again.
    pieces = itertools.chain([codecs.BOM_UTF8], iter(lambda: rows.read(PIECE_BYTES), b""))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition_header(True, "rejected-rows.csv")
    return response
