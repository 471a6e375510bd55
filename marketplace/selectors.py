"""What an actor may see of the market: the only way from an id to an object of this chapter.

An agency sees listings it may bid on, of them no more than title, size class and closing time
before the terms are accepted, its own bids and its own shares: never that another agency bid. A
bank sees bids once the listing has closed, and not their number before.
"""

import dataclasses
import datetime
import uuid

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock
from marketplace.models import (
    Award,
    AwardShare,
    Bid,
    DrawnLoan,
    Listing,
    ListingAnswer,
    ListingDocument,
    ListingInvitation,
    ListingQuestion,
    ListingTerms,
    QuestionAuthor,
    Ranking,
    RankingRow,
    RoomVisit,
    Tape,
    TapeCut,
    TermsAcceptance,
)


def _is_bank(actor: Actor) -> bool:
    return actor.kind in ("institution", "sweep")


def visible_listings(actor: Actor) -> QuerySet[Listing]:
    """The bank's own; for an agency those of banks that approved it, if open to all or to it."""
    if _is_bank(actor):
        return Listing.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Listing.objects.none()
    standing = visible_memberships(actor).filter(
        institution=OuterRef("institution"), state=PanelMembership.State.APPROVED
    )
    invited = ListingInvitation.objects.filter(listing=OuterRef("pk"), agency=actor.agency_id)
    return Listing.objects.filter(Exists(standing), Q(is_invitation_only=False) | Exists(invited))


def visible_acceptances(actor: Actor) -> QuerySet[TermsAcceptance]:
    """An agency's own; for the bank those of listings whose log it may read."""
    if _is_bank(actor):
        return TermsAcceptance.objects.filter(listing__in=disclosed_listings(actor).values("pk"))
    if actor.kind != "agency":
        return TermsAcceptance.objects.none()
    return TermsAcceptance.objects.filter(agency=actor.agency_id)


def disclosed_listings(actor: Actor) -> QuerySet[Listing]:
    """The bank's listings that have closed and whose portfolio is not open for bids again: it may
    know who looked at their rooms without learning who bids."""
    again = Listing.objects.filter(
        portfolio=OuterRef("portfolio"), state=Listing.State.OPEN, closes_at__gt=clock.Now()
    )
    if not _is_bank(actor):
        return Listing.objects.none()
    closed = visible_listings(actor).filter(closes_at__lte=clock.Now())
    return closed.exclude(Exists(again))


def _accepted(actor: Actor) -> Exists:
    """Whether the text that counts was accepted: by the person, or for a machine of its agency."""
    mine = Q(covers_machines=True) if actor.client_id else Q(user=actor.user_id, user__isnull=False)
    accepted = visible_acceptances(actor).filter(
        mine, listing=OuterRef("pk"), sha256=OuterRef("terms_sha256")
    )
    return Exists(accepted)


def opened_listings(actor: Actor) -> QuerySet[Listing]:
    """Listings whose rooms are open to the actor: the bank's own; for an agency those whose terms
    this person has accepted, or for this machine an administrator of the agency."""
    if actor.kind != "agency":
        return visible_listings(actor)
    return visible_listings(actor).filter(_accepted(actor))


def shown_listings(actor: Actor) -> QuerySet[Listing]:
    """`visible_listings` with the bank, to be shown, and `phase`, a `Listing.Phase`: the state,
    but closed where the closing time has passed and nothing is decided yet; and `is_opened`,
    whether the actor may see more of it than title, size class and closing time."""
    has_closed = Q(state=Listing.State.OPEN, closes_at__lte=clock.Now())
    closed = When(has_closed, then=Value(Listing.Phase.CLOSED))
    listings = visible_listings(actor).select_related("institution")
    is_opened = (
        _accepted(actor) if actor.kind == "agency" else Value(True, output_field=BooleanField())
    )
    return listings.annotate(phase=Case(closed, default=F("state")), is_opened=is_opened)


def visible_terms(actor: Actor) -> QuerySet[ListingTerms]:
    """The texts of listings that the actor may see: they are read before they are accepted."""
    return ListingTerms.objects.filter(listing__in=visible_listings(actor).values("pk"))


def visible_tapes(actor: Actor) -> QuerySet[Tape]:
    """The tapes of opened rooms."""
    return Tape.objects.filter(listing__in=opened_listings(actor).values("pk"))


def visible_tape_cuts(actor: Actor) -> QuerySet[TapeCut]:
    """Which loans the bank's tapes were counted from."""
    if not _is_bank(actor):
        return TapeCut.objects.none()
    return TapeCut.objects.filter(institution=actor.institution_id)


def visible_listing_documents(actor: Actor) -> QuerySet[ListingDocument]:
    """The documents of opened rooms."""
    return ListingDocument.objects.filter(listing__in=opened_listings(actor).values("pk"))


def visible_questions(actor: Actor) -> QuerySet[ListingQuestion]:
    """The bank's, of which it does not learn who asked; for an agency what it asked itself."""
    if _is_bank(actor):
        return ListingQuestion.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return ListingQuestion.objects.none()
    own = QuestionAuthor.objects.filter(agency=actor.agency_id)
    return ListingQuestion.objects.filter(pk__in=own.values("question"))


def visible_answers(actor: Actor) -> QuerySet[ListingAnswer]:
    """The bank's, drafts too; for an agency what is published in opened rooms."""
    answers = ListingAnswer.objects.filter(listing__in=opened_listings(actor).values("pk"))
    return answers if _is_bank(actor) else answers.filter(published_at__isnull=False)


def visible_visits(actor: Actor) -> QuerySet[RoomVisit]:
    """An agency's own people's; for the bank those of `disclosed_listings`."""
    if _is_bank(actor):
        return RoomVisit.objects.filter(listing__in=disclosed_listings(actor).values("pk"))
    if actor.kind != "agency":
        return RoomVisit.objects.none()
    return RoomVisit.objects.filter(agency=actor.agency_id)


def with_own_offer(actor: Actor, listings: QuerySet[Listing]) -> QuerySet[Listing]:
    """Adds `bid_rate_ppm` and `bid_submitted_at` of the agency's own bid and `share_ppm` of what
    it won, null where there is none."""
    bid = visible_bids(actor).filter(listing=OuterRef("pk"))
    share = visible_award_shares(actor).filter(listing=OuterRef("pk"))
    return listings.annotate(
        bid_rate_ppm=Subquery(bid.values("rate_ppm")),
        bid_submitted_at=Subquery(bid.values("submitted_at")),
        share_ppm=Subquery(share.values("share_ppm")),
    )


def with_tape(actor: Actor, listings: QuerySet[Listing]) -> QuerySet[Listing]:
    """Adds `tape_loan_count` and `tape_balance_minor`, null where the room is not open."""
    tape = visible_tapes(actor).filter(listing=OuterRef("pk"))
    return listings.annotate(
        tape_loan_count=Subquery(tape.values("loan_count")),
        tape_balance_minor=Subquery(tape.values("balance_minor")),
    )


def visible_bids(actor: Actor) -> QuerySet[Bid]:
    """An agency's own bids; for the bank those on listings that have closed."""
    if _is_bank(actor):
        return Bid.objects.filter(institution=actor.institution_id, closes_at__lte=clock.Now())
    if actor.kind != "agency":
        return Bid.objects.none()
    return Bid.objects.filter(agency=actor.agency_id)


def shown_bids(actor: Actor) -> QuerySet[Bid]:
    """`visible_bids` with the agency, and its `standing` on the bank's panel with the
    `membership_id`, to be shown."""
    membership = visible_memberships(actor).filter(
        institution=OuterRef("institution"), agency=OuterRef("agency")
    )
    return (
        visible_bids(actor)
        .select_related("agency")
        .annotate(
            standing=Subquery(membership.values("state")),
            membership_id=Subquery(membership.values("pk")),
        )
    )


def visible_awards(actor: Actor) -> QuerySet[Award]:
    """The bank's own awards with their listings; an agency sees its share alone."""
    if _is_bank(actor):
        return Award.objects.filter(institution=actor.institution_id).select_related("listing")
    return Award.objects.none()


def visible_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """The shares of the bank's awards, or what the agency won."""
    if _is_bank(actor):
        return AwardShare.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return AwardShare.objects.none()
    return AwardShare.objects.filter(agency=actor.agency_id)


def visible_drawn_loans(actor: Actor) -> QuerySet[DrawnLoan]:
    """What the bank's awards were drawn from; an agency sees its own loans alone, elsewhere."""
    if _is_bank(actor):
        return DrawnLoan.objects.filter(institution=actor.institution_id)
    return DrawnLoan.objects.none()


def shown_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """`visible_award_shares` with the agency, to be shown."""
    return visible_award_shares(actor).select_related("agency")


def visible_invitations(actor: Actor) -> QuerySet[ListingInvitation]:
    """Whom the bank invited; an agency does not learn who else was."""
    if _is_bank(actor):
        return ListingInvitation.objects.filter(institution=actor.institution_id)
    return ListingInvitation.objects.none()


def visible_rankings(actor: Actor) -> QuerySet[Ranking]:
    """The bank's own, or those of the panels that the agency is in good standing on."""
    if _is_bank(actor):
        return Ranking.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Ranking.objects.none()
    panels = visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    return Ranking.objects.filter(institution__in=panels.values("institution"))


def visible_ranking_rows(actor: Actor) -> QuerySet[RankingRow]:
    """The whole panel for the bank; for an agency itself."""
    if _is_bank(actor):
        return RankingRow.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return RankingRow.objects.none()
    return RankingRow.objects.filter(agency=actor.agency_id)


@dataclasses.dataclass(frozen=True, slots=True)
class ShownRow:
    """One agency in a ranking, as somebody may see it.

    Bounds are None where there are too few loans to tell; `position` is None where the field is
    too small to be shown; `is_distinguishable` (the interval excludes the pooled rate) in both.
    """

    agency_id: uuid.UUID
    agency_name: str
    loans: int
    placed_minor: int
    recovered_minor: int
    rate_ppm: int
    low_ppm: int | None
    high_ppm: int | None
    complaints_received: int
    complaints_upheld: int
    position: int | None
    is_distinguishable: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class ShownRanking:
    """A ranking as somebody may see it: the bank every row, an agency its own.

    `field` is the panel without names, best first; empty when it is too small, and then an agency
    is not told the pooled rate either: from it and its own row a rival's could be computed.
    """

    institution_id: uuid.UUID
    institution_name: str
    currency: str
    computed_at: datetime.datetime
    rows: list[ShownRow]
    field: list[dict]
    pooled_rate_ppm: int | None


def shown_ranking(actor: Actor, *, currency: str, institution_id=None) -> ShownRanking | None:
    """The newest ranking in a currency as the actor may see it; None where there is none.

    An agency on several panels names the institution, or gets the newest of any.
    """
    rankings = visible_rankings(actor).filter(currency=currency)
    if institution_id:
        rankings = rankings.filter(institution=institution_id)
    ranking = rankings.select_related("institution").order_by("-computed_at", "-pk").first()
    if ranking is None:
        return None
    is_told = _is_bank(actor) or bool(ranking.field)
    rows = visible_ranking_rows(actor).filter(ranking=ranking).select_related("agency")
    return ShownRanking(
        institution_id=ranking.institution_id,
        institution_name=ranking.institution.name,
        currency=currency,
        computed_at=ranking.computed_at,
        rows=[
            _shown_row(row, ranking.pooled_rate_ppm if is_told else None)
            for row in rows.order_by("position", "agency__name")
        ],
        field=ranking.field,
        pooled_rate_ppm=ranking.pooled_rate_ppm if is_told else None,
    )


def _shown_row(row: RankingRow, pooled_rate_ppm: int | None) -> ShownRow:
    """Without the pooled rate the row is shown on its own: no position, and no comparison."""
    shared = (
        "agency_id",
        "loans",
        "placed_minor",
        "recovered_minor",
        "rate_ppm",
        "low_ppm",
        "high_ppm",
        "complaints_received",
        "complaints_upheld",
    )
    compared = None
    if pooled_rate_ppm is not None and row.low_ppm is not None and row.high_ppm is not None:
        compared = not row.low_ppm <= pooled_rate_ppm <= row.high_ppm
    return ShownRow(
        agency_name=row.agency.name,
        position=None if pooled_rate_ppm is None else row.position,
        is_distinguishable=compared,
        **{name: getattr(row, name) for name in shared},
    )


def ranked(actor: Actor) -> list[tuple[uuid.UUID, str, str]]:
    """(institution, its name, currency) of every ranking that the actor may see, by name."""
    found = visible_rankings(actor).values_list("institution", "institution__name", "currency")
    return sorted(set(found), key=lambda one: (one[1], one[2]))
