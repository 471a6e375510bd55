"""Actions on many loans as pages: the form, then what it would do, then the same form again.

The plan that was shown goes back with the form by its digest; the service refuses another one.
"""

from collections.abc import Callable

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from config import errors
from frontend import forms
from frontend.templatetags import fairplace
from portfolios.services import bulk

LISTED = 20


class ReferencesField(django_forms.CharField):
    """References of loans, one on each line, cleaned to a list."""

    def __init__(self, **kwargs):
        kwargs.setdefault("label", _("References of the loans"))
        kwargs.setdefault("help_text", _("One on each line, at most 5,000."))
        kwargs.setdefault("max_length", 400_000)
        kwargs.setdefault("widget", django_forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}))
        super().__init__(**kwargs)

    def clean(self, value):
        return super().clean(value).split()


class PreviewForm(forms.Form):
    """Base of the forms; `digest` names the plan that was shown, empty before there is one."""

    digest = django_forms.CharField(required=False, widget=django_forms.HiddenInput)

    def show(self, plan: bulk.Plan) -> None:
        """Let the next answer carry this plan's digest."""
        self.data = self.data.copy()
        self.data["digest"] = plan.digest


def answer(
    request: HttpRequest,
    form: PreviewForm,
    *,
    plan: Callable[[dict], bulk.Plan],
    run: Callable[[dict, str], HttpResponse],
    template: str,
    context: dict,
) -> HttpResponse:
    """The page of one action: `plan(cleaned)` shows, `run(cleaned, digest)` does and redirects."""
    shown = None
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "digest"}
        digest = form.cleaned_data["digest"]
        try:
            if digest:
                try:
                    return run(given, digest)
                except errors.InvalidState as error:
                    forms.form_from_error(form, error)
            shown = plan(given)
            form.show(shown)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
    return forms.render_page(
        request, template, {**context, "form": form, "plan": told(shown) if shown else None}
    )


def told(plan: bulk.Plan) -> dict:
    """A plan in words: `loans`, `balance`, and what is `skipped` and `kept`, by reason."""
    return {
        "loan_count": plan.loan_count,
        "loans": fairplace.loans(plan.loan_count),
        "balance": fairplace.money(plan.balance_minor, plan.currency) if plan.currency else "",
        "skipped": _by_reason(plan.skipped),
        "skipped_count": len(plan.skipped),
        "kept": _by_reason(plan.kept),
        "kept_count": len(plan.kept),
        "going_count": plan.loan_count - len(plan.kept),
    }


def _by_reason(left_out) -> list[dict]:
    """{words, count, references, more}: the most frequent reason first."""
    found = []
    for words, count in bulk.counted(left_out):
        names = [one.reference for one in left_out if one.words == words]
        found.append(
            {
                "words": words,
                "count": count,
                "references": ", ".join(names[:LISTED]),
                "more": max(count - LISTED, 0),
            }
        )
    return found
