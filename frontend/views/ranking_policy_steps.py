"""What is done about a proposed ranking policy: try it on past quarters, adopt it, refuse it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from agencies import selectors
from config import errors
from frontend import forms, policy_words
from frontend.access import page
from marketplace.models import RankingPolicy
from marketplace.selectors import visible_ranking_policies
from marketplace.services import ranking_backtests, ranking_policies, ranking_proposals

REFUSALS = (errors.InvalidInput, errors.InvalidState)


class ReasonForm(forms.Form):
    reason = forms.ReasonField(
        help_text=gettext_lazy("Your colleagues read it, and it stays in the audit trail.")
    )


@page(allow=ranking_backtests.MAY_BACKTEST)
@require_POST
def backtest(request: HttpRequest, pk) -> HttpResponse:
    """Rank by both versions, now and at the ends of past quarters."""
    try:
        ranking_backtests.backtest(
            actor=request.actor, policy_id=pk, currency=request.POST.get("currency", "")
        )
    except REFUSALS as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Tried on what was known then. Nothing of it is a ranking."))
    return redirect("ranking_policy")


@page(allow=ranking_proposals.MAY_DECIDE)
def adopt(request: HttpRequest, pk) -> HttpResponse:
    """Let the proposal be in force: never its proposer's to do."""
    return _decide(
        request,
        _found(request, pk),
        ranking_proposals.adopt,
        title=_("Adopt version %(version)s"),
        submit=_("Adopt it"),
        note=_(
            "The next ranking is computed by it, tonight's at the latest, and agencies can read it."
            " Rankings from before stay as they are."
        ),
        done=_("Adopted: the next ranking is computed by version %(version)s."),
        tone="primary",
    )


@page(allow=ranking_proposals.MAY_DECIDE)
def refuse(request: HttpRequest, pk) -> HttpResponse:
    """Let the proposal be; its proposer withdraws it."""
    found = _found(request, pk)
    is_own = found.proposed_by_id == request.actor.user_id
    return _decide(
        request,
        found,
        ranking_proposals.refuse,
        title=_("Withdraw version %(version)s") if is_own else _("Refuse version %(version)s"),
        submit=_("Withdraw the proposal") if is_own else _("Refuse it"),
        note=_("The policy in force stays. The proposal stays in the list of versions."),
        done=_("Withdrawn: the policy in force stays.")
        if is_own
        else _("Refused: the policy in force stays."),
        tone="danger",
    )


def _found(request: HttpRequest, pk) -> RankingPolicy:
    versions = visible_ranking_policies(request.actor).select_related("proposed_by")
    return selectors.find(versions, pk=pk)


def _decide(request, found, service, *, title, submit, note, done, tone) -> HttpResponse:
    if found.state != RankingPolicy.State.PROPOSED:
        messages.error(request, _("This version was decided meanwhile. Look at it again."))
        return redirect("ranking_policy")
    form = ReasonForm(forms.sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            service(actor=request.actor, policy_id=found.pk, **form.cleaned_data)
        except REFUSALS as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, done % {"version": found.version})
            return redirect("ranking_policy")
    is_adoption = service is ranking_proposals.adopt
    current = ranking_policies.current(actor=request.actor)
    context = {
        "title": title % {"version": found.version},
        "lead": _("Proposed by %(name)s: %(reason)s")
        % {"name": found.proposed_by.name, "reason": found.reason},
        "breadcrumbs": [
            (_("Ranking"), reverse("ranking")),
            (_("Ranking policy"), reverse("ranking_policy")),
        ],
        "form": form,
        "submit": submit,
        "note": note,
        "tone": tone,
        "back": reverse("ranking_policy"),
        "differences": policy_words.differences(current, found),
        "may_not": is_adoption and found.proposed_by_id == request.actor.user_id,
        "is_untried": is_adoption and ranking_proposals.needs_backtest(request.actor, found),
    }
    return forms.render_page(request, "frontend/rankings/policy_step.html", context)
