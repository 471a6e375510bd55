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


class PlannedLot(types.Value):
    """What one share would come to; `problem` is the code of what forbids it, or empty."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    loans = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)
    commission_minor = scalars.MinorUnits(required=True)
    problem = graphene.String(required=True)


class AwardLeftOut(types.Value):
    """Loans that a rule keeps out of the award; a loan with two causes is counted for both."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    code = graphene.String(required=True)
    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class AwardPlan(types.Value):
    """What shares would come to, before chance decides which loans they are."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    lots = graphene.List(graphene.NonNull(PlannedLot), required=True)
    share_ppm = scalars.RatePpm(required=True)
    unplaced_loans = graphene.Int(required=True)
    unplaced_minor = scalars.MinorUnits(required=True)
    left_out = graphene.List(graphene.NonNull(AwardLeftOut), required=True)


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
    award_preview = queries.field(
        AwardPlan,
        allow=policies.VENDOR_MANAGERS,
        listing_id=graphene.ID(required=True),
        shares=graphene.List(graphene.NonNull(ListingShare), required=True),
    )

    def resolve_award_preview(root, info, listing_id, shares):
        given = [awards.Share(**share) for share in shares]
        return awards.preview(actor=info.context.actor, listing_id=listing_id, shares=given)


class Mutation(graphene.ObjectType):
    listing_award = ListingAward.Field()
