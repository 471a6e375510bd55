"""Recalls: shown before they happen, announced or carried out at once, and withdrawn."""

import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from agencies import policies, selectors
from config import errors
from frontend import breadcrumbs, forms, previews, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from portfolios.models import Placement, Recall
from portfolios.selectors import (
    shown_placements,
    shown_recalled_loans,
    shown_recalls,
)
from portfolios.services import objections, recalls, rules

READERS = policies.AGENCY_PEOPLE | policies.VENDOR_MANAGERS | policies.AUDITORS
ANNOUNCE, AT_ONCE = "announce", "at_once"


class AnnounceForm(previews.PreviewForm):
    """Which loans, when and why; without references it is the whole placement."""

    references = previews.ReferencesField(
        required=False,
        help_text=gettext_lazy(
            "One on each line, at most 5,000. Left empty, the whole placement is meant."
        ),
    )
    step = django_forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (ANNOUNCE, gettext_lazy("Announce it: the agency may object until it is final")),
            (AT_ONCE, gettext_lazy("At once: the agency loses access immediately")),
        ],
        widget=django_forms.RadioSelect,
        initial=ANNOUNCE,
    )
    notice_days = django_forms.IntegerField(
        label=gettext_lazy("Days until it is final"),
        min_value=1,
        max_value=365,
        help_text=gettext_lazy("Counts only for what is announced."),
    )
    reason = forms.ReasonField()

    def clean(self):
        """A plan that was shown for the other step is no plan for this one."""
        cleaned = super().clean()
        step, _colon, digest = (cleaned.get("digest") or "").rpartition(":")
        cleaned["digest"] = digest if step == cleaned.get("step") else ""
        return cleaned

    def show(self, plan):
        super().show(plan)
        self.data["digest"] = f"{self.cleaned_data['step']}:{plan.digest}"


@page(allow=policies.VENDOR_MANAGERS)
def announce(request: HttpRequest, pk) -> HttpResponse:
    """Recall a placement or some of its loans: first what that would take, then the same."""
    found = selectors.find(shown_placements(request.actor), pk=pk)
    days = rules.current(actor=request.actor).recall_notice_days
    form = AnnounceForm(
        request.POST or None,
        initial={"notice_days": days, "references": request.GET.get("loan", "")},
    )

    def plan(given):
        return recalls.preview(
            actor=request.actor,
            placement_id=pk,
            references=given["references"] or None,
            is_immediate=given["step"] == AT_ONCE,
        )

    return previews.answer(
        request,
        form,
        plan=plan,
        run=lambda given, digest: _recall(request, found, given, digest),
        template="frontend/recalls/announce.html",
        context={
            "title": _("Recall loans"),
            "lead": _("Placed with %(agency)s. You see what is taken before anything happens.")
            % {"agency": found.agency.name},
            "breadcrumbs": breadcrumbs.to_placement(found),
            "placement": found,
            "submit": _("Carry it out"),
        },
    )


def _recall(request: HttpRequest, found: Placement, given: dict, digest: str) -> HttpResponse:
    order = {
        "actor": request.actor,
        "placement_id": found.pk,
        "references": given["references"] or None,
        "reason": given["reason"],
        "digest": digest,
    }
    if given["step"] == AT_ONCE:
        count = recalls.recall_now(**order)
        told = ngettext("%(count)s loan is recalled.", "%(count)s loans are recalled.", count)
        messages.success(request, told % {"count": fairplace.integer(count)})
        return redirect("placement", found.pk)
    made = recalls.announce(notice_days=given["notice_days"], **order)
    messages.success(request, _("The recall is announced. The agency has been told."))
    return redirect("recall", made.pk)


class RecalledLoanTable(tables.Table):
    caption = gettext_lazy("Loans of the recall")
    empty_title = gettext_lazy("No loan is left in it")
    empty_text = gettext_lazy("All of them were taken back or returned.")

    loan = django_tables2.Column(
        verbose_name=gettext_lazy("Loan"), accessor="loan__reference", order_by="loan__reference"
    )
    balance_minor = tables.MoneyColumn(
        verbose_name=gettext_lazy("Balance"),
        accessor="loan__balance_minor",
        currency="loan__currency",
    )
    state = tables.StateColumn(
        verbose_name=gettext_lazy("State"), accessor="recall_state", orderable=False
    )
    objection = django_tables2.Column(
        verbose_name=gettext_lazy("Objection"), accessor="pk", orderable=False
    )

    def render_loan(self, value, record):
        return tables.link(reverse("loan", args=[record.loan_id]), value)

    def render_objection(self, record):
        objection = getattr(record, "objection", None)
        if objection is None:
            return fairplace.NO_VALUE
        kind = objection.get_kind_display()
        note = objection.note or (_("shown by the portal's data") if objection.is_automatic else "")
        url = reverse("objection_decide", args=[objection.pk])
        objection.recalled_loan = record
        may_decide = self.decides and objections.may_be_decided(objection)
        return tables.link(url, kind, note) if may_decide else kind

    decides = False


@page(allow=READERS)
def recall(request: HttpRequest, pk) -> HttpResponse:
    """One announced recall, for both sides."""
    found = selectors.find(shown_recalls(request.actor), pk=pk)
    is_pending = found.state == Recall.State.PENDING
    zone = found.institution.time_zone
    loans = shown_recalled_loans(request.actor).filter(recall=found).order_by("loan__reference")
    table = RecalledLoanTable(loans, request=request, time_zone=zone)
    manages = policies.allows(request.actor, policies.VENDOR_MANAGERS)
    table.decides = manages
    return forms.render_page(
        request,
        "frontend/recalls/recall.html",
        {
            "title": _("Recall of %(loans)s") % {"loans": fairplace.loans(found.loan_count)},
            "state": f"recall_{found.state}",
            "lead": found.placement.title,
            "breadcrumbs": breadcrumbs.to_placement(found.placement),
            "recall": found,
            "table": table,
            "is_agency": request.actor.kind == "agency",
            "may_withdraw": manages and is_pending,
            "may_object": request.actor.kind == "agency" and is_pending,
            "time_zone": zone,
            "entries": trail.timeline(request.actor, found),
        },
    )


class ReasonForm(forms.Form):
    reason = forms.ReasonField()


@page(allow=policies.VENDOR_MANAGERS)
def withdraw(request: HttpRequest, pk) -> HttpResponse:
    """Give an announced recall up."""
    found = selectors.find(shown_recalls(request.actor), pk=pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            recalls.withdraw(actor=request.actor, recall_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The recall is withdrawn. The loans stay."))
            return redirect("recall", pk)
    return small_form(
        request,
        found,
        form,
        title=_("Withdraw the recall"),
        lead=_("The loans stay with the agency, which is told."),
        submit=_("Withdraw it"),
    )


def small_form(request, found: Recall, form, *, title, lead, submit) -> HttpResponse:
    """A page with one form about a recall, and the way back to it."""
    url = reverse("recall", args=[found.pk])
    return forms.render_page(
        request,
        "frontend/loans/form.html",
        {
            "title": title,
            "lead": lead,
            "breadcrumbs": [*breadcrumbs.to_placement(found.placement), (_("Recall"), url)],
            "form": form,
            "submit": submit,
            "cancel_url": url,
        },
    )
