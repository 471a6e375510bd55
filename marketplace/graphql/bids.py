"""Bids over GraphQL: an agency's own, and for the bank those on listings that have closed."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.services import bids


class Bid(types.Node):
    """One agency's offer: sealed until the listing closes, immutable after."""

    class Meta:
        model = models.Bid
        fields = (
            "rate_ppm",
            "capacity_loans",
            "note",
            "submitted_at",
            "revision",
            "closes_at",
            "listing",
            "agency",
        )
        selector = selectors.shown_bids
        allow = policies.EVERYBODY
        allow_fields = {"agency_is_approved": policies.INSTITUTION_PEOPLE}

    agency_is_approved = graphene.Boolean(
        description="Whether the agency is in good standing on your panel now."
    )

    def resolve_agency_is_approved(bid, info):
        return bid.standing == "approved"


class BidSubmit(mutations.Mutation):
    """Makes your bid on a listing, or replaces the one you made, until the listing closes."""

    allow = bids.MAY_BID

    class Input:
        listing_id = graphene.ID(required=True)
        rate_ppm = scalars.RatePpm(required=True)
        capacity_loans = graphene.Int(required=True)
        note = graphene.String()

    bid = graphene.Field(Bid)

    @classmethod
    def perform(cls, info, actor, **given):
        bid = bids.submit(actor=actor, **given)
        return cls(bid=Bid.load(info, [bid.pk])[bid.pk])


class Query(graphene.ObjectType):
    bids = queries.connection(
        Bid,
        narrow=lambda visible, root, listing_id=None: (
            visible.filter(listing=listing_id) if listing_id else visible
        ),
        newest_first=True,
        description="Your own bids; for a bank the bids on listings that have closed, and of the"
        " others not even their number.",
        listing_id=graphene.ID(),
    )


class Mutation(graphene.ObjectType):
    bid_submit = BidSubmit.Field()
