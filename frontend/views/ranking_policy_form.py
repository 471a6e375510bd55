"""The form in which somebody proposes another ranking policy, filled in with the one in force."""

import re

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config import errors
from frontend import forms, policy_words
from frontend.access import page
from frontend.views.ranking_policies import proposal_of
from marketplace.models import RankingPolicy
from marketplace.services import exposures, ranking_policies, ranking_proposals
from marketplace.services.ranking_policy_values import MOST_STRATA, RANGES

UNUSED = 0
WHOLE = re.compile(r"-?\d+")


class EdgesField(django_forms.CharField):
    """Whole numbers apart by commas or blanks, cleaned to a list; empty where there are none."""

    default_error_messages = {
        "invalid": gettext_lazy("Give whole numbers with commas between them, such as 91, 181.")
    }

    def clean(self, value):
        parts = re.split(r"[\s,，、;]+", super().clean(value).strip())
        if not all(WHOLE.fullmatch(part) for part in parts if part):
            raise django_forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return [int(part) for part in parts if part]

    def prepare_value(self, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else value


class PolicyForm(forms.Form):
    """Each value of a policy; of the facts by which loans are alike their places and bands."""

    reason = forms.ReasonField(
        help_text=gettext_lazy("Whoever decides reads it, and it stays in the audit trail.")
    )

    def __init__(self, *args, policy: RankingPolicy, **kwargs):
        super().__init__(*args, **kwargs)
        places = {name: place for place, (name, _edges) in enumerate(policy.strata, 1)}
        edges = dict(policy.strata)
        for name, label in policy_words.FACTS.items():
            self.fields[f"{name}_place"] = django_forms.TypedChoiceField(
                label=label,
                coerce=int,
                choices=[(UNUSED, _("not used")), *((place, place) for place in _places())],
                initial=places.get(name, UNUSED),
            )
            if name in exposures.BANDED:
                self.fields[f"{name}_edges"] = EdgesField(
                    label=_("%(fact)s: bands begin at") % {"fact": label},
                    required=False,
                    max_length=200,
                    initial=edges.get(name) or [],
                )
        for name in RANGES:
            self.fields[name] = _field(name, getattr(policy, name))
        self.fields["reason"] = self.fields.pop("reason")
        forms.dress(self)

    @property
    def groups(self) -> list[tuple]:
        """(heading, sentence, fields) as they are shown."""
        facts = [
            self[name]
            for fact in policy_words.FACTS
            for name in (f"{fact}_place", f"{fact}_edges")
            if name in self.fields
        ]
        return [
            (
                policy_words.LABELS["strata"],
                _(
                    "Give facts their places, the weightiest first. The lowest band of a fact"
                    " reaches up to the first number; balances are in whole units of the currency."
                ),
                facts,
            ),
            *(
                (heading, "", [self[name] for name in names])
                for heading, names in policy_words.GROUPS
            ),
        ]

    def clean(self):
        taken: dict[int, str] = {}
        for fact in policy_words.FACTS:
            place = self.cleaned_data.get(f"{fact}_place")
            if place in taken:
                self.add_error(f"{fact}_place", _("Another fact has this place."))
            elif place:
                taken[place] = fact
        self.facts = [taken[place] for place in sorted(taken)]
        return self.cleaned_data

    def changes(self) -> dict:
        """What the service takes."""
        strata = [
            [fact, self.cleaned_data[f"{fact}_edges"] if fact in exposures.BANDED else None]
            for fact in self.facts
        ]
        return {"strata": strata, **{name: self.cleaned_data[name] for name in RANGES}}

    def refuse(self, error: errors.DomainError) -> None:
        """Say a refusal of the service where it is about: `strata.2.edges` at that fact's bands."""
        path = (error.field or "").split(".")
        names = {"strata": f"{next(iter(policy_words.FACTS))}_place"}
        if len(path) > 1:
            fact = self.facts[int(path[1])]
            names |= {"edges": f"{fact}_edges", "name": f"{fact}_place"}
        forms.form_from_error(self, error, names)


def _places() -> range:
    return range(1, MOST_STRATA + 1)


def _field(name: str, initial: int) -> django_forms.Field:
    lowest, highest = RANGES[name]
    said = {
        "label": policy_words.LABELS[name],
        "help_text": policy_words.NOTES[name],
        "initial": initial,
    }
    if name.endswith("_ppm"):
        return forms.RateField(lowest_ppm=lowest, highest_ppm=highest, **said)
    return django_forms.IntegerField(min_value=lowest, max_value=highest, **said)


@page(allow=ranking_proposals.MAY_PROPOSE)
def propose(request: HttpRequest) -> HttpResponse:
    """Say what should be another, with a reason; somebody else adopts it."""
    if request.method != "POST" and proposal_of(request.actor):
        messages.info(request, _("Another version waits for a decision. Decide it first."))
        return redirect("ranking_policy")
    current = ranking_policies.current(actor=request.actor)
    form = PolicyForm(forms.sent(request), policy=current)
    if request.method == "POST" and form.is_valid():
        try:
            ranking_proposals.propose(
                actor=request.actor, reason=form.cleaned_data["reason"], **form.changes()
            )
        except (errors.InvalidInput, errors.InvalidState) as error:
            form.refuse(error)
        else:
            messages.success(request, _("Proposed. Back-test it, then somebody else decides."))
            return redirect("ranking_policy")
    context = {
        "title": _("Propose a version"),
        "lead": _("Nothing changes until another person has adopted it."),
        "breadcrumbs": [
            (_("Ranking"), reverse("ranking")),
            (_("Ranking policy"), reverse("ranking_policy")),
        ],
        "form": form,
        "back": reverse("ranking_policy"),
    }
    return forms.render_page(request, "frontend/rankings/policy_form.html", context)
