"""Listings over GraphQL: counts, sums and distributions of a portfolio, never a borrower."""

import graphene

from agencies import policies
from config.graphql import connections, mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.graphql.rooms import (
    READERS_OF_VISITS,
    ListingAnswer,
    ListingDocument,
    ListingQuestion,
    ListingStrata,
    ListingTerms,
    RoomVisit,
    Tape,
)
from marketplace.services import listings, rooms
from portfolios.graphql.portfolios import Portfolio

ListingState = scalars.choices(models.Listing.Phase, "ListingState")


class Listing(types.Node):
    """A portfolio published for sealed bids. Its closing time never moves.

    Before the terms are accepted an agency sees title, bank, state, size class and closing time;
    everything else is null.
    """

    class Meta:
        model = models.Listing
        fields = (
            "title",
            "is_invitation_only",
            "closes_at",
            "draw_commitment",
            "portfolio",
            "institution",
        )
        selector = selectors.shown_listings
        allow = policies.EVERYBODY
        allow_fields = {
            "is_invitation_only": policies.INSTITUTION_PEOPLE,
            "portfolio": Portfolio._meta.allow,
            "visits": READERS_OF_VISITS,
        }

    state = graphene.Field(ListingState, required=True)
    seed = graphene.String(
        description="From the award on: what chance drew the lots from, 32 hexadecimal digits."
        " SHA-256 of the bytes of `seed` and `portfolioDigest` is `drawCommitment`."
    )
    portfolio_digest = graphene.String(
        description="From the award on: SHA-256 of the loans' references, sorted, one a line."
    )
    size_class = graphene.String(
        required=True, description="How many loans: `low-high`, the last one `low-`."
    )
    terms_accepted = graphene.Boolean(
        required=True,
        description="Whether the room is open: a person accepts the terms, for a machine an"
        " administrator of its agency does.",
    )
    terms = graphene.Field(ListingTerms, description="What has to be accepted.")
    currency = graphene.String()
    jurisdiction = graphene.String()
    product = graphene.String()
    highest_rate_ppm = scalars.RatePpm()
    term_days = graphene.Int()
    tail_days = graphene.Int(
        description="Days after a loan's spell in which a payment on a promise made in it still"
        " counts for the agency."
    )
    published_at = scalars.DateTime()
    questions_close_at = scalars.DateTime()
    loan_count = graphene.Int(description="As on the tape; for the bank those it offers.")
    balance_minor = scalars.MinorUnits(
        description="Null for bidders also where it would tell what one borrower owes."
    )
    tape = graphene.Field(Tape, description="The loans in bands. That you look is written down.")
    strata = graphene.Field(
        ListingStrata, description="How the loans are spread. That you look is written down."
    )
    documents = queries.connection(
        ListingDocument,
        narrow=lambda visible, listing: visible.filter(listing=listing).defer("content"),
        on_read=lambda listing, info: _look(listing, info),
    )
    questions = queries.connection(
        ListingQuestion,
        narrow=lambda visible, listing: visible.filter(listing=listing),
        description="What your agency asked; for the bank what was asked.",
    )
    answers = queries.connection(
        ListingAnswer,
        narrow=lambda visible, listing: visible.filter(listing=listing),
        on_read=lambda listing, info: _look(listing, info),
        description="What all bidders read; for the bank also what is not published yet.",
    )
    visits = queries.connection(
        RoomVisit,
        narrow=lambda visible, listing: visible.filter(listing=listing),
        newest_first=True,
        description="Who of your agency saw what; for the bank, after the closing, of every one.",
    )

    def resolve_state(listing, info):
        return listing.phase

    def resolve_seed(listing, info):
        return listing.seed or None

    def resolve_portfolio_digest(listing, info):
        return listing.portfolio_digest if listing.seed else None

    def resolve_size_class(listing, info):
        return rooms.size_class(listing.loan_count)

    def resolve_terms_accepted(listing, info):
        return listing.is_opened

    def resolve_terms(listing, info):
        keys = {(one.pk, one.terms_sha256) for one in connections.peers(listing)}
        found = info.context.loaded.setdefault("texts of listings", {})
        if not keys <= found.keys():
            rows = ListingTerms.visible(info).filter(listing__in={key for key, _sha in keys})
            found |= dict.fromkeys(keys) | {(row.listing_id, row.sha256): row for row in rows}
        return found[listing.pk, listing.terms_sha256]

    def resolve_loan_count(listing, info):
        if info.context.actor.kind != "agency":
            return listing.loan_count
        tape = _tape(listing, info)
        return tape and tape.loan_count

    def resolve_balance_minor(listing, info):
        if info.context.actor.kind != "agency":
            return listing.balance_minor
        tape = _tape(listing, info)
        return tape and tape.balance_minor

    def resolve_tape(listing, info):
        return _looked_at(listing, info)

    def resolve_strata(listing, info):
        tape = _looked_at(listing, info)
        return tape and tape.strata


def _opened(name: str):
    def resolve(listing, info):
        return getattr(listing, name) if listing.is_opened else None

    return resolve


for _name in (
    "currency",
    "jurisdiction",
    "product",
    "highest_rate_ppm",
    "term_days",
    "tail_days",
    "published_at",
    "questions_close_at",
):
    setattr(Listing, f"resolve_{_name}", _opened(_name))


def _tape(listing, info) -> models.Tape | None:
    keys = {one.pk for one in connections.peers(listing)} | {listing.pk}
    return Tape.load(info, keys)[listing.pk]


def _looked_at(listing, info) -> models.Tape | None:
    """The tape; the look at it is written down."""
    _look(listing, info)
    return _tape(listing, info)


def _look(listing, info) -> None:
    """Write the look at a room, and at those of the same page, down once a request."""
    noted = info.context.loaded.setdefault("rooms looked at", {})
    peers = [one for one in {listing, *connections.peers(listing)} if one.is_opened]
    fresh = [one for one in peers if one.pk not in noted]
    if fresh:
        rooms.note(info.context.actor, fresh, models.RoomVisit.Part.ROOM)
        noted.update((one.pk, one) for one in fresh)


def shown(info, listing: models.Listing) -> models.Listing:
    """A listing that a service has returned, as its type shows it."""
    return Listing.load(info, [listing.pk])[listing.pk]


class ListingPublish(mutations.Mutation):
    """Opens a draft portfolio for sealed bids until `closesAt`.

    Without `invitedAgencyIds` every approved agency of the panel may bid.
    """

    allow = policies.VENDOR_MANAGERS

    class Input:
        portfolio_id = graphene.ID(required=True)
        closes_at = scalars.DateTime(required=True)
        highest_rate_ppm = scalars.RatePpm(required=True)
        term_days = graphene.Int(required=True)
        invited_agency_ids = graphene.List(graphene.NonNull(graphene.ID))
        terms = graphene.String(description="What bidders accept; your last text without it.")

    listing = graphene.Field(Listing)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(listing=shown(info, listings.publish(actor=actor, **given)))


class ListingWithdraw(mutations.Mutation):
    """Takes a listing without an award off the market; its portfolio is a draft again."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        listing_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    listing = graphene.Field(Listing)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(listing=shown(info, listings.withdraw(actor=actor, **given)))


class Query(graphene.ObjectType):
    listing = queries.node(Listing)
    listings = queries.connection(
        Listing,
        narrow=lambda visible, root, state=None: visible.filter(phase=state) if state else visible,
        newest_first=True,
        state=ListingState(),
    )


class Mutation(graphene.ObjectType):
    listing_publish = ListingPublish.Field()
    listing_withdraw = ListingWithdraw.Field()
