"""Exports of loans and certificates of their deletion over GraphQL; the files go by HTTPS."""

import graphene
from django.urls import reverse

from agencies import policies
from config.graphql import mutations, queries, types
from portfolios import models, selectors
from portfolios.services import certificates, exports


class Export(types.Node):
    """Loans of one placement as a file, for one person or machine, through a link used once."""

    class Meta:
        model = models.Export
        fields = ("title", "requested_at", "expires_at")
        selector = selectors.shown_exports
        allow = certificates.READERS | policies.AGENCY_WORKERS

    url = graphene.String(
        required=True, description="Path of the CSV file, for whoever asked for it alone."
    )
    requested_by = graphene.String(required=True)
    row_count = graphene.Int(required=True, description="How many loans have been sent.")

    def resolve_url(export, info):
        return reverse("export_loans", args=[export.pk])

    def resolve_requested_by(export, info):
        return export.actor_label


class Certificate(types.Node):
    """An agency's word that what it exported of one placement is destroyed, signed."""

    class Meta:
        model = models.Certificate
        fields = ("title", "document", "signature", "key_id", "row_count", "attested_at")
        selector = selectors.visible_certificates
        allow = certificates.READERS_OF_BOTH_SIDES

    attested_by = graphene.String(required=True)


class PlacementExport(mutations.Mutation):
    """Makes a link to the loans of a live placement; it works once, within five minutes."""

    allow = policies.AGENCY_WORKERS

    class Input:
        placement_id = graphene.ID(required=True)

    export = graphene.Field(Export)

    @classmethod
    def perform(cls, info, actor, **given):
        made = exports.ask(actor=actor, **given)
        return cls(export=Export.load(info, [made.pk])[made.pk])


class CertificateAttest(mutations.Mutation):
    """Certifies that every copy of what was exported of a placement that is over is destroyed."""

    allow = policies.AGENCY_ADMINISTRATORS

    class Input:
        placement_id = graphene.ID(required=True)
        statement = graphene.String(required=True, description="What was done with the copies.")

    certificate = graphene.Field(Certificate)

    @classmethod
    def perform(cls, info, actor, **given):
        return cls(certificate=certificates.attest(actor=actor, **given))


class Query(graphene.ObjectType):
    export = queries.node(Export)
    exports = queries.connection(
        Export,
        narrow=lambda visible, root, placement_id=None: (
            visible.filter(placement=placement_id) if placement_id else visible
        ),
        newest_first=True,
        placement_id=graphene.ID(),
    )
    certificate = queries.node(Certificate)
    certificates = queries.connection(Certificate, newest_first=True)


class Mutation(graphene.ObjectType):
    placement_export = PlacementExport.Field()
    certificate_attest = CertificateAttest.Field()
