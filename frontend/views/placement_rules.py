"""The bank's own rules about placements: how long, how much, and to whom."""

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import errors
from frontend import forms, trail
from frontend.access import page
from portfolios.services import rules


class RulesForm(forms.Form):
    recall_notice_days = django_forms.IntegerField(
        label=gettext_lazy("Days from an announced recall to its end"),
        help_text=gettext_lazy("The agency may object in them. A recall can name other days."),
    )
    recent_payment_days = django_forms.IntegerField(
        label=gettext_lazy("Days for which a payment keeps a loan"),
        help_text=gettext_lazy("A loan with a payment in them stays when a recall is announced."),
    )
    tail_days = django_forms.IntegerField(
        label=gettext_lazy("Tail in days"),
        help_text=gettext_lazy(
            "After the end, a payment on a promise still counts for the former agency."
        ),
    )
    untouched_days = django_forms.IntegerField(
        label=gettext_lazy("Days between contacts"),
        help_text=gettext_lazy("Without one, a loan stands on the agency's worklist."),
    )
    balance_share_max_ppm = forms.RateField(
        label=gettext_lazy("Largest share of the placed balance with one agency"),
        required=False,
        lowest_ppm=1,
        help_text=gettext_lazy("Empty for no limit."),
    )
    loan_share_max_ppm = forms.RateField(
        label=gettext_lazy("Largest share of the placed loans with one agency"),
        required=False,
        lowest_ppm=1,
        help_text=gettext_lazy("Empty for no limit."),
    )
    is_never_twice = django_forms.BooleanField(
        label=gettext_lazy("A loan never goes twice to the same agency"), required=False
    )
    is_one_agency_per_borrower = django_forms.BooleanField(
        label=gettext_lazy("All loans of a borrower are at one agency"), required=False
    )
    reason = forms.ReasonField()


@page(allow=rules.MAY_CHANGE)
def change(request: HttpRequest) -> HttpResponse:
    """Show the rules, and change them with a reason."""
    current = rules.current(actor=request.actor)
    names = [*rules.DAYS, *rules.SHARES, *rules.SWITCHES]
    form = RulesForm(request.POST or None, initial={name: getattr(current, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            rules.change(actor=request.actor, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, _("The rules are changed. Open placements keep theirs."))
            return redirect("placement_rules")
    return forms.render_page(
        request,
        "frontend/rules/rules.html",
        {
            "title": _("Placement rules"),
            "lead": _("They hold for what is placed from now on; open placements keep theirs."),
            "form": form,
            "submit": _("Change the rules"),
            "entries": trail.timeline(request.actor, current),
        },
    )
