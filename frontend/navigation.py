"""What each role finds in the side navigation: data, in the order in which it is shown."""

import dataclasses

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

ADMINISTRATOR = "administrator"
VENDOR_MANAGER = "vendor_manager"
COMPLIANCE_OFFICER = "compliance_officer"
FINANCE_PREPARER = "finance_preparer"
FINANCE_APPROVER = "finance_approver"
AUDITOR = "auditor"
AGENCY_ADMINISTRATOR = "agency_administrator"
COLLECTOR = "collector"

FINANCE = (FINANCE_PREPARER, FINANCE_APPROVER)
INSTITUTION = (ADMINISTRATOR, VENDOR_MANAGER, COMPLIANCE_OFFICER, *FINANCE, AUDITOR)
AGENCY = (AGENCY_ADMINISTRATOR, COLLECTOR)


@dataclasses.dataclass(frozen=True)
class Item:
    """One page in the navigation: `url_name` without arguments, `icon` a lucide name."""

    label: str
    url_name: str
    icon: str
    roles: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Section:
    """Items under one heading; the first section has none."""

    label: str
    items: tuple[Item, ...]


@dataclasses.dataclass(frozen=True)
class Link:
    """An item as one request sees it. `current` is `page`, `true` (below it) or empty."""

    label: str
    url: str
    icon: str
    current: str


ITEMS = (
    Section("", (Item(_("Home"), "home", "house", INSTITUTION + AGENCY),)),
    Section(
        _("Market"),
        (
            Item(
                _("Portfolios"),
                "portfolios",
                "layers",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, *FINANCE, AUDITOR),
            ),
            Item(
                _("Listings"),
                "listings",
                "gavel",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, AGENCY_ADMINISTRATOR),
            ),
            Item(
                _("Ranking"),
                "ranking",
                "chart-no-axes-column",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, AGENCY_ADMINISTRATOR),
            ),
            Item(
                _("Success by means"),
                "means",
                "route",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, AGENCY_ADMINISTRATOR),
            ),
        ),
    ),
    Section(
        _("Work"),
        (
            Item(
                _("Placements"),
                "placements",
                "briefcase",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, *AGENCY),
            ),
            Item(
                _("Placement board"),
                "placement_board",
                "calendar-clock",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR),
            ),
            Item(_("Worklist"), "worklist", "list-checks", AGENCY),
            Item(_("Changes"), "changes", "bell", AGENCY),
            Item(
                _("Holds"),
                "holds",
                "pause",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR),
            ),
            Item(
                _("Loans"),
                "loans",
                "list",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, *AGENCY),
            ),
            Item(
                _("Maintenance files"),
                "maintenance",
                "refresh-cw",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, *FINANCE, AUDITOR),
            ),
            Item(
                _("Contacts"),
                "contacts",
                "phone",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, *AGENCY),
            ),
            Item(
                _("Recoveries"),
                "recoveries",
                "hand-coins",
                (VENDOR_MANAGER, *FINANCE, AUDITOR, *AGENCY),
            ),
            Item(
                _("Complaints"),
                "complaints",
                "message-square-warning",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, *AGENCY),
            ),
        ),
    ),
    Section(
        _("Money"),
        (
            Item(_("Receipts"), "receipts", "file-check", (*FINANCE, AUDITOR)),
            Item(_("Late receipts"), "late_receipts", "clock", (*FINANCE, AUDITOR, *AGENCY)),
            Item(
                _("Statements"),
                "statements",
                "receipt-text",
                (*FINANCE, AUDITOR, AGENCY_ADMINISTRATOR),
            ),
            Item(_("Payouts"), "payouts", "wallet", (*FINANCE, AUDITOR, AGENCY_ADMINISTRATOR)),
        ),
    ),
    Section(
        _("Oversight"),
        (
            Item(
                _("Panel"),
                "panel",
                "building-2",
                (ADMINISTRATOR, VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR),
            ),
            Item(
                _("Certificates"),
                "certificates",
                "file-check",
                (VENDOR_MANAGER, COMPLIANCE_OFFICER, AUDITOR, *AGENCY),
            ),
            Item(
                _("Placement rules"),
                "placement_rules",
                "scale",
                (ADMINISTRATOR, VENDOR_MANAGER),
            ),
            Item(_("Institutions"), "institutions", "landmark", (AGENCY_ADMINISTRATOR,)),
            Item(_("People"), "people", "users", (ADMINISTRATOR, AGENCY_ADMINISTRATOR)),
            Item(_("API clients"), "clients", "key-round", (AGENCY_ADMINISTRATOR,)),
            Item(
                _("Audit trail"),
                "audit",
                "scroll-text",
                (*INSTITUTION, AGENCY_ADMINISTRATOR),
            ),
        ),
    ),
)


def sections(role: str, path: str) -> list[tuple[str, list[Link]]]:
    """(heading, links) of `role` on the page at `path`; a page that does not exist is left out."""
    found = []
    for section in ITEMS:
        links = [_link(item, path) for item in section.items if role in item.roles]
        if present := [link for link in links if link is not None]:
            found.append((section.label, present))
    return found


def _link(item: Item, path: str) -> Link | None:
    try:
        url = reverse(item.url_name)
    except NoReverseMatch:
        return None
    return Link(label=item.label, url=url, icon=item.icon, current=_current(url, path))


def _current(url: str, path: str) -> str:
    if path == url:
        return "page"
    return "true" if url != "/" and path.startswith(url) else ""
