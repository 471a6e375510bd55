"""The import wizard: a file, its columns, what is in it, the decision, and what came of it.

One address per import shows the step that it is at; a long step is looked at anew every second.
Files of loans begin here, maintenance files in `frontend.views.maintenance`.
"""

import codecs
import functools
import itertools
from collections.abc import Callable

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
from frontend import breadcrumbs, forms
from frontend.access import page
from frontend.views import import_steps
from portfolios import file_sentences
from portfolios.models import LoanImport, Portfolio
from portfolios.selectors import visible_imports, visible_portfolios
from portfolios.services import control_totals, import_uploads, imports

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
NEWS_WORDS = {State.IMPORTING: gettext_lazy("Apply the rows")}
"""Words of steps that are others for a maintenance file."""
TEMPLATE_OF = {
    State.RECEIVED: "columns",
    State.CHECKING: "moving",
    State.CHECKED: "decision",
    State.IMPORTING: "moving",
    State.CANCELLING: "moving",
    State.IMPORTED: "record",
    State.CANCELLED: "record",
}


class FileForm(forms.Form):
    """A file and its control totals; `file_label` and `sum_label` say which."""

    file_label = gettext_lazy("File of loans")
    sum_label = gettext_lazy("The sum of their balances")

    file = forms.forms.FileField(
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
        self.fields["file"].label = self.file_label
        self.fields["sum_minor"] = forms.MoneyField(
            currency=currency, label=self.sum_label, required=False
        )
        forms.dress(self)

    def totals(self) -> control_totals.Totals:
        return control_totals.Totals(self.cleaned_data["rows"], self.cleaned_data["sum_minor"])


@page(allow=policies.VENDOR_MANAGERS)
def choose(request: HttpRequest, pk) -> HttpResponse:
    """First step: the file. A program may POST here too and accept JSON."""
    portfolio = selectors.find(visible_portfolios(request.actor), pk=pk)
    if portfolio.state != Portfolio.State.DRAFT:
        raise errors.InvalidState(
            "NOT_DRAFT", _("This portfolio is published: no more loans can be imported into it.")
        )
    form = FileForm(request.POST or None, request.FILES or None, currency=portfolio.currency)
    receive = functools.partial(import_uploads.receive, portfolio_id=pk)
    if answer := received(request, form, receive):
        return answer
    return forms.render_page(
        request,
        "frontend/imports/choose.html",
        {
            "title": _("Import loans"),
            "lead": _("Into “%(name)s”, in %(currency)s.")
            % {"name": portfolio.name, "currency": portfolio.currency},
            "breadcrumbs": breadcrumbs.to_portfolio(portfolio),
            "form": form,
            "portfolio": portfolio,
            "step": 1,
            "steps": STEPS,
            "step_words": _("Choose the file"),
        },
    )


def received(
    request: HttpRequest, form: FileForm, receive: Callable[..., LoanImport]
) -> HttpResponse | None:
    """Have `receive` keep the file that was sent; None where the form is to be shown.

    A program that accepts JSON is answered in it, whatever is wrong.
    """
    if request.method != "POST":
        return None
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = receive(
                actor=request.actor, file_name=file.name, file=file, totals=form.totals()
            )
        except errors.InvalidInput as error:
            if _wants_json(request):
                message = file_sentences.told(error)
                told = {"code": error.code, "message": message, "field": error.field}
                return JsonResponse({"errors": [told]}, status=forms.UNPROCESSABLE)
            forms.form_from_error(form, error)
        else:
            if _wants_json(request):
                return JsonResponse({"loanImport": {"id": str(made.pk)}}, status=201)
            return redirect("loan_import", made.pk)
    if _wants_json(request):
        return JsonResponse({"errors": form.errors.get_json_data()}, status=forms.UNPROCESSABLE)
    return None


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


@page(allow=policies.INSTITUTION_PEOPLE)
def loan_import(request: HttpRequest, pk) -> HttpResponse:
    """The step that an import is at, and at its end the record of what it brought."""
    return _show(request, pk)


def _show(request: HttpRequest, pk, **more) -> HttpResponse:
    rows = visible_imports(request.actor).select_related("portfolio", "uploaded_by")
    made = selectors.find(rows, pk=pk)
    is_news = made.kind == LoanImport.Kind.MAINTENANCE
    step, words = STEP_OF[State(made.state)]
    if is_news:
        words = NEWS_WORDS.get(State(made.state), words)
    template = TEMPLATE_OF[State(made.state)]
    may_change = policies.allows(request.actor, policies.VENDOR_MANAGERS)
    if template in ("columns", "decision") and not may_change:
        template = "record"
    context = {
        "title": made.file_name,
        "lead": _lead(made),
        "breadcrumbs": breadcrumbs.above_import(made),
        "made": made,
        "is_news": is_news,
        "step": step,
        "steps": STEPS,
        "step_words": words,
        "rejected": made.rows_read - made.rows_good,
        "mapping_label": import_steps.label_of(made.mapping_name),
        "may_change": may_change,
        "next_file_url": _next_file_url(made) if may_change else "",
        "time_zone": selectors.time_zone_of(request.actor),
        "currency": made.currency,
    }
    context |= import_steps.CONTEXTS[template](request, made) | more
    status = forms.UNPROCESSABLE if more else 200
    return render(request, f"frontend/imports/{template}.html", context, status=status)


def _lead(made: LoanImport) -> str:
    if made.portfolio is None:
        return _("Sent by %(person)s, with amounts in %(currency)s.") % {
            "person": made.uploaded_by.name,
            "currency": made.currency,
        }
    return _("Sent by %(person)s for “%(name)s”.") % {
        "person": made.uploaded_by.name,
        "name": made.portfolio.name,
    }


def _next_file_url(made: LoanImport) -> str:
    """Where another file of this kind is sent; empty for a portfolio that takes no more."""
    if made.portfolio is None:
        return reverse("maintenance_send")
    if made.portfolio.state == Portfolio.State.DRAFT:
        return reverse("loans_import", args=[made.portfolio_id])
    return ""


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def columns(request: HttpRequest, pk) -> HttpResponse:
    """The columns are chosen: the file is checked."""
    made = selectors.find(visible_imports(request.actor), pk=pk)
    if made.state != State.RECEIVED:
        return _moved_on(request, pk)
    form = import_steps.columns_form(request, made)
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
    """What the good rows say is done, or the file is thrown away."""
    made = selectors.find(visible_imports(request.actor), pk=pk)
    if made.state != State.CHECKED:
        return _moved_on(request, pk)
    rejected = made.rows_read - made.rows_good
    policy = imports.Policy.ALL_OR_NOTHING
    if rejected:
        form = import_steps.PolicyForm(request.POST, made=made)
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
    return redirect(_next_file_url(made) or reverse("portfolio", args=[made.portfolio_id]))


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
