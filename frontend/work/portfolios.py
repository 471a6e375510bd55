"""What waits at portfolios, placements, contacts, receipts and recoveries."""

from collections.abc import Iterable
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies.actors import Actor
from config import clock
from frontend.templatetags import fairplace
from frontend.work.items import Figure, Item
from portfolios.models import LateReceipt, Placement, Portfolio
from portfolios.selectors import (
    narrow_contacts,
    placed_count,
    reported_recoveries,
    visible_contacts,
    visible_imports,
    visible_late_receipts,
    visible_loans,
    visible_placements,
    visible_portfolios,
    visible_receipt_lines,
)
from portfolios.services import receipts
from portfolios.services.imports import WAITING

FLAGS_SHOWN_FOR = timedelta(days=7)
ENDING_SOON = timedelta(days=14)


def placement_figures(actor: Actor) -> Iterable[Figure]:
    """What is placed with agencies now."""
    live = visible_placements(actor).filter(state=Placement.State.LIVE)
    url = reverse("placements")
    yield Figure(label=_("Live placements"), value=fairplace.integer(live.count()), url=url)
    if actor.agency_id:
        label, placed = _("Loans you hold"), visible_loans(actor).count()
    else:
        label, placed = _("Loans placed"), placed_count(actor)
    yield Figure(label=label, value=fairplace.integer(placed), url=url)


def files_to_decide(actor: Actor) -> Iterable[Item]:
    """Files that wait for somebody: for their columns, or for a decision."""
    waiting = visible_imports(actor).filter(state__in=WAITING)
    kept = waiting.order_by("uploaded_at").values_list("pk", flat=True)
    count = kept.count()
    label = ngettext("file to decide about", "files to decide about", count)
    yield Item(
        label=label,
        count=count,
        url=reverse("loan_import", args=[kept[0]]) if count else "",
        icon="file-check",
        note=_("Take what is good or discard it; a file is kept for a day."),
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
