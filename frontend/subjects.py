"""What an entry of the audit trail is about: its name and its page, where the reader has them."""

import dataclasses
from collections.abc import Callable, Iterable

from django.db.models import QuerySet
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.translation import gettext as _

from agencies import selectors as who
from agencies.actors import Actor
from agencies.models import AuditEntry, PanelMembership
from marketplace import selectors as deals
from payouts import selectors as money
from portfolios import selectors as owed


@dataclasses.dataclass(frozen=True)
class Subject:
    """An object by its name; `url` is empty where the reader may not open its page."""

    name: str
    url: str


@dataclasses.dataclass(frozen=True)
class Kind:
    """How objects of one model are found, called and shown."""

    selector: Callable[[Actor], QuerySet]
    name: Callable[[object, Actor], str]
    page: str
    related: tuple[str, ...] = ()


def _the_other_side(row, actor: Actor) -> str:
    return (row.institution if actor.agency_id else row.agency).name


def _period(row, actor: Actor) -> str:
    return f"{_the_other_side(row, actor)} · {row.currency}"


BOTH_SIDES = ("institution", "agency")
KINDS = {
    PanelMembership._meta.model_name: Kind(
        who.visible_memberships, _the_other_side, "membership", BOTH_SIDES
    ),
    "user": Kind(who.visible_users, lambda row, actor: row.name, "person"),
    "agency": Kind(who.visible_agencies, lambda row, actor: row.name, ""),
    "institution": Kind(who.visible_institutions, lambda row, actor: row.name, ""),
    "machineclient": Kind(who.visible_machine_clients, lambda row, actor: row.name, "client"),
    "portfolio": Kind(owed.visible_portfolios, lambda row, actor: row.name, "portfolio"),
    "loan": Kind(owed.visible_loans, lambda row, actor: row.reference, "loan"),
    "placement": Kind(owed.visible_placements, lambda row, actor: row.title, "placement"),
    "certificate": Kind(owed.visible_certificates, lambda row, actor: row.title, ""),
    "recall": Kind(owed.shown_recalls, lambda row, actor: row.placement.title, "recall"),
    "objection": Kind(owed.shown_objections, lambda row, actor: row.loan.reference, ""),
    "recovery": Kind(owed.visible_recoveries, lambda row, actor: row.reference, "recovery"),
    "contact": Kind(owed.shown_contacts, lambda row, actor: row.loan.reference, ""),
    "promise": Kind(owed.shown_promises, lambda row, actor: row.loan.reference, ""),
    "receiptfile": Kind(
        owed.visible_receipt_files, lambda row, actor: row.file_name, "receipt_file"
    ),
    "receiptline": Kind(
        owed.visible_receipt_lines, lambda row, actor: row.receipt_reference, "receipt_line"
    ),
    "latereceipt": Kind(
        owed.visible_late_receipts, lambda row, actor: row.reference, "late_receipt"
    ),
    "complaint": Kind(owed.visible_complaints, lambda row, actor: row.loan_reference, "complaint"),
    "complaintintake": Kind(owed.visible_intakes, lambda row, actor: row.loan_reference, "intake"),
    "rankingrun": Kind(deals.visible_runs, lambda row, actor: row.currency, ""),
    "rankingpolicy": Kind(
        deals.visible_ranking_policies,
        lambda row, actor: _("version %(version)s") % {"version": row.version},
        "",
    ),
    "rankingdispute": Kind(
        deals.visible_ranking_disputes,
        lambda row, actor: row.get_subject_display(),
        "ranking_dispute",
    ),
    "listing": Kind(deals.visible_listings, lambda row, actor: row.title, "listing"),
    "termsacceptance": Kind(
        deals.visible_acceptances, lambda row, actor: row.listing.title, "", ("listing",)
    ),
    "statement": Kind(money.visible_statements, _period, "statement", BOTH_SIDES),
    "payout": Kind(money.visible_payouts, _period, "payout", BOTH_SIDES),
}


def of(actor: Actor, entries: Iterable[AuditEntry]) -> dict:
    """By `object_id`, the `Subject` of each entry that has one for this reader.

    One query for each kind of object.
    """
    wanted: dict[str, set] = {}
    for entry in entries:
        wanted.setdefault(entry.object_type, set()).add(entry.object_id)
    found = {}
    for name in wanted.keys() & KINDS.keys():
        kind = KINDS[name]
        rows = kind.selector(actor).filter(pk__in=wanted[name])
        if kind.related:
            rows = rows.select_related(*kind.related)
        for row in rows:
            found[row.pk] = Subject(kind.name(row, actor), _page(kind.page, row.pk, actor))
    return found


def _page(name: str, key, actor: Actor) -> str:
    try:
        url = reverse(name, args=[key]) if name else ""
    except NoReverseMatch:
        return ""
    return url if url and actor.role in resolve(url).func.allow else ""
