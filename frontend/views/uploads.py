"""The import wizard: choose a file, see what is in it, and decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors
from frontend import forms
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.imports import download, label_of, way_back
from portfolios.loan_files import LoanRow
from portfolios.mappings import MAPPINGS, Mapping
from portfolios.models import LoanUpload, Portfolio
from portfolios.selectors import visible_portfolios
from portfolios.services import imports, uploads

PROBLEMS_SHOWN = 100
FIELDS = {
    "reference": gettext_lazy("Reference"),
    "balance": gettext_lazy("Balance"),
    "rate": gettext_lazy("Interest rate"),
    "opened_on": gettext_lazy("Opened on"),
    "last_payment_on": gettext_lazy("Last payment on"),
    "region": gettext_lazy("Region"),
    "grade": gettext_lazy("Grade"),
    "borrower_name": gettext_lazy("Borrower's name"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address"),
    "national_id": gettext_lazy("National identifier"),
}


class FileForm(forms.Form):
    file = forms.forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "UTF-8, at most 30 MB. Nothing is imported before you have seen what is in it."
        ),
        widget=forms.forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    mapping = forms.forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        help_text=gettext_lazy("Which columns the fields of a loan are read from."),
    )

    def __init__(self, *args, mappings, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["mapping"].choices = [
            (mapping.name, label_of(mapping.name)) for mapping in mappings
        ]


@page(allow=policies.VENDOR_MANAGERS)
def choose(request: HttpRequest, pk) -> HttpResponse:
    """First step: the file and its mapping."""
    portfolio = selectors.find(visible_portfolios(request.actor), pk=pk)
    if portfolio.state != Portfolio.State.DRAFT:
        raise errors.InvalidState(
            "NOT_DRAFT", _("This portfolio is published: no more loans can be imported into it.")
        )
    mappings = [one for one in MAPPINGS.values() if one.currency in (None, portfolio.currency)]
    form = FileForm(request.POST or None, request.FILES or None, mappings=mappings)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload, _report = uploads.keep(
                actor=request.actor,
                portfolio_id=pk,
                file_name=file.name,
                content=file.read(imports.LARGEST_FILE_BYTES + 1),
                mapping=form.cleaned_data["mapping"],
            )
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            return redirect("loan_upload", upload.pk)
    return forms.render_page(
        request,
        "frontend/uploads/choose.html",
        {
            "title": _("Import loans"),
            "lead": _("Into “%(name)s”, in %(currency)s.")
            % {"name": portfolio.name, "currency": portfolio.currency},
            "breadcrumbs": way_back(portfolio),
            "form": form,
            "portfolio": portfolio,
            "step": 1,
            "mappings": [_described(mapping) for mapping in mappings],
        },
    )


def _described(mapping: Mapping) -> dict:
    """Which columns a mapping reads: {label, rows: [(field, column, note)]}."""
    rows = []
    for name, label in FIELDS.items():
        if name in mapping.computed:
            rows.append((label, mapping.computed[name], _("computed")))
        elif name in mapping.columns:
            note = _("may be absent") if name in mapping.optional else ""
            rows.append((label, mapping.columns[name], note))
    return {"label": label_of(mapping.name), "rows": rows}


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


@page(allow=policies.VENDOR_MANAGERS)
def upload(request: HttpRequest, pk) -> HttpResponse:
    """Second step: what is in the file, and the decision."""
    try:
        kept, report = uploads.recheck(actor=request.actor, upload_id=pk)
    except (errors.InvalidInput, errors.InvalidState) as error:
        # Something happened since it was kept: the same file came in by another way.
        portfolio = uploads.discard(actor=request.actor, upload_id=pk)
        messages.error(request, error.message)
        return redirect("portfolio", portfolio.pk)
    rejected = report.rows_rejected
    form = PolicyForm(
        request.POST or None,
        good=len(report.loans),
        rejected=rejected,
    )
    if request.method == "POST":
        policy = request.POST.get("policy") if rejected else imports.Policy.ALL_OR_NOTHING
        if not rejected or form.is_valid():
            if rejected and policy == imports.Policy.ALL_OR_NOTHING:
                return _thrown_away(request, pk)
            try:
                made = uploads.run(actor=request.actor, upload_id=pk, policy=policy)
            except errors.InvalidInput as error:
                forms.form_from_error(form, error)
            else:
                messages.success(request, _told(made.rows_imported))
                return redirect("loan_import", made.pk)
    return _show_upload(request, kept, report, form)


def _told(count: int) -> str:
    told = ngettext("%(count)s loan is imported.", "%(count)s loans are imported.", count)
    return told % {"count": fairplace.integer(count)}


def _show_upload(request, kept: LoanUpload, report, form) -> HttpResponse:
    mapping = MAPPINGS[kept.mapping]
    return forms.render_page(
        request,
        "frontend/uploads/check.html",
        {
            "title": _("Check the file"),
            "lead": _("%(file)s, for “%(name)s”. Nothing is imported yet.")
            % {"file": kept.file_name, "name": kept.portfolio.name},
            "breadcrumbs": way_back(kept.portfolio),
            "form": form,
            "step": 2,
            "upload": kept,
            "report": report,
            "currency": kept.portfolio.currency,
            "good": len(report.loans),
            "kinds": _kinds(report.problems),
            "problems": report.problems[:PROBLEMS_SHOWN],
            "problems_left": max(0, len(report.problems) - PROBLEMS_SHOWN),
            "columns": _columns(report.loans, mapping, kept.portfolio.currency),
        },
    )


def _kinds(problems) -> list[tuple]:
    """(column, message, how often), the most frequent first."""
    counted: dict[tuple, int] = {}
    for problem in problems:
        kind = (problem.column, str(problem.message))
        counted[kind] = counted.get(kind, 0) + 1
    ordered = sorted(counted.items(), key=lambda item: -item[1])
    return [(column, message, count) for (column, message), count in ordered[:20]]


def _columns(loans: list[LoanRow], mapping: Mapping, currency: str) -> list[dict]:
    """For each field that is read: from where, how many rows have it, lowest and highest."""
    shown = {
        "balance": ("balance_minor", lambda value: fairplace.money(value, currency)),
        "rate": ("rate_ppm", fairplace.rate),
        "opened_on": ("opened_on", fairplace.day_text),
        "last_payment_on": ("last_payment_on", fairplace.day_text),
        "reference": ("reference", str),
        "region": ("region", str),
        "grade": ("grade", str),
    }
    rows = []
    for name, label in FIELDS.items():
        column = mapping.computed.get(name) or mapping.columns.get(name)
        if column is None:
            continue
        attribute, words = shown.get(name, (name, None))
        values = [value for loan in loans if (value := getattr(loan, attribute)) not in ("", None)]
        row = {"label": label, "column": column, "filled": len(values), "lowest": "", "highest": ""}
        if words and values:
            row |= {"lowest": words(min(values)), "highest": words(max(values))}
        rows.append(row)
    return rows


def _thrown_away(request: HttpRequest, pk) -> HttpResponse:
    portfolio = uploads.discard(actor=request.actor, upload_id=pk)
    messages.info(request, _("Nothing was imported. Put the file right and choose it again."))
    return redirect("loans_import", portfolio.pk)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def discard(request: HttpRequest, pk) -> HttpResponse:
    """Leave the wizard: the kept file is thrown away."""
    return _thrown_away(request, pk)


@page(allow=policies.VENDOR_MANAGERS)
def rejected(request: HttpRequest, pk) -> HttpResponse:
    """The bad rows of a kept file, to be put right."""
    return download(uploads.rejected(actor=request.actor, upload_id=pk))
