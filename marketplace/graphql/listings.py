"""Listings over GraphQL: counts, sums and distributions of a portfolio, never a borrower."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.services import listings
from portfolios.graphql.portfolios import Portfolio

ListingState = scalars.choices(models.Listing.Phase, "ListingState")


class ListingGroup(types.Value):
    """Loans that are alike in one respect; never fewer than five of a larger whole."""

    class Meta:
        allow = policies.EVERYBODY

    group = graphene.String(
        required=True,
        description="`low-high` (minor units or days, `high` not included, none after the last),"
        " a word, empty for loans without one, or `other` for small groups put together.",
    )
    loans = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class ListingStrata(types.Value):
    """How the loans of a listing are spread, as at its publication."""

    class Meta:
        allow = policies.EVERYBODY

    balance = graphene.List(graphene.NonNull(ListingGroup), required=True)
    days_past_due = graphene.List(graphene.NonNull(ListingGroup), required=True)
    region = graphene.List(graphene.NonNull(ListingGroup), required=True)
    grade = graphene.List(graphene.NonNull(ListingGroup), required=True)


class Listing(types.Node):
    """A portfolio published for sealed bids. Its closing time never moves."""

    class Meta:
        model = models.Listing
        fields = (
            "title",
            "currency",
            "jurisdiction",
            "product",
            "loan_count",
            "balance_minor",
            "highest_rate_ppm",
            "term_days",
            "is_invitation_only",
            "published_at",
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
        }

    state = graphene.Field(ListingState, required=True)
    strata = graphene.Field(ListingStrata, required=True)
    seed = graphene.String(
        description="From the award on: what chance drew the lots from, 32 hexadecimal digits."
        " SHA-256 of the bytes of `seed` and `portfolioDigest` is `drawCommitment`."
    )
    portfolio_digest = graphene.String(
        description="From the award on: SHA-256 of the loans' references, sorted, one a line."
    )

    def resolve_state(listing, info):
        return listing.phase

    def resolve_seed(listing, info):
        return listing.seed or None

    def resolve_portfolio_digest(listing, info):
        return listing.portfolio_digest if listing.seed else None

    def resolve_strata(listing, info):
        return listing.summary["strata"]


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
