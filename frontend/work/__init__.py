"""What waits for somebody, and how things stand: each chapter says it in functions of its own.

A source takes the actor and yields `Item`s (what to do) or `Figure`s (how things stand); `of` and
`figures_of` ask those whose roles match. To add one, write a function in its chapter's file and
enter it in `SOURCES` or `FIGURES`.
"""

from collections.abc import Callable, Iterable

from agencies import policies
from agencies.actors import Actor
from frontend.work import (
    certificates,
    complaints,
    marketplace,
    panel,
    payouts,
    placements,
    portfolios,
    rankings,
)
from frontend.work.items import Figure, Item

TONES = ("danger", "warning", "accent", "info")
"""In this order: what is late comes first."""

SOURCES: list[tuple[frozenset[str], Callable[[Actor], Iterable[Item]]]] = [
    (policies.COMPLIANCE_OFFICERS, panel.applications),
    (policies.AGENCY_ADMINISTRATORS, panel.first_application),
    (policies.COMPLIANCE_OFFICERS, complaints.complaints_to_decide),
    (policies.COMPLIANCE_OFFICERS, complaints.intakes_waiting),
    (policies.AGENCY_PEOPLE, complaints.complaints_to_answer),
    (policies.FINANCE_PREPARERS, portfolios.receipts_to_settle),
    (policies.FINANCE_PREPARERS, portfolios.late_receipts_to_decide),
    (policies.FINANCE_PREPARERS | policies.AGENCY_PEOPLE, portfolios.waiting_recoveries),
    (policies.COMPLIANCE_OFFICERS, portfolios.flagged_contacts),
    (policies.VENDOR_MANAGERS, placements.objections_to_decide),
    (policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS, placements.holds_to_review),
    (policies.AGENCY_PEOPLE, placements.recalls_to_object_to),
    (policies.AGENCY_PEOPLE, placements.promises_due),
    (policies.VENDOR_MANAGERS, marketplace.listings_to_award),
    (policies.VENDOR_MANAGERS, marketplace.questions_to_answer),
    (policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS, rankings.disputes_to_answer),
    (policies.AGENCY_ADMINISTRATORS, rankings.disputes_answered),
    (policies.VENDOR_MANAGERS, portfolios.files_to_decide),
    (policies.VENDOR_MANAGERS, portfolios.drafts_to_publish),
    (policies.VENDOR_MANAGERS | policies.AGENCY_ADMINISTRATORS, portfolios.placements_ending),
    (policies.AGENCY_PEOPLE, portfolios.loans_on_hold),
    (policies.AGENCY_ADMINISTRATORS, marketplace.listings_to_bid_on),
    (
        policies.AGENCY_ADMINISTRATORS | policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS,
        certificates.certificates_owed,
    ),
    (policies.FINANCE_APPROVERS, payouts.failed_payouts),
    (policies.FINANCE_APPROVERS, payouts.statements_to_approve),
    (policies.FINANCE_APPROVERS, payouts.excesses_to_decide),
    (policies.FINANCE_PREPARERS, payouts.month_to_prepare),
    (policies.FINANCE_PREPARERS, payouts.statements_to_submit),
    (policies.FINANCE_PREPARERS, payouts.accounts_missing),
]

FIGURES: list[tuple[frozenset[str], Callable[[Actor], Iterable[Figure]]]] = [
    (
        policies.VENDOR_MANAGERS
        | policies.COMPLIANCE_OFFICERS
        | policies.AUDITORS
        | policies.AGENCY_ADMINISTRATORS,
        panel.panel_figures,
    ),
    (
        policies.VENDOR_MANAGERS
        | policies.COMPLIANCE_OFFICERS
        | policies.AUDITORS
        | policies.AGENCY_PEOPLE,
        portfolios.placement_figures,
    ),
    (policies.FINANCE | policies.AUDITORS | policies.AGENCY_ADMINISTRATORS, payouts.money_figures),
]


def of(actor: Actor) -> list[Item]:
    """Everything that waits for this actor: by `TONES`, then in the order of `SOURCES`."""
    found = []
    for roles, source in SOURCES:
        if actor.role in roles:
            found.extend(item for item in source(actor) if item.count)
    return sorted(found, key=lambda item: TONES.index(item.tone))


def figures_of(actor: Actor) -> list[Figure]:
    """How things stand for this actor, in the order of `FIGURES`."""
    found = []
    for roles, source in FIGURES:
        if actor.role in roles:
            found.extend(source(actor))
    return found
