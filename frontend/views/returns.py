"""Loans that go back: a whole placement recalled at once, single loans, an agency's return."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import errors
from frontend import breadcrumbs, forms, previews
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Placement
from portfolios.selectors import shown_placements, visible_loans
from portfolios.services import bulk, placements


def _live(request: HttpRequest, pk) -> Placement:
    found = selectors.find(shown_placements(request.actor), pk=pk)
    if found.state != Placement.State.LIVE:
        raise errors.InvalidState("NOT_LIVE", _("This placement has ended already."))
    return found


@page(allow=policies.VENDOR_MANAGERS)
def recall(request: HttpRequest, pk) -> HttpResponse:
    """Take a whole placement back."""
    found = _live(request, pk)
    form = forms.ConfirmForm(request.POST or None, expected=found.agency.name)
    if request.method == "POST" and form.is_valid():
        try:
            placements.recall(
                actor=request.actor, placement_id=pk, reason=form.cleaned_data["reason"]
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(
                request, _("The placement is recalled. The agency sees nothing of it any more.")
            )
            return redirect("placement", pk)
    consequences = [
        _("%(agency)s loses access to %(loans)s at once: nothing can be read or written.")
        % {"agency": found.agency.name, "loans": fairplace.loans(found.open_count)},
        _("Contacts, promises and recoveries stay with you; the next agency does not see them."),
        _("What was recovered until now is still commissioned."),
    ]
    return forms.render_page(
        request,
        "frontend/placements/recall.html",
        {
            "title": _("Recall a placement"),
            "breadcrumbs": breadcrumbs.to_placement(found),
            "form": form,
            "consequences": consequences,
            "placement": found,
        },
    )


class RecallLoansForm(forms.Form):
    references = previews.ReferencesField(
        help_text=gettext_lazy(
            "One on each line, at most 5,000. All of them are taken back, or none."
        )
    )
    reason = forms.ReasonField()


@page(allow=policies.VENDOR_MANAGERS)
def recall_loans(request: HttpRequest, pk) -> HttpResponse:
    """Take single loans back; the others stay with the agency."""
    found = _live(request, pk)
    form = RecallLoansForm(
        request.POST or None, initial={"references": request.GET.get("loan", "")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            count = placements.recall_loans(
                actor=request.actor,
                placement_id=pk,
                loan_ids=_named_loans(request, found, form.cleaned_data["references"]),
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            told = ngettext("%(count)s loan is recalled.", "%(count)s loans are recalled.", count)
            messages.success(request, told % {"count": fairplace.integer(count)})
            return redirect("placement", pk)
    return forms.render_page(
        request,
        "frontend/placements/recall_loans.html",
        {
            "title": _("Recall single loans"),
            "lead": _("%(agency)s loses access to them at once and keeps the others.")
            % {"agency": found.agency.name},
            "breadcrumbs": breadcrumbs.to_placement(found),
            "form": form,
            "placement": found,
        },
    )


class ReturnForm(forms.Form):
    references = previews.ReferencesField(
        required=False,
        help_text=gettext_lazy("One on each line. Left empty, the whole placement goes back."),
    )
    reason = forms.ReasonField()


@page(allow=policies.AGENCY_PEOPLE)
def give_back(request: HttpRequest, pk) -> HttpResponse:
    """An agency returns loans, or the whole placement."""
    found = selectors.find(shown_placements(request.actor), pk=pk)
    form = ReturnForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        references = form.cleaned_data["references"]
        try:
            count = placements.give_back(
                actor=request.actor,
                placement_id=pk,
                loan_ids=_named_loans(request, found, references) if references else None,
                reason=form.cleaned_data["reason"],
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            told = ngettext("%(count)s loan is returned.", "%(count)s loans are returned.", count)
            messages.success(request, told % {"count": fairplace.integer(count)})
            is_left = shown_placements(request.actor).filter(pk=pk).exists()
            return redirect("placement", pk) if is_left else redirect("placements")
    return forms.render_page(
        request,
        "frontend/placements/return.html",
        {
            "title": _("Return loans"),
            "lead": _("You lose access to them at once, and %(bank)s is told why.")
            % {"bank": found.institution.name},
            "breadcrumbs": breadcrumbs.to_placement(found),
            "form": form,
            "placement": found,
        },
    )


def _named_loans(request: HttpRequest, found: Placement, references: list[str]) -> list:
    """The loans of a placement by their references. Raises `InvalidInput` for unknown ones."""
    names = bulk.named(references)
    loans = visible_loans(request.actor).filter(placement=found, reference__in=names)
    known = dict(loans.values_list("reference", "pk"))
    missing = [name for name in names if name not in known]
    if missing:
        raise errors.InvalidInput(
            "NOT_IN_PLACEMENT",
            _("Not in this placement: %(references)s") % {"references": ", ".join(missing[:10])},
            field="references",
        )
    return list(known.values())
