"""Objections to announced recalls over GraphQL."""

import graphene

from agencies import policies
from config.graphql import mutations, queries, scalars, types
from portfolios import models, selectors
from portfolios.graphql import bulk
from portfolios.services import objections

ObjectionKind = scalars.choices(models.Objection.Kind, "ObjectionKind")
ObjectionState = scalars.choices(models.Objection.State, "ObjectionState")
MAY_READ = policies.AGENCY_WORKERS | policies.VENDOR_MANAGERS | policies.AUDITORS


class Objection(types.Node):
    """Why an agency should keep one loan of a recall."""

    class Meta:
        model = models.Objection
        fields = (
            "loan",
            "note",
            "is_automatic",
            "made_at",
            "made_by",
            "decided_at",
            "decision_reason",
        )
        selector = selectors.shown_objections
        allow = MAY_READ

    kind = graphene.Field(ObjectionKind, required=True)
    state = graphene.Field(ObjectionState, required=True)
    loan_reference = graphene.String(required=True)

    def resolve_loan_reference(objection, info):
        return objection.loan.reference


class RecallObject(mutations.Mutation):
    """Says why the agency should keep loans of an announced recall.

    What the portal's own data show is accepted by itself; the rest is decided by the bank.
    """

    allow = policies.AGENCY_WORKERS

    class Input:
        recall_id = graphene.ID(required=True)
        loan_references = bulk.References
        kind = ObjectionKind(required=True)
        note = graphene.String()

    objection_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, loan_references, note=None, **given):
        count = objections.submit(actor=actor, references=loan_references, note=note or "", **given)
        return cls(objection_count=count)


class ObjectionsDecide(mutations.Mutation):
    """Accepts objections, and the loans stay, or refuses them."""

    allow = policies.VENDOR_MANAGERS

    class Input:
        objection_ids = graphene.List(graphene.NonNull(graphene.ID), required=True)
        accept = graphene.Boolean(required=True)
        reason = graphene.String(required=True)

    decided_count = graphene.Int()

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(decided_count=objections.decide(actor=actor, **given))


class Query(graphene.ObjectType):
    objections = queries.connection(
        Objection,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        newest_first=True,
        state=ObjectionState(),
    )


class Mutation(graphene.ObjectType):
    recall_object = RecallObject.Field()
    objections_decide = ObjectionsDecide.Field()
