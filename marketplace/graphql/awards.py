"""Awards over GraphQL: the bank's decisions, and for an agency its own share alone."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.services import awards


class AwardShare(types.Node):
    """One winner's part of a portfolio, in parts per million of its loans."""

    class Meta:
        model = models.AwardShare
        fields = ("share_ppm", "rate_ppm", "lot", "listing", "agency", "placement")
        selector = selectors.visible_award_shares
        allow = policies.EVERYBODY
        # The number of a lot would tell how many others there are.
        allow_fields = {"lot": policies.INSTITUTION_PEOPLE}


class Award(types.Node):
    """The decision on one listing. With its seed anybody can draw the same lots again."""

    class Meta:
        model = models.Award
        fields = ("reason", "awarded_at", "listing")
        selector = selectors.visible_awards
        allow = policies.INSTITUTION_PEOPLE

    seed = graphene.String(required=True, description="A whole number of up to 62 bits.")
    shares = queries.connection(
        AwardShare, narrow=lambda visible, award: visible.filter(award=award)
    )


class ListingShare(graphene.InputObjectType):
    """What one bid is to get."""

    bid_id = graphene.ID(required=True)
    share_ppm = scalars.RatePpm(required=True)


class ListingAward(mutations.Mutation):
    """Decides a closed listing, once: draws the lots and places them. There is no way back.

    Shares of less than the whole leave the rest of the loans unplaced. `row` of an error counts
    the shares from 1.
    """

    allow = policies.VENDOR_MANAGERS

    class Input:
        listing_id = graphene.ID(required=True)
        shares = graphene.List(graphene.NonNull(ListingShare), required=True)
        reason = graphene.String(required=True)

    award = graphene.Field(Award)

    @classmethod
    def perform(cls, info, actor, shares, **given):
        shares = [awards.Share(**share) for share in shares]
        return cls(award=awards.award(actor=actor, shares=shares, **given))


class Query(graphene.ObjectType):
    awards = queries.connection(Award, newest_first=True)
    award_shares = queries.connection(AwardShare, newest_first=True)


class Mutation(graphene.ObjectType):
    listing_award = ListingAward.Field()
