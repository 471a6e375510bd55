"""The panel: applications, decisions, documents."""

import base64
import binascii

import graphene
from django.utils.translation import gettext_lazy as _

from agencies import models, policies, selectors
from agencies.services import panel
from config import errors
from config.graphql import mutations, queries, scalars, types

MembershipState = scalars.choices(models.PanelMembership.State, "MembershipState")
READERS = policies.INSTITUTION_PEOPLE | policies.AGENCY_ADMINISTRATORS | policies.MACHINE_CLIENTS


class VettingDocument(types.Node):
    """Evidence that came with an application; its content is downloaded from its page."""

    class Meta:
        model = models.VettingDocument
        fields = ("file_name", "content_type", "size_bytes", "sha256", "uploaded_at")
        selector = selectors.visible_documents
        allow = policies.INSTITUTION_PEOPLE | policies.AGENCY_ADMINISTRATORS


class Membership(types.Node):
    """What one institution decided about one agency."""

    class Meta:
        model = models.PanelMembership
        fields = (
            "institution",
            "agency",
            "licence_number",
            "capacity_loans",
            "applied_at",
            "decided_at",
            "decided_by",
            "reason",
        )
        selector = selectors.visible_memberships
        allow = READERS
        allow_fields = {"decided_by": policies.INSTITUTION_PEOPLE}

    state = graphene.Field(MembershipState, required=True)
    jurisdictions = graphene.List(graphene.NonNull(graphene.String), required=True)
    documents = queries.connection(
        VettingDocument,
        narrow=lambda visible, membership: visible.filter(membership=membership).defer("content"),
    )


class DocumentInput(graphene.InputObjectType):
    """A PDF, PNG or JPEG file; a request holds 1 MB, so larger files go through the page."""

    file_name = graphene.String(required=True)
    content_type = graphene.String(required=True)
    content_base64 = graphene.String(required=True)


class MembershipApply(mutations.Mutation):
    """Asks an institution for a place on its panel."""

    allow = policies.AGENCY_ADMINISTRATORS

    class Input:
        institution_id = graphene.ID(required=True)
        licence_number = graphene.String(required=True)
        jurisdictions = graphene.List(graphene.NonNull(graphene.String), required=True)
        capacity_loans = graphene.Int(required=True)
        documents = graphene.List(graphene.NonNull(DocumentInput))

    membership = graphene.Field(Membership)

    @classmethod
    def perform(cls, info, actor, *, documents=None, **given):
        files = [_file(document) for document in documents or []]
        return cls(membership=panel.apply(actor=actor, documents=files, **given))


def _file(document: dict) -> tuple[str, str, bytes]:
    try:
        content = base64.b64decode(document["content_base64"], validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidInput(
            "BAD_BASE64", _("The content is not in base64."), field="documents.content_base64"
        ) from None
    return document["file_name"], document["content_type"], content


class MembershipApprove(mutations.Mutation):
    """Admits an applicant to the panel."""

    allow = policies.COMPLIANCE_OFFICERS

    class Input:
        membership_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    membership = graphene.Field(Membership)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(membership=panel.approve(actor=actor, **given))


class MembershipReject(mutations.Mutation):
    """Turns an applicant down."""

    allow = policies.COMPLIANCE_OFFICERS

    class Input:
        membership_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    membership = graphene.Field(Membership)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(membership=panel.reject(actor=actor, **given))


class MembershipSuspend(mutations.Mutation):
    """Ends an agency's access to the institution's loans at once."""

    allow = policies.COMPLIANCE_OFFICERS

    class Input:
        membership_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    membership = graphene.Field(Membership)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(membership=panel.suspend(actor=actor, **given))


class MembershipReinstate(mutations.Mutation):
    """Gives a suspended agency its standing back."""

    allow = policies.COMPLIANCE_OFFICERS

    class Input:
        membership_id = graphene.ID(required=True)
        reason = graphene.String(required=True)

    membership = graphene.Field(Membership)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(membership=panel.reinstate(actor=actor, **given))


class Query(graphene.ObjectType):
    membership = queries.node(Membership)
    memberships = queries.connection(
        Membership,
        narrow=lambda visible, root, state=None: visible.filter(state=state) if state else visible,
        state=MembershipState(),
    )


class Mutation(graphene.ObjectType):
    membership_apply = MembershipApply.Field()
    membership_approve = MembershipApprove.Field()
    membership_reject = MembershipReject.Field()
    membership_suspend = MembershipSuspend.Field()
    membership_reinstate = MembershipReinstate.Field()
