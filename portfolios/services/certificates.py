"""Deletion certificates: when a placement is over, the agency attests that its copies are gone.

A certificate is owed for every placement of which loans were exported. The person who attests
signs by the act, which is in the audit trail; the portal signs the document that says so.
"""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import AuditEntry
from agencies.selectors import visible_agencies, visible_institutions
from config import clock, errors
from portfolios import certificates
from portfolios.models import Certificate, Export, ExportPart
from portfolios.selectors import visible_certificates, visible_exports

READERS = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS | policies.AUDITORS
READERS_OF_BOTH_SIDES = READERS | policies.AGENCY_PEOPLE


def exported(*, actor: Actor, placement_id) -> QuerySet[Export]:
    """Exports of one placement that is over; raises `NotFound` where there is none."""
    policies.demand(actor, READERS_OF_BOTH_SIDES)
    found = over(actor).filter(placement=placement_id)
    if not found.exists():
        raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    return found.order_by("requested_at")


def over(actor: Actor) -> QuerySet[Export]:
    """The exports that sent at least one row, of placements that are over."""
    with connection.cursor() as cursor:
        cursor.execute("select ended_placements()")
        (ended,) = cursor.fetchone()
    sent = ExportPart.objects.filter(row_count__gt=0).values("export")
    return visible_exports(actor).filter(placement__in=ended or [], pk__in=sent)


def owed(actor: Actor) -> QuerySet[Export]:
    """Of those the ones that no certificate covers yet."""
    given = visible_certificates(actor).values("placement")
    return over(actor).exclude(placement__in=given)


def attest(*, actor: Actor, placement_id, statement: str) -> Certificate:
    """Certify that every copy of what was exported is destroyed; `statement` says how.

    Raises `NotFound` where nothing was exported or the placement is not over, `InvalidInput`
    without a statement, `InvalidState` with `ALREADY_CERTIFIED`.
    """
    policies.demand(actor, policies.AGENCY_ADMINISTRATORS)
    statement = texts.checked(statement, field="statement", missing=_("Say what was done."))
    exports = list(exported(actor=actor, placement_id=placement_id))
    try:
        with transaction.atomic():
            return _given(actor, exports, statement)
    except IntegrityError:
        raise errors.InvalidState(
            "ALREADY_CERTIFIED", _("The certificate of this placement was given already.")
        ) from None


def _given(actor: Actor, exports: list[Export], statement: str) -> Certificate:
    moment = clock.now()
    parts = ExportPart.objects.filter(export__in=[export.pk for export in exports])
    digests = [
        digest
        for part in parts.values_list("digests", flat=True)
        for digest in certificates.split(bytes(part))
    ]
    seed = settings.CERTIFICATE_KEY
    signer = certificates.key_id(certificates.public_key(seed))
    made = Certificate(
        institution_id=exports[0].institution_id,
        agency_id=exports[0].agency_id,
        placement_id=exports[0].placement_id,
        title=exports[0].title,
        key_id=signer,
        row_count=len(digests),
        attested_at=moment,
        attested_by=actor.label,
    )
    entry = audit.entry(
        actor,
        "certificate.attest",
        made,
        reason=statement,
        changes={"rows": len(digests), "exports": len(exports)},
        at=moment,
    )
    made.document = certificates.canonical(
        _document(actor, made, entry, exports, digests, statement)
    )
    made.signature = certificates.sign(made.document, seed)
    made.save(force_insert=True)
    audit.record_many([entry])
    return made


def _document(
    actor: Actor,
    made: Certificate,
    entry: AuditEntry,
    exports: list[Export],
    digests: list[bytes],
    statement: str,
) -> dict[str, Any]:
    institution = selectors.find(visible_institutions(actor), pk=made.institution_id)
    agency = selectors.find(visible_agencies(actor), pk=made.agency_id)
    return {
        "format": certificates.FORMAT,
        "certificate": str(made.pk),
        "institution": {"id": str(institution.pk), "name": institution.name},
        "agency": {"id": str(agency.pk), "name": agency.name},
        "placement": {"id": str(made.placement_id), "title": made.title},
        "fields": sorted({name for export in exports for name in export.fields}),
        "row_count": len(digests),
        "loan_count": len(set(digests)),
        "merkle_root": certificates.root(digests).hex(),
        "key_ids": {
            "digests": certificates.key_id(settings.BLIND_INDEX_KEY),
            "signature": made.key_id,
        },
        "exports": [
            {
                "id": str(export.pk),
                "by": export.actor_label,
                "requested_at": export.requested_at.isoformat(),
            }
            for export in exports
        ],
        "attested_by": {"id": str(actor.id), "name": actor.label},
        "attested_at": made.attested_at.isoformat(),
        "statement": statement,
        "audit_entry": str(entry.pk),
    }
