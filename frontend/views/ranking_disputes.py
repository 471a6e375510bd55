"""Disputes about the ranking: an agency objects to a figure, the bank answers."""

import django_filters
import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors, texts
from config import errors
from frontend import forms, tables, trail
from frontend.access import page
from frontend.templatetags import fairplace
from marketplace.models import RankingDispute
from marketplace.models.ranking_disputes import LONGEST_CORRECTION
from marketplace.selectors import disputable_scores, visible_ranking_disputes
from marketplace.services import ranking_disputes
from portfolios.selectors import visible_loans

READERS = ranking_disputes.MAY_ANSWER | policies.AUDITORS
State = RankingDispute.State
SUBJECTS = (
    ("payment", gettext_lazy("A payment: missing, double or in the wrong month")),
    ("exposure", gettext_lazy("The time of a loan: too long, too short or not counted at all")),
    ("stratum", gettext_lazy("The kind of a loan: a fact about it is wrong")),
    ("complaint", gettext_lazy("A complaint that was counted against you")),
    ("other", gettext_lazy("Something else")),
)


class DisputeTable(tables.Table):
    caption = gettext_lazy("Disputes")
    empty_title = gettext_lazy("No dispute")
    empty_text = gettext_lazy(
        "Where an agency objects to a figure behind its place, it says so here."
    )

    subject = django_tables2.Column(verbose_name=gettext_lazy("About"), orderable=False)
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    loan_reference = django_tables2.Column(verbose_name=gettext_lazy("Loan"))
    state = tables.StateColumn(verbose_name=gettext_lazy("State"))
    raised_at = tables.MomentColumn(verbose_name=gettext_lazy("Raised"))

    def render_subject(self, record):
        return tables.link(
            reverse("ranking_dispute", args=[record.pk]), record.get_subject_display()
        )

    def render_state(self, record):
        return fairplace.badge(record.outcome or record.state)


class OwnDisputeTable(tables.Table):
    """For the agency, on its card: what it said and what was answered, in full."""

    caption = gettext_lazy("Your objections at this bank, the newest first")

    subject = django_tables2.Column(verbose_name=gettext_lazy("About"), orderable=False)
    statement = django_tables2.Column(verbose_name=gettext_lazy("What you say"), orderable=False)
    state = django_tables2.Column(verbose_name=gettext_lazy("State"), orderable=False)
    answer = django_tables2.Column(
        verbose_name=gettext_lazy("The bank's answer"), orderable=False, empty_values=()
    )
    raised_at = tables.MomentColumn(verbose_name=gettext_lazy("Raised"), orderable=False)

    def render_subject(self, record):
        named = " · ".join(filter(None, (record.loan_reference, record.payment_reference)))
        return tables.noted(record.get_subject_display(), named)

    def render_statement(self, value):
        return format_html('<span class="said">{}</span>', value)

    def render_state(self, record):
        return fairplace.badge(record.outcome or record.state)

    def render_answer(self, record):
        answer = format_html('<span class="said">{}</span>', record.answer or fairplace.NO_VALUE)
        return tables.noted(answer, record.correction)


def own_table(request: HttpRequest, institution_id) -> OwnDisputeTable | None:
    """What the agency objected to at one bank, in any of its rankings; None where to nothing."""
    rows = visible_ranking_disputes(request.actor).filter(institution=institution_id)
    if not rows.exists():
        return None
    return OwnDisputeTable(
        rows.order_by("-raised_at", "-pk"),
        request=request,
        time_zone=selectors.time_zone_of(request.actor),
    )


class DisputeFilter(tables.FilterSet):
    state = django_filters.ChoiceFilter(label=gettext_lazy("State"), choices=State.choices)


@page(allow=READERS)
def dispute_list(request: HttpRequest) -> HttpResponse:
    """What agencies object to, the newest first."""
    rows = visible_ranking_disputes(request.actor).select_related("agency")
    found = DisputeFilter(request.GET or None, rows.order_by("-raised_at", "-pk"))
    context = {
        "title": _("Disputes"),
        "lead": _("Figures behind the ranking to which agencies object. You answer each once."),
        "breadcrumbs": [(_("Ranking"), reverse("ranking"))],
        "table": DisputeTable(
            found.qs, request=request, time_zone=selectors.time_zone_of(request.actor)
        ),
        "filterset": found,
    }
    return render(request, "frontend/rankings/disputes.html", context)


class RaiseForm(forms.Form):
    subject = django_forms.ChoiceField(
        label=gettext_lazy("What is it about?"),
        choices=SUBJECTS,
        widget=django_forms.RadioSelect,
        help_text=gettext_lazy(
            "The kind of a loan is that of its first day, and a decided complaint stays decided:"
            " the bank can explain these, and corrects the others by an event."
        ),
    )
    loan_reference = django_forms.CharField(
        label=gettext_lazy("Loan reference"),
        max_length=60,
        required=False,
        help_text=gettext_lazy(
            "For a payment, and for the time or the kind of a loan. It is not looked up."
        ),
    )
    payment_reference = django_forms.CharField(
        label=gettext_lazy("Your payment reference"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("For a payment."),
    )
    statement = django_forms.CharField(
        label=gettext_lazy("What is wrong, and what is right?"),
        max_length=texts.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "With days and amounts, and of a wrong fact which one it is. Name no borrower."
        ),
    )


@page(allow=policies.AGENCY_ADMINISTRATORS)
def raise_one(request: HttpRequest, pk) -> HttpResponse:
    """The agency objects to a figure behind its score."""
    scores = disputable_scores(request.actor).select_related("run__institution")
    score = selectors.find(scores, pk=pk)
    card = f"{reverse('ranking')}?institution={score.institution_id}&currency={score.run.currency}"
    form = RaiseForm(forms.sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            ranking_disputes.raise_one(actor=request.actor, score_id=pk, **form.cleaned_data)
        except (errors.InvalidInput, errors.InvalidState) as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The bank has been told. You find its answer here."))
            return redirect(card)
    context = {
        "title": _("Object to a figure"),
        "lead": _("The bank looks into it and answers."),
        "breadcrumbs": [(_("Ranking"), card)],
        "score": score,
        "form": form,
        "cancel_url": card,
        "time_zone": selectors.time_zone_of(request.actor),
    }
    return forms.render_page(request, "frontend/rankings/dispute_form.html", context)


class AnswerForm(forms.Form):
    outcome = django_forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=(
            ("corrected", gettext_lazy("Corrected: an event that puts it right was recorded")),
            ("not_corrected", gettext_lazy("Not corrected: the data are right as they are")),
        ),
        widget=django_forms.RadioSelect,
    )
    correction = django_forms.CharField(
        label=gettext_lazy("What was recorded"),
        max_length=LONGEST_CORRECTION,
        required=False,
        help_text=gettext_lazy("Where it was corrected, such as: reversal R-12, on 3 June."),
    )
    answer = django_forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=texts.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("The agency reads it; it cannot be changed later."),
    )


@page(allow=READERS)
def dispute(request: HttpRequest, pk) -> HttpResponse:
    """One dispute; a vendor manager or a compliance officer answers here."""
    actor = request.actor
    rows = visible_ranking_disputes(actor).select_related("agency", "institution", "run")
    found = selectors.find(rows, pk=pk)
    is_open = found.state == State.OPEN
    may_answer = is_open and policies.allows(actor, ranking_disputes.MAY_ANSWER)
    form = AnswerForm(forms.sent(request)) if may_answer else None
    if request.method == "POST":
        policies.demand(actor, ranking_disputes.MAY_ANSWER)
        if form is None:
            messages.error(request, _("This has been answered already."))
            return redirect("ranking_dispute", pk)
        if form.is_valid() and _answered(request, found, form):
            return redirect("ranking_dispute", pk)
    loans = visible_loans(actor).filter(reference=found.loan_reference)
    context = {
        "title": _("Dispute of %(agency)s") % {"agency": found.agency.name},
        "state": found.outcome or found.state,
        "lead": _("Waits for your answer.") if is_open else _("Answered."),
        "breadcrumbs": [
            (_("Ranking"), f"{reverse('ranking')}?currency={found.run.currency}"),
            (_("Disputes"), reverse("ranking_disputes")),
        ],
        "dispute": found,
        "loan": loans.first() if found.loan_reference else None,
        "form": form,
        "time_zone": found.institution.time_zone,
        "entries": trail.timeline(actor, found),
    }
    return forms.render_page(request, "frontend/rankings/dispute.html", context)


def _answered(request: HttpRequest, found: RankingDispute, form: AnswerForm) -> bool:
    try:
        ranking_disputes.answer(actor=request.actor, dispute_id=found.pk, **form.cleaned_data)
    except (errors.InvalidInput, errors.InvalidState) as error:
        forms.form_from_error(form, error)
        return False
    messages.success(request, _("Answered. The agency reads it on its card."))
    return True
