"""What is in a listing's room, and who looked at it."""

from django.db.models import OuterRef, QuerySet, Subquery

from agencies.actors import Actor
from marketplace.models import (
    Listing,
    ListingAnswer,
    ListingDocument,
    ListingQuestion,
    ListingTerms,
    QuestionAuthor,
    RoomVisit,
    Tape,
    TapeCut,
)
from marketplace.selectors.listings import disclosed_listings, opened_listings, visible_listings
from marketplace.selectors.scoping import is_bank


def visible_terms(actor: Actor) -> QuerySet[ListingTerms]:
    """The texts of listings that the actor may see: they are read before they are accepted."""
    return ListingTerms.objects.filter(listing__in=visible_listings(actor).values("pk"))


def visible_tapes(actor: Actor) -> QuerySet[Tape]:
    """The tapes of opened rooms."""
    return Tape.objects.filter(listing__in=opened_listings(actor).values("pk"))


def visible_tape_cuts(actor: Actor) -> QuerySet[TapeCut]:
    """Which loans the bank's tapes were counted from."""
    if not is_bank(actor):
        return TapeCut.objects.none()
    return TapeCut.objects.filter(institution=actor.institution_id)


def visible_listing_documents(actor: Actor) -> QuerySet[ListingDocument]:
    """The documents of opened rooms."""
    return ListingDocument.objects.filter(listing__in=opened_listings(actor).values("pk"))


def visible_questions(actor: Actor) -> QuerySet[ListingQuestion]:
    """The bank's, of which it does not learn who asked; for an agency what it asked itself."""
    if is_bank(actor):
        return ListingQuestion.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return ListingQuestion.objects.none()
    own = QuestionAuthor.objects.filter(agency=actor.agency_id)
    return ListingQuestion.objects.filter(pk__in=own.values("question"))


def visible_answers(actor: Actor) -> QuerySet[ListingAnswer]:
    """The bank's, drafts too; for an agency what is published in opened rooms."""
    answers = ListingAnswer.objects.filter(listing__in=opened_listings(actor).values("pk"))
    return answers if is_bank(actor) else answers.filter(published_at__isnull=False)


def visible_visits(actor: Actor) -> QuerySet[RoomVisit]:
    """An agency's own people's; for the bank those of `disclosed_listings`."""
    if is_bank(actor):
        return RoomVisit.objects.filter(listing__in=disclosed_listings(actor).values("pk"))
    if actor.kind != "agency":
        return RoomVisit.objects.none()
    return RoomVisit.objects.filter(agency=actor.agency_id)


def with_tape(actor: Actor, listings: QuerySet[Listing]) -> QuerySet[Listing]:
    """Adds `tape_loan_count` and `tape_balance_minor`, null where the room is not open."""
    tape = visible_tapes(actor).filter(listing=OuterRef("pk"))
    return listings.annotate(
        tape_loan_count=Subquery(tape.values("loan_count")),
        tape_balance_minor=Subquery(tape.values("balance_minor")),
    )
