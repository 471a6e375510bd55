"""The bank's side of a room: documents, terms, questions and answers, and who looked."""

import django_tables2
from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies, selectors
from config import errors
from frontend import breadcrumbs, forms, tables
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views import awards, rooms
from marketplace.models import Listing, ListingQuestion
from marketplace.models.questions import LONGEST_TEXT
from marketplace.selectors import (
    disclosed_listings,
    shown_listings,
    visible_questions,
    visible_terms,
    visible_visits,
)
from marketplace.services import documents, questions, terms

CONFLICT = 409
READERS = policies.INSTITUTION_PEOPLE


def _found(request: HttpRequest, pk) -> Listing:
    return selectors.find(shown_listings(request.actor), pk=pk)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def add_documents(request: HttpRequest, pk) -> HttpResponse:
    """Add files for all bidders."""
    listing = _found(request, pk)
    form = forms.FilesForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            made = documents.add(actor=request.actor, listing_id=pk, files=form.contents())
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            return awards.room(request, listing, problem=error.message)
        else:
            count = len(made)
            messages.success(
                request,
                ngettext(
                    "%(count)s document is in the room; all bidders see it now.",
                    "%(count)s documents are in the room; all bidders see them now.",
                    count,
                )
                % {"count": fairplace.integer(count)},
            )
            return redirect("listing", pk)
    return awards.room(request, listing, files_form=form)


class TermsForm(forms.Form):
    terms = django_forms.CharField(
        label=gettext_lazy("Terms"),
        help_text=gettext_lazy("Everybody has to accept the new text before they go on."),
        max_length=terms.LONGEST,
        widget=django_forms.Textarea(attrs={"rows": 12}),
    )


@page(allow=policies.VENDOR_MANAGERS)
def change_terms(request: HttpRequest, pk) -> HttpResponse:
    """Set another text, which bidders accept anew."""
    listing = _found(request, pk)
    current = visible_terms(request.actor).filter(listing=listing, sha256=listing.terms_sha256)
    text = current.values_list("text", flat=True).first()
    form = TermsForm(forms.sent(request), initial={"terms": text})
    if request.method == "POST" and form.is_valid():
        try:
            terms.change(actor=request.actor, listing_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            return awards.room(request, listing, problem=error.message)
        else:
            messages.success(request, _("The terms are changed. Everybody accepts them anew."))
            return redirect("listing", pk)
    context = {
        "title": _("Terms of the listing"),
        "lead": listing.title,
        "breadcrumbs": breadcrumbs.to_listing(listing),
        "listing": listing,
        "form": form,
    }
    return forms.render_page(request, "frontend/rooms/terms.html", context)


class AnswerForm(forms.Form):
    """One question as bidders will read it, and its answer; several stand on one page."""

    shown_question = django_forms.CharField(
        label=gettext_lazy("Question as bidders read it"),
        help_text=gettext_lazy("Change it where its words would give the bidder away."),
        max_length=LONGEST_TEXT,
        widget=django_forms.Textarea(attrs={"rows": 2}),
    )
    text = django_forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=LONGEST_TEXT,
        widget=django_forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, data=None, *, question: ListingQuestion):
        draft = getattr(question, "answer", None)
        initial = {
            "shown_question": draft.question if draft else question.text,
            "text": draft.text if draft else "",
        }
        super().__init__(data, auto_id=f"{question.pk}_%s", initial=initial)


@page(allow=READERS)
def question_list(request: HttpRequest, pk) -> HttpResponse:
    """Questions and answers of a listing: answered one by one, published together."""
    return _show_questions(request, _found(request, pk))


def _show_questions(request, listing: Listing, *, refused=None, problem="") -> HttpResponse:
    actor = request.actor
    rows = visible_questions(actor).filter(listing=listing).select_related("answer")
    is_open = listing.phase == Listing.Phase.OPEN
    may_answer = is_open and policies.allows(actor, policies.VENDOR_MANAGERS)
    told = []
    for question in rows.order_by("asked_at", "pk"):
        draft = getattr(question, "answer", None)
        is_published = draft is not None and draft.published_at is not None
        form = None
        if may_answer and not is_published:
            form = (refused or {}).get(question.pk) or AnswerForm(question=question)
        told.append({"question": question, "answer": draft, "form": form})
    drafts = [row for row in told if row["answer"] and not row["answer"].published_at]
    context = {
        "title": _("Questions and answers"),
        "lead": listing.title,
        "breadcrumbs": breadcrumbs.to_listing(listing),
        "listing": listing,
        "time_zone": listing.institution.time_zone,
        "waiting": [row for row in told if not (row["answer"] and row["answer"].published_at)],
        "published": [row for row in told if row["answer"] and row["answer"].published_at],
        "drafts": len(drafts) if may_answer else 0,
        "is_open": is_open,
        "problem": problem,
    }
    status = CONFLICT if problem else forms.UNPROCESSABLE if refused else 200
    return render(request, "frontend/rooms/questions.html", context, status=status)


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def answer(request: HttpRequest, pk) -> HttpResponse:
    """Write an answer, or write it anew; bidders do not see it yet."""
    rows = visible_questions(request.actor).select_related("answer")
    question = selectors.find(rows, pk=pk)
    listing = _found(request, question.listing_id)
    form = AnswerForm(request.POST, question=question)
    if form.is_valid():
        try:
            questions.answer(actor=request.actor, question_id=pk, **form.cleaned_data)
        except errors.InvalidInput as error:
            forms.form_from_error(form, error)
        except errors.InvalidState as error:
            return _show_questions(request, listing, problem=error.message)
        else:
            messages.success(
                request, _("The answer is kept. Publish it when all of them are ready.")
            )
            return redirect("listing-questions", listing.pk)
    return _show_questions(request, listing, refused={question.pk: form})


@page(allow=policies.VENDOR_MANAGERS)
@require_POST
def publish_answers(request: HttpRequest, pk) -> HttpResponse:
    """Show all answers that are written to all bidders, at one instant."""
    listing = _found(request, pk)
    try:
        count = questions.publish(actor=request.actor, listing_id=pk)
    except errors.InvalidState as error:
        return _show_questions(request, listing, problem=error.message)
    messages.success(
        request,
        ngettext(
            "%(count)s answer is published: all bidders read it now.",
            "%(count)s answers are published: all bidders read them now.",
            count,
        )
        % {"count": fairplace.integer(count)},
    )
    return redirect("listing-questions", pk)


class VisitTable(tables.Table):
    caption = gettext_lazy("Who looked")
    empty_title = gettext_lazy("Nobody has looked yet")

    at = tables.MomentColumn(verbose_name=gettext_lazy("When"))
    agency = django_tables2.Column(
        verbose_name=gettext_lazy("Agency"), accessor="agency__name", order_by="agency__name"
    )
    visitor = django_tables2.Column(verbose_name=gettext_lazy("Who"))
    part = django_tables2.Column(verbose_name=gettext_lazy("What"))

    def render_part(self, record):
        words = record.get_part_display()
        return f"{words}: {record.document.file_name}" if record.document else words


@page(allow=rooms.LOG_READERS)
def log(request: HttpRequest, pk) -> HttpResponse:
    """Who saw what and when: an agency its own people, the bank everybody after the closing."""
    actor = request.actor
    listing = _found(request, pk)
    is_bank = actor.institution_id is not None
    is_sealed = is_bank and not disclosed_listings(actor).filter(pk=pk).exists()
    rows = visible_visits(actor).filter(listing=listing).select_related("agency", "document")
    table = VisitTable(
        rows.defer("document__content").order_by("-at", "-pk"),
        request=request,
        time_zone=listing.institution.time_zone,
        exclude=() if is_bank else ("agency",),
    )
    context = {
        "title": _("Who looked"),
        "lead": listing.title,
        "breadcrumbs": breadcrumbs.to_listing(listing),
        "listing": listing,
        "time_zone": listing.institution.time_zone,
        "table": None if is_sealed else table,
    }
    return render(request, "frontend/rooms/log.html", context)
