"""What waits for somebody, and how things stand: each chapter says it in functions of its own.

A source takes the actor and yields `Item`s (what to do) or `Figure`s (how things stand); `of` and
`figures_of` ask those whose roles match. To add one, write a function below its chapter's heading
and enter it in `SOURCES` or `FIGURES`.
"""

import dataclasses
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import policies, selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from config import clock
from frontend import months
from frontend.templatetags import fairplace
from marketplace.selectors import shown_listings, with_own_offer
from payouts.models import Excess, Payout, Statement
from payouts.selectors import (
    memberships_with_account,
    payout_sums,
    visible_excesses,
    visible_payouts,
    visible_statements,
)
from portfolios.models import Complaint, ComplaintIntake, LateReceipt, Placement, Portfolio
from portfolios.selectors import (
    complaints_at,
    narrow_contacts,
    reported_recoveries,
    visible_complaints,
    visible_contacts,
    visible_intakes,
    visible_late_receipts,
    visible_loans,
    visible_placements,
    visible_portfolios,
    visible_receipt_lines,
    visible_uploads,
)
from portfolios.services import receipts

FLAGS_SHOWN_FOR = timedelta(days=7)
ENDING_SOON = timedelta(days=14)

SOON_DAYS = 3


@dataclasses.dataclass(frozen=True)
class Item:
    """One thing to do: `label` says what in words, `count` how many wait, `url` where.

    `tone` is accent (do it), warning (soon), danger (late) or info (good to know); an item with
    a `count` of 0 is not shown. Where the number says nothing, `is_counted` is False.
    """

    label: str
    count: int
    url: str
    tone: str = "accent"
    icon: str = "circle-check"
    note: str = ""
    is_counted: bool = True

    @property
    def title(self) -> str:
        """The whole line, such as `3 applications to decide`."""
        return f"{fairplace.integer(self.count)} {self.label}" if self.is_counted else self.label


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of the tile row: `value` as it is shown, `url` where it comes from."""

    label: str
    value: str
    url: str = ""
    note: str = ""
    tone: str = ""


# --- agencies


def applications(actor: Actor) -> Iterable[Item]:
    """Agencies that ask for a place on the panel."""
    waiting = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPLIED)
    count = waiting.count()
    yield Item(
        label=ngettext("application to decide", "applications to decide", count),
        count=count,
        url=f"{reverse('panel')}?state=applied",
        icon="building-2",
        note=_("Read the documents, then approve or reject with a reason."),
    )


def first_application(actor: Actor) -> Iterable[Item]:
    """An agency that is on nobody's panel has to apply first."""
    alive = selectors.visible_memberships(actor).exclude(state=PanelMembership.State.REJECTED)
    yield Item(
        label=_("Apply to a bank"),
        count=0 if alive.exists() else 1,
        url=reverse("institutions"),
        icon="landmark",
        note=_("Only agencies that a bank has admitted to its panel may bid for its loans."),
        is_counted=False,
    )


def panel_figures(actor: Actor) -> Iterable[Figure]:
    """How many agencies work for a bank, or banks for which an agency works."""
    approved = selectors.visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    if actor.agency_id:
        label, url = _("Banks you work for"), reverse("institutions")
    else:
        label, url = _("Agencies on the panel"), f"{reverse('panel')}?state=approved"
    yield Figure(label=label, value=fairplace.integer(approved.count()), url=url)


# --- portfolios


def placement_figures(actor: Actor) -> Iterable[Figure]:
    """What is placed with agencies now."""
    live = visible_placements(actor).filter(state=Placement.State.LIVE)
    url = reverse("placements")
    yield Figure(label=_("Live placements"), value=fairplace.integer(live.count()), url=url)
    placed = visible_loans(actor).filter(placement__isnull=False).count()
    label = _("Loans you hold") if actor.agency_id else _("Loans placed")
    yield Figure(label=label, value=fairplace.integer(placed), url=url)


def files_to_decide(actor: Actor) -> Iterable[Item]:
    """Files of loans that were checked and neither imported nor discarded."""
    kept = visible_uploads(actor).order_by("uploaded_at").values_list("pk", flat=True)
    count = kept.count()
    label = ngettext("file of loans to decide about", "files of loans to decide about", count)
    yield Item(
        label=label,
        count=count,
        url=reverse("loan_upload", args=[kept[0]]) if count else "",
        icon="file-check",
        note=_("Import what is good or discard it; a checked file is kept for a day."),
    )


def drafts_to_publish(actor: Actor) -> Iterable[Item]:
    """Portfolios that nobody can bid for yet."""
    count = visible_portfolios(actor).filter(state=Portfolio.State.DRAFT).count()
    yield Item(
        label=ngettext("draft portfolio", "draft portfolios", count),
        count=count,
        url=f"{reverse('portfolios')}?state=draft",
        icon="layers",
        note=_("Import its loans, then publish it for bids."),
    )


def placements_ending(actor: Actor) -> Iterable[Item]:
    """Placements whose term is over in two weeks."""
    until = clock.now() + ENDING_SOON
    live = visible_placements(actor).filter(state=Placement.State.LIVE)
    count = live.filter(ends_at__gt=clock.Now(), ends_at__lte=until).count()
    yield Item(
        label=ngettext("placement ends in two weeks", "placements end in two weeks", count),
        count=count,
        url=f"{reverse('placements')}?state=live&sort=ends_at",
        tone="warning",
        icon="briefcase",
        note=_("Report what came in before the access ends.")
        if actor.agency_id
        else _("The agency's access ends with the term; place the loans anew then."),
    )


def loans_on_hold(actor: Actor) -> Iterable[Item]:
    """What an agency must leave alone for the time being."""
    count = visible_loans(actor).filter(is_on_hold=True).count()
    yield Item(
        label=ngettext("loan on hold", "loans on hold", count),
        count=count,
        url=f"{reverse('loans')}?is_on_hold=True",
        tone="info",
        icon="pause",
        note=_("Do not collect until the bank releases it; contacts meanwhile are flagged."),
    )


def receipts_to_settle(actor: Actor) -> Iterable[Item]:
    """Receipts for which no report was found, or several."""
    count = visible_receipt_lines(actor).filter(state__in=receipts.OPEN).count()
    yield Item(
        label=ngettext("receipt to settle", "receipts to settle", count),
        count=count,
        url=f"{reverse('receipts')}?state=to_settle",
        icon="file-check",
        note=_("Link each to the report that it proves, or dismiss it with a reason."),
    )


def late_receipts_to_decide(actor: Actor) -> Iterable[Item]:
    """Money that reached an agency after a recall."""
    waiting = visible_late_receipts(actor).filter(state=LateReceipt.State.SUBMITTED)
    count = waiting.count()
    yield Item(
        label=ngettext("late receipt to decide", "late receipts to decide", count),
        count=count,
        url=f"{reverse('late_receipts')}?state=submitted",
        icon="clock",
        note=_("Look at your account, then accept or refuse with a reason."),
    )


def waiting_recoveries(actor: Actor) -> Iterable[Item]:
    """Reports that no receipt has confirmed; for the agency good to know, for the bank to do."""
    count = reported_recoveries(actor).count()
    yield Item(
        label=ngettext(
            "recovery waiting for confirmation", "recoveries waiting for confirmation", count
        ),
        count=count,
        url=f"{reverse('recoveries')}?state=reported&sort=logged_at",
        tone="info",
        icon="hand-coins",
        note=_("They count once the bank's receipts have come.")
        if actor.agency_id
        else _("Upload the bank's latest receipts to confirm them."),
    )


def flagged_contacts(actor: Actor) -> Iterable[Item]:
    """What was logged in the last week and seems to break a rule."""
    since = clock.now() - FLAGS_SHOWN_FOR
    recent = narrow_contacts(visible_contacts(actor), is_flagged=True)
    count = recent.filter(logged_at__gte=since).count()
    yield Item(
        label=ngettext(
            "contact flagged in the last seven days",
            "contacts flagged in the last seven days",
            count,
        ),
        count=count,
        url=f"{reverse('contacts')}?flagged=yes&sort=-logged_at",
        tone="warning",
        icon="flag",
        note=_("Ask the agency what happened, or open a complaint."),
    )


def complaints_to_answer(actor: Actor) -> Iterable[Item]:
    """Complaints about the agency that it has not answered."""
    rows = complaints_at(visible_complaints(actor), "to_answer", _today(actor))
    count = rows.count()
    yield Item(
        label=ngettext("complaint to answer", "complaints to answer", count),
        count=count,
        url=f"{reverse('complaints')}?state=to_answer",
        icon="message-square-warning",
        **_first_due(rows, actor),
    )


def complaints_to_decide(actor: Actor) -> Iterable[Item]:
    """Complaints that wait for a decision, and those that are late with or without an answer."""
    today = _today(actor)
    rows = visible_complaints(actor)
    late = complaints_at(rows, "overdue", today)
    to_decide = complaints_at(rows, "to_decide", today).exclude(due_on__lt=today)
    for found, stage, label in (
        (late, "overdue", ngettext("complaint overdue", "complaints overdue", late.count())),
        (
            to_decide,
            "to_decide",
            ngettext("complaint to decide", "complaints to decide", to_decide.count()),
        ),
    ):
        yield Item(
            label=label,
            count=found.count(),
            url=f"{reverse('complaints')}?state={stage}",
            icon="message-square-warning",
            **_first_due(found, actor),
        )


def intakes_waiting(actor: Actor) -> Iterable[Item]:
    """What people left in the public form and nobody has read to its end."""
    count = visible_intakes(actor).filter(state=ComplaintIntake.State.RECEIVED).count()
    yield Item(
        label=ngettext("message from the public form", "messages from the public form", count),
        count=count,
        url=f"{reverse('intakes')}?state=received",
        icon="inbox",
        note=_("Open each as a complaint, or dismiss it with a reason."),
    )


def _first_due(rows: QuerySet[Complaint], actor: Actor) -> dict:
    """The note and tone of an item: when the first of these complaints is due."""
    due_on = rows.aggregate(first=Min("due_on"))["first"]
    if due_on is None:
        return {}
    left = (due_on - _today(actor)).days
    tone = "danger" if left < 0 else "warning" if left <= SOON_DAYS else "accent"
    note = _("The first was due on %(day)s.") if left < 0 else _("The first is due on %(day)s.")
    return {"tone": tone, "note": note % {"day": fairplace.day_text(due_on)}}


def _today(actor: Actor) -> date:
    return clock.business_date(selectors.time_zone_of(actor))


# --- marketplace


def listings_to_award(actor: Actor) -> Iterable[Item]:
    """Listings whose bids can be read now and that nobody has decided."""
    count = shown_listings(actor).filter(phase="closed").count()
    yield Item(
        label=ngettext("closed listing to award", "closed listings to award", count),
        count=count,
        url=f"{reverse('listings')}?phase=closed",
        icon="gavel",
        note=_("Compare the bids and award shares; the agencies wait for your decision."),
    )


def listings_to_bid_on(actor: Actor) -> Iterable[Item]:
    """Open listings on which the agency has no bid."""
    listings = with_own_offer(actor, shown_listings(actor))
    count = listings.filter(phase="open", bid_rate_ppm__isnull=True).count()
    yield Item(
        label=ngettext("open listing without your bid", "open listings without your bid", count),
        count=count,
        url=f"{reverse('listings')}?phase=open&bid=no",
        icon="gavel",
        note=_("Look at what is in it and bid before it closes."),
    )


# --- payouts


def month_to_prepare(actor: Actor) -> Iterable[Item]:
    """The last month that is over, if there is something on it to state."""
    zone = selectors.time_zone_of(actor)
    month = months.over(zone)[0]
    count = sum(row["is_stated"] for row in months.preview(actor, month, zone))
    label = ngettext(
        "statement of %(month)s to prepare", "statements of %(month)s to prepare", count
    )
    yield Item(
        label=label % {"month": fairplace.month(month)},
        count=count,
        url=reverse("statements_prepare"),
        icon="receipt-text",
        note=_("Make the drafts, look through them and submit them."),
    )


def statements_to_submit(actor: Actor) -> Iterable[Item]:
    """Drafts, those that were sent back among them."""
    count = visible_statements(actor).filter(state=Statement.State.DRAFT).count()
    yield Item(
        label=ngettext("draft statement to submit", "draft statements to submit", count),
        count=count,
        url=f"{reverse('statements')}?state=draft",
        icon="send",
        note=_("Look through the lines, then hand each to the approvers."),
    )


def statements_to_approve(actor: Actor) -> Iterable[Item]:
    """What other people prepared and submitted."""
    submitted = visible_statements(actor).filter(state=Statement.State.SUBMITTED)
    count = submitted.exclude(prepared_by=actor.user_id).exclude(submitted_by=actor.user_id).count()
    yield Item(
        label=ngettext("statement to approve", "statements to approve", count),
        count=count,
        url=f"{reverse('statements')}?state=submitted",
        icon="circle-check",
        note=_("What you approve is paid with the next run."),
    )


def excesses_to_decide(actor: Actor) -> Iterable[Item]:
    """Payments above the balance."""
    count = visible_excesses(actor).filter(state=Excess.State.OPEN).count()
    yield Item(
        label=ngettext("payment above the balance", "payments above the balance", count),
        count=count,
        url=f"{reverse('excesses')}?state=open",
        icon="scale",
        note=_("Say whether what is above the balance earns commission."),
    )


def failed_payouts(actor: Actor) -> Iterable[Item]:
    """Payments that only a person can have sent again."""
    count = visible_payouts(actor).filter(state=Payout.State.FAILED).count()
    yield Item(
        label=ngettext("failed payout", "failed payouts", count),
        count=count,
        url=f"{reverse('payouts')}?state=failed",
        tone="danger",
        icon="circle-alert",
        note=_("No money moved. Deal with the cause, then have it sent again."),
    )


def accounts_missing(actor: Actor) -> Iterable[Item]:
    """Approved agencies that cannot be paid because nobody asked for their account."""
    approved = memberships_with_account(actor).filter(state=PanelMembership.State.APPROVED)
    count = approved.filter(account=None).count()
    yield Item(
        label=ngettext(
            "agency without a payout account", "agencies without a payout account", count
        ),
        count=count,
        url=f"{reverse('payout_accounts')}?account=none",
        tone="warning",
        icon="wallet",
        note=_("Their payouts wait until they have one."),
    )


def money_figures(actor: Actor) -> Iterable[Figure]:
    """What is on its way to agencies and what was paid, for each side."""
    url = reverse("payouts")
    for row in payout_sums(actor):
        on_the_way = fairplace.money(row["on_the_way_minor"], row["currency"])
        paid = fairplace.money(row["paid_minor"], row["currency"])
        yield Figure(label=_("Commission on the way"), value=on_the_way, url=url)
        yield Figure(label=_("Commission paid"), value=paid, url=f"{url}?state=paid")


SOURCES: list[tuple[frozenset[str], Callable[[Actor], Iterable[Item]]]] = [
    (policies.COMPLIANCE_OFFICERS, applications),
    (policies.AGENCY_ADMINISTRATORS, first_application),
    (policies.COMPLIANCE_OFFICERS, complaints_to_decide),
    (policies.COMPLIANCE_OFFICERS, intakes_waiting),
    (policies.AGENCY_PEOPLE, complaints_to_answer),
    (policies.FINANCE_PREPARERS, receipts_to_settle),
    (policies.FINANCE_PREPARERS, late_receipts_to_decide),
    (policies.FINANCE_PREPARERS | policies.AGENCY_PEOPLE, waiting_recoveries),
    (policies.COMPLIANCE_OFFICERS, flagged_contacts),
    (policies.VENDOR_MANAGERS, listings_to_award),
    (policies.VENDOR_MANAGERS, files_to_decide),
    (policies.VENDOR_MANAGERS, drafts_to_publish),
    (policies.VENDOR_MANAGERS | policies.AGENCY_ADMINISTRATORS, placements_ending),
    (policies.AGENCY_PEOPLE, loans_on_hold),
    (policies.AGENCY_ADMINISTRATORS, listings_to_bid_on),
    (policies.FINANCE_APPROVERS, failed_payouts),
    (policies.FINANCE_APPROVERS, statements_to_approve),
    (policies.FINANCE_APPROVERS, excesses_to_decide),
    (policies.FINANCE_PREPARERS, month_to_prepare),
    (policies.FINANCE_PREPARERS, statements_to_submit),
    (policies.FINANCE_PREPARERS, accounts_missing),
]

FIGURES: list[tuple[frozenset[str], Callable[[Actor], Iterable[Figure]]]] = [
    (
        policies.VENDOR_MANAGERS
        | policies.COMPLIANCE_OFFICERS
        | policies.AUDITORS
        | policies.AGENCY_ADMINISTRATORS,
        panel_figures,
    ),
    (
        policies.VENDOR_MANAGERS
        | policies.COMPLIANCE_OFFICERS
        | policies.AUDITORS
        | policies.AGENCY_PEOPLE,
        placement_figures,
    ),
    (policies.FINANCE | policies.AUDITORS | policies.AGENCY_ADMINISTRATORS, money_figures),
]


def of(actor: Actor) -> list[Item]:
    """Everything that waits for this actor, in the order of `SOURCES`."""
    found = []
    for roles, source in SOURCES:
        if actor.role in roles:
            found.extend(item for item in source(actor) if item.count)
    return found


def figures_of(actor: Actor) -> list[Figure]:
    """How things stand for this actor, in the order of `FIGURES`."""
    found = []
    for roles, source in FIGURES:
        if actor.role in roles:
            found.extend(source(actor))
    return found
