"""The bidders' room: what stands before it, and what is in it."""

from django import forms as django_forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import policies, selectors
from agencies.actors import Actor
from config import clock
from frontend import forms, strata
from frontend.templatetags import fairplace
from marketplace.models import Listing, RoomVisit
from marketplace.models.questions import LONGEST_TEXT
from marketplace.selectors import (
    visible_answers,
    visible_listing_documents,
    visible_questions,
    visible_tapes,
    visible_terms,
)
from marketplace.services import questions, rooms

CONFLICT = 409
MAY_ASK = questions.MAY_ASK & policies.PEOPLE
LOG_READERS = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_PEOPLE
)


class AcceptForm(forms.Form):
    """Consent to the text of one hash."""

    sha256 = django_forms.CharField(widget=django_forms.HiddenInput)
    accept = django_forms.BooleanField(
        label=gettext_lazy("I have read the terms and accept them."),
        error_messages={"required": gettext_lazy("Tick that you accept the terms.")},
    )


class QuestionForm(forms.Form):
    """Something that a bidder wants to know."""

    text = django_forms.CharField(
        label=gettext_lazy("Your question"),
        help_text=gettext_lazy(
            "The bank reads your words without your name. Write nothing that gives you away."
        ),
        max_length=LONGEST_TEXT,
        widget=django_forms.Textarea(attrs={"rows": 3}),
    )


def size_words(listing: Listing) -> str:
    """The size class of a listing: fewer than 100, 100 to 999, 1,000,000 or more."""
    low, high = rooms.size_class(listing.loan_count).split("-")
    if not high:
        return _("%(low)s or more") % {"low": fairplace.integer(int(low))}
    last = fairplace.integer(int(high) - 1)
    if low == "0":
        return _("up to %(last)s") % {"last": last}
    return f"{fairplace.integer(int(low))}–{last}"


def gate(
    request: HttpRequest, listing: Listing, own: dict, *, form=None, problem=""
) -> HttpResponse:
    """What is shown before the terms are accepted: title, size class, closing time, the terms.

    `own` is what the agency has here itself: `bid`, `share`, `placement`.
    """
    is_open = listing.phase == Listing.Phase.OPEN
    terms = visible_terms(request.actor).filter(listing=listing, sha256=listing.terms_sha256)
    if is_open and form is None:
        form = AcceptForm(initial={"sha256": listing.terms_sha256})
    context = {
        "title": listing.title,
        "state": listing.phase,
        "lead": listing.institution.name,
        "breadcrumbs": [(_("Listings"), reverse("listings"))],
        "listing": listing,
        "time_zone": listing.institution.time_zone,
        "size": size_words(listing),
        "terms": terms.first(),
        "speaks_for_machines": policies.allows(request.actor, policies.AGENCY_ADMINISTRATORS),
        "form": form if is_open else None,
        "problem": problem,
        "own": own,
    }
    if problem:
        return render(request, "frontend/rooms/gate.html", context, status=CONFLICT)
    return forms.render_page(request, "frontend/rooms/gate.html", context)


def parts(request: HttpRequest, listing: Listing, *, ask_form=None) -> dict:
    """What `frontend/rooms/` shows of an opened room; that somebody looked is written down."""
    actor = request.actor
    rooms.note(actor, [listing], RoomVisit.Part.ROOM)
    moment = clock.now()
    takes_questions = listing.phase == Listing.Phase.OPEN and moment < listing.questions_close_at
    if takes_questions and ask_form is None and policies.allows(actor, MAY_ASK):
        ask_form = QuestionForm()
    tape = selectors.find(visible_tapes(actor), listing=listing)
    return {
        **strata.contents(listing, tape),
        "documents": documents_of(actor, listing),
        "answers": visible_answers(actor)
        .filter(listing=listing, published_at__isnull=False)
        .order_by("-published_at", "pk"),
        "waiting": visible_questions(actor)
        .filter(listing=listing)
        .exclude(answer__published_at__isnull=False)
        .order_by("asked_at"),
        "ask_form": ask_form if takes_questions else None,
        "takes_questions": takes_questions,
        "terms": visible_terms(actor).filter(listing=listing, sha256=listing.terms_sha256).first(),
    }


def documents_of(actor: Actor, listing: Listing):
    """The documents without their content, the newest first."""
    found = visible_listing_documents(actor).filter(listing=listing).defer("content")
    return found.order_by("-uploaded_at", "file_name")
