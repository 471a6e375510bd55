"""Rules of contact as data, and the check of one contact against them.

A flag tells compliance that a rule seems broken; it never refuses the record. Local time is the
borrower's. Where a region has several time zones a contact must be permitted in all of them
(12 CFR 1006 supplement I, comment 6(b)(1)(i)-2). Not modelled: consent given by the borrower
(12 CFR 1006.14(b)(3)(i)), so a call made with consent may be flagged and explained.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

OUTSIDE_HOURS = "OUTSIDE_HOURS"
TOO_MANY_CONTACTS = "TOO_MANY_CONTACTS"
ON_HOLD = "ON_HOLD"

CALLS = frozenset({"phone"})
ANY_CHANNEL = frozenset({"phone", "message", "email", "letter", "in_person"})
TIMED_CHANNELS = frozenset({"phone", "message", "email", "in_person"})
"""What reaches somebody at a moment; a letter or a filing at court has no hour."""

CONVERSATIONS = frozenset({"conversation", "promised", "refused"})
"""Outcomes in which the borrower and the agency spoke."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact about one loan. `happened_at` knows its time zone."""

    happened_at: datetime
    channel: str
    direction: str
    outcome: str

    @property
    def is_outbound(self) -> bool:
        return self.direction == "outbound"

    @property
    def is_conversation(self) -> bool:
        return self.outcome in CONVERSATIONS


@dataclass(frozen=True, slots=True)
class Hours:
    """Permitted local time of day, from `opens_at`, until `closes_at` itself or just before it."""

    opens_at: time
    closes_at: time
    source: str
    closes_inclusive: bool = True

    def permit(self, moment: time) -> bool:
        if self.closes_inclusive:
            return self.opens_at <= moment <= self.closes_at
        return self.opens_at <= moment < self.closes_at


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `maximum` contacts of a kind in any `days` consecutive calendar days, per loan.

    `counting` is "connected" (all but those that reached no line), "conversations", or
    "unanswered" (all but conversations).
    """

    maximum: int
    days: int
    channels: frozenset[str]
    counting: str
    source: str

    def counts(self, contact: Contact) -> bool:
        if not contact.is_outbound or contact.channel not in self.channels:
            return False
        if self.counting == "conversations":
            return contact.is_conversation
        if self.counting == "unanswered":
            return not contact.is_conversation
        return contact.outcome != "not_connected"


@dataclass(frozen=True, slots=True)
class Gap:
    """No contact by `channels` in the `days` days of which a conversation's day is the first.

    It does not matter who began the conversation.
    """

    days: int
    channels: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Rules:
    hours: Hours
    caps: tuple[Cap, ...] = ()
    gaps: tuple[Gap, ...] = ()


_HOUSE_CAP = Cap(7, 7, ANY_CHANNEL, "connected", "house policy: the law here gives no number")

DEFAULT_RULES = Rules(
    Hours(time(8), time(20), "house policy: no rule of this place is recorded"), (_HOUSE_CAP,)
)

RULES: dict[str, Rules] = {
    "US": Rules(
        Hours(time(8), time(21), "12 CFR 1006.6(b)(1)(i)"),
        (Cap(7, 7, CALLS, "connected", "12 CFR 1006.14(b)(2)(i)(A), (b)(3)(ii)"),),
        (Gap(7, CALLS, "12 CFR 1006.14(b)(2)(i)(B)"),),
    ),
    "CN": Rules(
        Hours(time(8), time(22), "GB/T 45251-2025 (press reports)", closes_inclusive=False),
        (
            Cap(3, 1, CALLS, "conversations", "GB/T 45251-2025 (press reports)"),
            # The guideline counts per number dialled; per loan is the stricter reading.
            Cap(6, 1, CALLS, "unanswered", "China Banking Association, 30 Jan 2026 (press)"),
        ),
    ),
    "GB": Rules(
        Hours(time(8), time(21), "house policy: FCA CONC 7.9 gives no numbers"), (_HOUSE_CAP,)
    ),
    "IN": Rules(Hours(time(8), time(19), "RBI/2022-23/108, 12 Aug 2022"), (_HOUSE_CAP,)),
}
"""Country code (ISO 3166-1) → rules of contact; `rules_for` knows what holds elsewhere."""

DEADLINES: dict[str, dict[str, int]] = {
    "US": {"high": 5, "medium": 15, "low": 15},  # CFPB portal: 15 calendar days
    "CN": {"high": 5, "medium": 15, "low": 15},  # complaint measures of 2020: 15 days
    "GB": {"high": 5, "medium": 15, "low": 56},  # FCA DISP 1.6: 8 weeks
    "IN": {"high": 5, "medium": 15, "low": 30},  # ombudsman after 30 days
}
"""Calendar days to decide a complaint: the regime's limit, shortened by house policy."""
_DEFAULT_DEADLINES = {"high": 5, "medium": 15, "low": 15}

_EASTERN, _CENTRAL, _MOUNTAIN = "America/New_York", "America/Chicago", "America/Denver"
_PACIFIC, _ALASKA, _HAWAII = ("America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu")
_US_STATES_BY_ZONES: dict[tuple[str, ...], str] = {
    (_EASTERN,): "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    (_CENTRAL,): "AR IA IL LA MN MO MS OK WI",
    (_MOUNTAIN,): "CO MT NM UT WY",
    (_PACIFIC,): "CA WA",
    (_EASTERN, _CENTRAL): "AL FL IN KY MI TN",
    (_CENTRAL, _MOUNTAIN): "KS ND NE SD TX",
    (_MOUNTAIN, _PACIFIC): "ID NV OR",
    ("America/Phoenix", _MOUNTAIN): "AZ",  # the Navajo Nation keeps daylight saving time
    (_ALASKA, "America/Adak"): "AK",
    (_HAWAII,): "HI",
    ("America/Puerto_Rico",): "PR VI",
    ("Pacific/Guam",): "GU MP",
    ("Pacific/Pago_Pago",): "AS",
}
_US_ZONES = {
    state: zones for zones, states in _US_STATES_BY_ZONES.items() for state in states.split()
}
_US_ANYWHERE = (_EASTERN, _CENTRAL, _MOUNTAIN, "America/Phoenix", _PACIFIC, _ALASKA, _HAWAII)
_COUNTRY_ZONES = {"CN": "Asia/Shanghai", "GB": "Europe/London", "IN": "Asia/Kolkata"}


def rules_for(jurisdiction: str) -> Rules:
    """The rules of a jurisdiction ("US", "US-NY"): its country's, else the house policy."""
    return RULES.get(_country(jurisdiction), DEFAULT_RULES)


def time_zones(jurisdiction: str, region: str, *, fallback: str) -> tuple[ZoneInfo, ...]:
    """Every time zone the borrower may live in. `fallback` (IANA) serves an unlisted country.

    A US borrower of unknown state may be anywhere in the fifty states.
    """
    country = _country(jurisdiction)
    if country == "US":
        state = region.strip().upper().removeprefix("US-")
        names = _US_ZONES.get(state, _US_ANYWHERE)
    else:
        names = (_COUNTRY_ZONES.get(country, fallback),)
    return tuple(ZoneInfo(name) for name in names)


def flags(
    contact: Contact,
    history: Iterable[Contact],
    rules: Rules,
    *,
    zones: Sequence[ZoneInfo],
    on_hold: bool = False,
) -> list[str]:
    """The codes of the rules that a contact seems to break; only the agency's own can break any.

    `history` is every other known contact about the same loan, in any order. A contact logged
    late counts with those logged before it, whatever the order in which they happened.
    Raises ValueError for a moment without a time zone.
    """
    others = list(history)
    if any(one.happened_at.tzinfo is None for one in (contact, *others)):
        raise ValueError("happened_at must know its time zone")
    if not contact.is_outbound:
        return []
    found = []
    if contact.channel in TIMED_CHANNELS and not all(
        rules.hours.permit(contact.happened_at.astimezone(zone).time()) for zone in zones
    ):
        found.append(OUTSIDE_HOURS)
    if any(
        any(_exceeds(cap, contact, others, zone) for cap in rules.caps)
        or any(_breaks(gap, contact, others, zone) for gap in rules.gaps)
        for zone in zones
    ):
        found.append(TOO_MANY_CONTACTS)
    if on_hold:
        found.append(ON_HOLD)
    return found


def due_on(received_on: date, severity: str, jurisdiction: str) -> date:
    """The last day to decide a complaint of severity "high", "medium" or "low"."""
    deadlines = DEADLINES.get(_country(jurisdiction), _DEFAULT_DEADLINES)
    return received_on + timedelta(days=deadlines[severity])


def _country(jurisdiction: str) -> str:
    return jurisdiction.strip().upper().partition("-")[0]


def _local_day(contact: Contact, zone: ZoneInfo) -> int:
    return contact.happened_at.astimezone(zone).date().toordinal()


def _exceeds(cap: Cap, contact: Contact, others: list[Contact], zone: ZoneInfo) -> bool:
    """Whether any window of the cap's length that holds the contact holds too many with it."""
    if not cap.counts(contact):
        return False
    day = _local_day(contact, zone)
    days = [_local_day(other, zone) for other in others if cap.counts(other)]
    return any(
        sum(first <= other < first + cap.days for other in days) >= cap.maximum
        for first in range(day - cap.days + 1, day + 1)
    )


def _breaks(gap: Gap, contact: Contact, others: list[Contact], zone: ZoneInfo) -> bool:
    """Whether the contact falls into the quiet days after an earlier conversation."""
    if contact.channel not in gap.channels or contact.outcome == "not_connected":
        return False
    day = _local_day(contact, zone)
    return any(
        other.is_conversation
        and other.channel in gap.channels
        and other.happened_at < contact.happened_at
        and day < _local_day(other, zone) + gap.days
        for other in others
    )
