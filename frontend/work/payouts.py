"""What waits at statements and payouts."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies import selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from frontend import months
from frontend.templatetags import fairplace
from frontend.work.items import Figure, Item
from payouts.models import Excess, Payout, Statement
from payouts.selectors import (
    memberships_with_account,
    payout_sums,
    visible_excesses,
    visible_payouts,
    visible_statements,
)


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
