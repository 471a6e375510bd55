"""The gate of conduct: what was upheld against each agency, against how much it worked."""

import dataclasses
import datetime
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Count, Q

from agencies.actors import Actor
from marketplace.models import RankingPolicy
from marketplace.services import ranking_policies
from marketplace.services.exposures import Question
from marketplace.success import gate
from portfolios.models import Complaint
from portfolios.selectors import visible_complaints


@dataclasses.dataclass(frozen=True)
class Conduct:
    """One agency's light, and the complaints behind it."""

    gate: gate.Gate
    received: int
    upheld: int
    has_critical: bool


def judge(
    *,
    actor: Actor,
    question: Question,
    agencies: Sequence[uuid.UUID],
    loan_months: np.ndarray,
) -> list[Conduct]:
    """The gates of `agencies`, which were exposed to `loan_months` of the question's loans.

    Complaints of the question's days count, as they were decided at its moment: upheld
    ones where the agency was at fault. One of them of high severity is critical.
    """
    policy: RankingPolicy = question.policy
    since, until = _span(question)
    upheld = Q(
        outcome=Complaint.Outcome.UPHELD, is_agency_at_fault=True, decided_at__lt=question.at
    )
    complaints = visible_complaints(actor).filter(
        placement__currency=question.currency, received_at__gte=since, received_at__lt=until
    )
    if question.placement_ids is not None:
        complaints = complaints.filter(placement__in=question.placement_ids)
    if question.product:
        complaints = complaints.filter(spell__product=question.product)
    counted = (
        complaints.order_by()
        .values("agency")
        .annotate(
            received=Count("pk"),
            upheld=Count("pk", filter=upheld),
            critical=Count("pk", filter=upheld & Q(severity=Complaint.Severity.HIGH)),
        )
    )
    by_agency = {row["agency"]: row for row in counted}
    none = {"received": 0, "upheld": 0, "critical": 0}
    rows = [by_agency.get(agency, none) for agency in agencies]
    gates = gate.judge(
        np.array([row["upheld"] for row in rows], dtype=float),
        loan_months,
        np.array([row["critical"] > 0 for row in rows]),
        ranking_policies.gate_limits(policy),
    )
    return [
        Conduct(light, row["received"], row["upheld"], row["critical"] > 0)
        for light, row in zip(gates, rows, strict=True)
    ]


def _span(question: Question) -> tuple[datetime.datetime, datetime.datetime]:
    """From when on and before when complaints count."""
    zone = ZoneInfo(question.time_zone)
    since = datetime.datetime.combine(question.from_on, datetime.time.min, zone)
    if question.ends_on is None:
        return since, question.at
    return since, datetime.datetime.combine(question.until_on, datetime.time.min, zone)
