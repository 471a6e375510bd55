"""The audit trail."""

import graphene
from graphene.types.json import JSONString

from agencies import models, policies, selectors
from config.graphql import queries, types


class AuditEntry(types.Node):
    """Who did what to which object, when and why."""

    class Meta:
        model = models.AuditEntry
        fields = ("at", "actor_label", "action", "object_type", "reason")
        selector = selectors.visible_audit_entries
        allow = policies.EVERYBODY

    object_id = graphene.ID(required=True)
    changes = JSONString(
        required=True, description="Names of columns and their new values, as JSON."
    )


class Denial(types.Node):
    """What somebody was refused."""

    class Meta:
        model = models.Denial
        fields = ("at", "actor_label", "operation", "code")
        selector = selectors.visible_denials
        allow = policies.COMPLIANCE_OFFICERS | policies.AUDITORS


class Query(graphene.ObjectType):
    audit_entries = queries.connection(
        AuditEntry,
        narrow=lambda visible, root, object_id=None: (
            visible.filter(object_id=object_id) if object_id else visible
        ),
        newest_first=True,
        object_id=graphene.ID(),
        description="What happened, the newest first; about one object or about all in scope.",
    )
    denials = queries.connection(Denial, newest_first=True)
