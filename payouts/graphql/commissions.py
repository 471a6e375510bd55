"""Money above the balance over GraphQL: it earns commission only if a person says so."""

import graphene

from agencies import policies as roles
from config.graphql import mutations, queries, scalars, types
from payouts import models, policies, selectors
from payouts.services import commissions

ExcessState = scalars.choices(models.Excess.State, "ExcessState")


class Excess(types.Node):
    """The part of one confirmed payment above what was owed."""

    class Meta:
        model = models.Excess
        fields = (
            "recovery",
            "amount_minor",
            "currency",
            "found_at",
            "decided_at",
            "decision_reason",
        )
        selector = selectors.visible_excesses
        allow = policies.BANK_READERS

    state = graphene.Field(ExcessState, required=True)


class ExcessDecide(mutations.Mutation):
    """Says whether money above the balance counts; it earns the placement's rate if it does."""

    allow = roles.FINANCE_APPROVERS

    class Input:
        excess_id = graphene.ID(required=True)
        accept = graphene.Boolean(required=True)
        reason = graphene.String(required=True)

    excess = graphene.Field(Excess)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(excess=commissions.decide_excess(actor=actor, **given))


class Query(graphene.ObjectType):
    excesses = queries.connection(
        Excess,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=ExcessState(),
    )


class Mutation(graphene.ObjectType):
    excess_decide = ExcessDecide.Field()
