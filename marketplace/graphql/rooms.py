"""The bidders' room over GraphQL: tape, terms, documents, questions and answers, and who looked."""

import graphene

from agencies import policies
from config.graphql import queries, scalars, types
from marketplace import models, selectors
from marketplace import tape as tapes

READERS_OF_VISITS = (
    policies.VENDOR_MANAGERS
    | policies.COMPLIANCE_OFFICERS
    | policies.AUDITORS
    | policies.AGENCY_WORKERS
)
CELLS_MOST = 100
RoomPart = scalars.choices(models.RoomVisit.Part, "RoomPart")


class ListingGroup(types.Value):
    """Loans that are alike in one respect, of at least five borrowers."""

    class Meta:
        allow = policies.EVERYBODY

    group = graphene.String(
        required=True,
        description="`low-high` (minor units, days, points or placements, `high` not included,"
        " none after the last), a word, empty for loans without one, or `other` for small groups"
        " put together.",
    )
    loans = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(
        description="Among the groups of `balance` alone, and only where it does not tell what"
        " one borrower owes."
    )


class ListingStrata(types.Value):
    """How the loans of a listing are spread, as counted for its tape."""

    class Meta:
        allow = policies.EVERYBODY

    balance = graphene.List(graphene.NonNull(ListingGroup), required=True)
    days_past_due = graphene.List(graphene.NonNull(ListingGroup), required=True)
    region = graphene.List(graphene.NonNull(ListingGroup), required=True)
    grade = graphene.List(graphene.NonNull(ListingGroup), required=True)
    score = graphene.List(graphene.NonNull(ListingGroup), required=True)
    earlier_placements = graphene.List(graphene.NonNull(ListingGroup), required=True)


class TapeCell(types.Value):
    """Loans that are alike in every respect that is shown, of at least five borrowers.

    A band is `low-high`, half-open; `any` says that the loans are not alike in this.
    """

    class Meta:
        allow = policies.EVERYBODY

    balance = graphene.String(required=True, description="In minor units.")
    days_past_due = graphene.String(required=True)
    region = graphene.String(required=True)
    product = graphene.String(required=True)
    grade = graphene.String(required=True)
    score = graphene.String(required=True)
    earlier_placements = graphene.String(required=True)
    secured = graphene.String(required=True)
    expected_recovery = graphene.String(required=True, description="In parts per million.")
    loans = graphene.Int(required=True)


class Tape(types.Node):
    """The anonymised tape of a listing: its loans in bands, frozen when they were counted."""

    class Meta:
        model = models.Tape
        fields = ("loan_count", "balance_minor", "suppressed_count", "cut_at")
        selector = selectors.visible_tapes
        allow = policies.EVERYBODY

    cell_count = graphene.Int(required=True)
    cells = queries.field(
        graphene.List(graphene.NonNull(TapeCell)),
        allow=policies.EVERYBODY,
        description="Those with the most loans first, at most 100 at once.",
        first=graphene.Int(required=True),
        skip=graphene.Int(),
    )

    def resolve_cell_count(tape, info):
        return len(tape.cells["rows"])

    def resolve_cells(tape, info, first, skip=0):
        return tapes.largest(tape.cells, max(0, min(first, CELLS_MOST)), max(0, skip))


class ListingTerms(types.Node):
    """What everybody accepts before anything of a listing's room is shown to them."""

    class Meta:
        model = models.ListingTerms
        fields = ("text", "sha256", "set_at")
        selector = selectors.visible_terms
        allow = policies.EVERYBODY


class ListingDocument(types.Node):
    """A file for all bidders; its content is downloaded from its page."""

    class Meta:
        model = models.ListingDocument
        fields = ("file_name", "content_type", "size_bytes", "sha256", "uploaded_at")
        selector = selectors.visible_listing_documents
        allow = policies.EVERYBODY


class ListingQuestion(types.Node):
    """What a bidder asked. Nobody but its own agency learns who."""

    class Meta:
        model = models.ListingQuestion
        fields = ("text", "asked_at")
        selector = selectors.visible_questions
        allow = policies.EVERYBODY


class ListingAnswer(types.Node):
    """A question as all bidders read it, and its answer."""

    class Meta:
        model = models.ListingAnswer
        fields = ("question", "text", "published_at")
        selector = selectors.visible_answers
        allow = policies.EVERYBODY


class RoomVisit(types.Node):
    """One look at a part of a room."""

    class Meta:
        model = models.RoomVisit
        fields = ("agency", "visitor", "document", "at")
        selector = selectors.visible_visits
        allow = READERS_OF_VISITS

    part = graphene.Field(RoomPart, required=True)
