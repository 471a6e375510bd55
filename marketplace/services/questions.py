"""Questions of bidders: nobody learns who asks, and all read the answers at the same instant."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, dberrors, errors
from marketplace.models import Listing, ListingAnswer, ListingQuestion, QuestionAuthor
from marketplace.models.questions import LONGEST_TEXT
from marketplace.selectors import visible_answers, visible_listings, visible_questions
from marketplace.services import rooms

MAY_ASK = policies.AGENCY_WORKERS
MOST_QUESTIONS = 50
OVER = _("Questions to this listing have ended.")


def _checked(text: str, missing, field: str) -> str:
    return texts.checked(text, field=field, longest=LONGEST_TEXT, missing=missing)


@dberrors.translated()
def ask(*, actor: Actor, listing_id, text: str) -> ListingQuestion:
    """Ask the bank something about a listing; it does not learn who asks.

    Raises `InvalidState`: `NOT_ACCEPTED` before the terms are accepted, `CLOSED` when questions
    have ended (a trigger decides), `TOO_MANY` after fifty questions of one agency.
    """
    policies.demand(actor, MAY_ASK)
    text = _checked(text, _("Write your question."), "text")
    listing = rooms.find(actor, listing_id)
    moment = clock.now()
    if listing.state != Listing.State.OPEN or moment >= listing.questions_close_at:
        raise errors.InvalidState("CLOSED", OVER)
    if visible_questions(actor).filter(listing=listing).count() >= MOST_QUESTIONS:
        raise errors.InvalidState("TOO_MANY", _("Your agency has asked fifty questions."))
    with transaction.atomic():
        question = ListingQuestion.objects.create(
            institution_id=listing.institution_id, listing=listing, text=text, asked_at=moment
        )
        author = QuestionAuthor.objects.create(
            question=question, asked_by=actor.label, **policies.side_of(actor)
        )
        # The author has no institution, and so its entry is the agency's alone.
        audit.record(actor, "question.ask", author)
    return question


def answer(
    *, actor: Actor, question_id, text: str, shown_question: str | None = None
) -> ListingAnswer:
    """Write the answer to a question, or write it anew; nobody else sees it until it is published.

    `shown_question` replaces the bidder's words where they would give it away. Raises
    `InvalidState` `PUBLISHED` for one that bidders have read, `CLOSED` from the closing on.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    manager: Any = actor.user_id
    text = _checked(text, _("Write the answer."), "text")
    if shown_question is not None:
        shown_question = _checked(shown_question, _("Say what was asked."), "shown_question")
    rows = visible_questions(actor).select_related("listing")
    question = selectors.find(rows, pk=question_id)
    rooms.demand_open(question.listing)
    told = {
        "text": text,
        "question": question.text if shown_question is None else shown_question,
        "answered_at": clock.now(),
        "answered_by_id": manager,
    }
    with transaction.atomic():
        # Two people who answer at once do so one after the other.
        Listing.objects.select_for_update().get(pk=question.listing_id)
        draft = ListingAnswer.objects.filter(source=question)
        if not draft.filter(published_at=None).update(**told):
            if draft.exists():
                raise errors.InvalidState(
                    "PUBLISHED", _("Bidders have read this answer: it stays as it is.")
                )
            ListingAnswer.objects.create(
                institution_id=question.institution_id,
                listing_id=question.listing_id,
                source=question,
                **told,
            )
        audit.record(actor, "question.answer", question.listing)
    return draft.get()


def publish(*, actor: Actor, listing_id) -> int:
    """Show all answers that are written to all bidders, at one instant; answers how many.

    Raises `InvalidState`: `NOTHING` where no answer waits, `CLOSED` from the closing on.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    rooms.demand_open(listing)
    with transaction.atomic():
        # An answer that is being written is either in this batch or in the next one.
        Listing.objects.select_for_update().get(pk=listing.pk)
        waiting = visible_answers(actor).filter(listing=listing, published_at=None)
        count = waiting.update(published_at=clock.now())
        if not count:
            raise errors.InvalidState("NOTHING", _("No answer waits to be published."))
        audit.record(actor, "answers.publish", listing, changes={"answers": count})
    return count
