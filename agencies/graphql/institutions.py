"""Institutions and agencies, as far as one may know of them."""

import graphene

from agencies import models, policies, selectors
from config.graphql import queries, types


class Institution(types.Node):
    """A bank."""

    class Meta:
        model = models.Institution
        fields = ("name", "slug", "time_zone")
        selector = selectors.visible_institutions
        allow = policies.EVERYBODY


class Agency(types.Node):
    """An outside collector."""

    class Meta:
        model = models.Agency
        fields = ("name", "country", "contact_email")
        selector = selectors.visible_agencies
        allow = policies.EVERYBODY


class Query(graphene.ObjectType):
    institutions = queries.connection(
        Institution, description="For an agency: the banks that it could apply to."
    )
    agencies = queries.connection(
        Agency, description="For a bank: the agencies on its panel and those that applied."
    )
