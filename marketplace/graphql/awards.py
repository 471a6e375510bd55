"""Awards over GraphQL: the bank's decisions, and for an agency its own share alone."""

import dataclasses

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from marketplace import models, selectors
from marketplace.graphql.lot_balance import LotBalance
from marketplace.services import awards


class AwardShare(types.Node):
    """One winner's part of a portfolio, in parts per million of its loans."""

    class Meta:
        model = models.AwardShare
        fields = ("share_ppm", "rate_ppm", "lot", "listing", "agency", "placement")
        selector = selectors.visible_award_shares
        allow = policies.EVERYBODY
        # The number of a lot would tell how many others there are.
        allow_fields = {
            "lot": policies.INSTITUTION_PEOPLE,
            "comparison_balance": policies.INSTITUTION_PEOPLE,
        }

    balance = graphene.Field(LotBalance, description="This lot against the rest of the loans.")
    comparison_balance = graphene.Field(
        LotBalance, description="The part of it that every winner got an equal one of."
    )


class Award(types.Node):
    """The decision on one listing. With its seed anybody can draw the same lots again."""

    class Meta:
        model = models.Award
        fields = (
            "reason",
            "awarded_at",
            "listing",
            "comparison_ppm",
            "hold_out_ppm",
            "hold_out_until",
            "hold_out_reason",
            "imbalance_reason",
        )
        selector = selectors.visible_awards
        allow = policies.INSTITUTION_PEOPLE

    seed = graphene.String(required=True, description="32 hexadecimal digits.")
    largest_difference_ppm = graphene.Int(
        required=True, description="Of all lots, in parts per million of a standard deviation."
    )
    spread_ppm = graphene.Int(
        required=True,
        description="The lots' average balances: largest less smallest, of their mean.",
    )
    hold_out_balance = graphene.Field(LotBalance)
    shares = queries.connection(
        AwardShare, narrow=lambda visible, award: visible.filter(award=award)
    )


class AwardLeftOut(types.Value):
    """Loans that a rule keeps out of the award; a loan with two causes is counted for both."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    code = graphene.String(required=True)
    loan_count = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)


class ListingShare(graphene.InputObjectType):
    """What one bid is to get."""

    bid_id = graphene.ID(required=True)
    share_ppm = scalars.RatePpm(required=True)


class ShareOutcome(types.Value):
    """What one share would come to. `problem` is a code of an error, or empty."""

    class Meta:
        allow = policies.VENDOR_MANAGERS

    loans = graphene.Int(required=True)
    balance_minor = scalars.MinorUnits(required=True)
    commission_minor = scalars.MinorUnits(
        required=True, description="The rate on the whole balance: the most that could be paid."
    )
    problem = graphene.String(required=True)
    rehearsal = graphene.Field(
        LotBalance, description="How alike such a lot is; null where nothing can be drawn."
    )


class AwardPreview(types.Value):
    """What an award would come to, in the order of its shares. Nothing is decided.

    The rehearsal draws from a seed of its own: the committed one is for the award alone.
    """

    class Meta:
        allow = policies.VENDOR_MANAGERS

    shares = graphene.List(graphene.NonNull(ShareOutcome), required=True)
    share_ppm = graphene.Int(required=True)
    held_out_loans = graphene.Int(required=True)
    unplaced_loans = graphene.Int(required=True)
    unplaced_minor = scalars.MinorUnits(required=True)
    left_out = graphene.List(graphene.NonNull(AwardLeftOut), required=True)
    needs_acceptance = graphene.Boolean(
        required=True, description="Whether `imbalanceReason` would be asked for."
    )


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
        comparison_ppm = scalars.RatePpm(
            description="The part of the portfolio that the winners get in equal lots, within"
            " their shares."
        )
        hold_out_ppm = scalars.RatePpm(description="The part that is drawn and not placed.")
        hold_out_until = graphene.Date(description="The first day on which it may be placed.")
        hold_out_reason = graphene.String()
        imbalance_reason = graphene.String(
            description="Why lots that differ more than they should are good enough."
        )

    award = graphene.Field(Award)

    @classmethod
    def perform(
        cls,
        info,
        actor,
        shares,
        hold_out_ppm=0,
        hold_out_until=None,
        hold_out_reason="",
        **given,
    ):
        shares = [awards.Share(**share) for share in shares]
        hold_out = awards.HoldOut(hold_out_ppm, hold_out_until, hold_out_reason)
        return cls(award=awards.award(actor=actor, shares=shares, hold_out=hold_out, **given))


def _preview(root, info, shares, **given):
    found = awards.preview(
        actor=info.context.actor, shares=[awards.Share(**share) for share in shares], **given
    )
    plan, rehearsal = found.plan, found.rehearsal
    lots = rehearsal.lots if rehearsal else [None] * len(plan.lots)
    return {
        "shares": [
            {**dataclasses.asdict(outcome), "rehearsal": lot}
            for outcome, lot in zip(plan.lots, lots, strict=True)
        ],
        "share_ppm": plan.share_ppm,
        "held_out_loans": plan.held_out_loans,
        "unplaced_loans": plan.unplaced_loans,
        "unplaced_minor": plan.unplaced_minor,
        "left_out": plan.left_out,
        "needs_acceptance": bool(rehearsal and rehearsal.needs_acceptance),
    }


class Query(graphene.ObjectType):
    awards = queries.connection(Award, newest_first=True)
    award_shares = queries.connection(AwardShare, newest_first=True)
    award_preview = queries.field(
        AwardPreview,
        allow=policies.VENDOR_MANAGERS,
        resolver=_preview,
        listing_id=graphene.ID(required=True),
        shares=graphene.List(graphene.NonNull(ListingShare), required=True),
        comparison_ppm=scalars.RatePpm(),
        hold_out_ppm=scalars.RatePpm(),
    )


class Mutation(graphene.ObjectType):
    listing_award = ListingAward.Field()
