"""Rules of contact, against the dated examples of Regulation F's official commentary.

12 CFR 1006 supplement I, comments 6(b)(1)(i)-2 and 14(b)(2), 14(b)(3); 2020 has the weekdays that
the examples name.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios import conduct
from portfolios.conduct import ON_HOLD, OUTSIDE_HOURS, TOO_MANY_CONTACTS

EASTERN = ZoneInfo("America/New_York")
PACIFIC = ZoneInfo("America/Los_Angeles")
MOUNTAIN = ZoneInfo("America/Denver")
SHANGHAI = ZoneInfo("Asia/Shanghai")
US = conduct.RULES["US"]
STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH "
    "NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY AS GU MP PR VI"
)


def call(month, day, hour=12, minute=0, *, outcome="no_answer", zone=EASTERN, **changes):
    fields = {"channel": "phone", "direction": "outbound", "outcome": outcome} | changes
    return conduct.Contact(datetime(2020, month, day, hour, minute, tzinfo=zone), **fields)


def flags_in_turn(contacts, rules=US, zone=EASTERN):
    """The flags of each contact, logged in the order in which they happened."""
    return [
        conduct.flags(contact, contacts[:index], rules, zones=[zone])
        for index, contact in enumerate(contacts)
    ]


def test_seven_calls_in_seven_days_and_one_on_the_eighth_comply():
    """Comment 14(b)(2)(i)-1.i."""
    calls = [call(4, 1, outcome="left_message"), *(call(4, day) for day in range(2, 8))]
    assert flags_in_turn([*calls, call(4, 8)]) == [[]] * 8


def test_windows_are_calendar_days_and_not_168_hours():
    calls = [call(4, day, 20) for day in range(1, 8)]
    assert conduct.flags(call(4, 8, 8), calls, US, zones=[EASTERN]) == []
    assert conduct.flags(call(4, 7, 21), calls, US, zones=[EASTERN]) == [TOO_MANY_CONTACTS]


def test_the_eighth_call_in_seven_days_is_one_too_many():
    """Comment 14(b)(2)(ii)-1.i: one call on 1 April, two on the 2nd, 3rd, 6th, one on the 7th."""
    days = [1, 2, 2, 3, 3, 6, 6, 7]
    calls = [call(4, day, 9 + index) for index, day in enumerate(days)]
    assert flags_in_turn(calls) == [[]] * 7 + [[TOO_MANY_CONTACTS]]


def test_a_concentration_within_the_number_is_not_flagged():
    """Comment 14(b)(2)(i)-2.i: it may rebut compliance, which only a person can judge."""
    calls = [call(4, 1), *(call(4, 3, 9 + index) for index in range(6))]
    assert flags_in_turn(calls) == [[]] * 7


@pytest.mark.parametrize(
    ("day", "expected"),
    [(14, [TOO_MANY_CONTACTS]), (20, [TOO_MANY_CONTACTS]), (21, [])],
)
def test_no_call_for_seven_days_after_a_conversation(day, expected):
    """Comment 14(b)(2)(ii)-1.ii: a conversation on Friday 14 August, no call before the 21st."""
    history = [call(8, 11), call(8, 14, 10, outcome="conversation")]
    assert conduct.flags(call(8, day), history, US, zones=[EASTERN]) == expected


def test_a_conversation_that_the_borrower_began_counts_as_well():
    """Comment 14(b)(2)(i)-1.ii: the consumer calls on 13 August, no call before the 20th."""
    history = [call(8, 13, outcome="conversation", direction="inbound")]
    assert conduct.flags(call(8, 19), history, US, zones=[EASTERN]) == [TOO_MANY_CONTACTS]
    assert conduct.flags(call(8, 20), history, US, zones=[EASTERN]) == []


def test_a_call_before_the_conversation_is_not_flagged_when_it_is_logged_late():
    history = [call(8, 14, 10, outcome="conversation")]
    assert conduct.flags(call(8, 14, 9), history, US, zones=[EASTERN]) == []
    assert conduct.flags(call(8, 12), history, US, zones=[EASTERN]) == []


def test_the_conversation_itself_is_not_flagged():
    assert flags_in_turn([call(8, 11), call(8, 14, outcome="promised")]) == [[], []]


def test_calls_that_reached_no_line_do_not_count():
    """Comment 14(b)(3)(ii)-1: a busy signal or a number out of service."""
    unconnected = [call(4, 1, 8 + index, outcome="not_connected") for index in range(10)]
    assert flags_in_turn(unconnected) == [[]] * 10
    assert conduct.flags(call(4, 2), unconnected, US, zones=[EASTERN]) == []


@pytest.mark.parametrize("channel", ["message", "email", "letter"])
def test_messages_are_not_calls(channel):
    """Comment 14(b)-1."""
    calls = [call(4, day) for day in range(1, 8)]
    contact = call(4, 7, 13, channel=channel, outcome="done")
    assert conduct.flags(contact, calls, US, zones=[EASTERN]) == []
    messages = [call(4, 1, 8 + index, channel=channel) for index in range(9)]
    assert conduct.flags(call(4, 1), messages, US, zones=[EASTERN]) == []


def test_a_call_logged_late_is_flagged_whatever_its_place():
    later = [call(4, day) for day in range(2, 9)]
    assert conduct.flags(call(4, 1), later, US, zones=[EASTERN]) == []
    assert conduct.flags(call(4, 5, 9), later, US, zones=[EASTERN]) == [TOO_MANY_CONTACTS]


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [
        (7, 59, [OUTSIDE_HOURS]),
        (8, 0, []),
        (21, 0, []),
        (21, 1, [OUTSIDE_HOURS]),
        (0, 0, [OUTSIDE_HOURS]),
    ],
)
def test_hours_of_the_united_states(hour, minute, expected):
    """12 CFR 1006.6(b)(1)(i): inconvenient before 8:00 and after 21:00 local time."""
    assert conduct.flags(call(4, 1, hour, minute), [], US, zones=[EASTERN]) == expected


@pytest.mark.parametrize(
    ("zones", "first_hour"), [([EASTERN, PACIFIC], 11), ([EASTERN, MOUNTAIN], 10)]
)
def test_a_contact_is_permitted_in_all_zones(zones, first_hour):
    """Comment 6(b)(1)(i)-2.i and ii: from 11:00 (10:00) to 21:00 Eastern time."""
    permitted = [
        hour for hour in range(24) if not conduct.flags(call(4, 1, hour), [], US, zones=zones)
    ]
    assert permitted == list(range(first_hour, 22))


@pytest.mark.parametrize(
    ("jurisdiction", "zone", "permitted"),
    [
        ("CN", "Asia/Shanghai", range(8, 22)),
        ("IN", "Asia/Kolkata", range(8, 20)),
        ("GB", "Europe/London", range(8, 22)),
        ("SE", "Europe/Stockholm", range(8, 21)),
    ],
)
def test_hours_elsewhere(jurisdiction, zone, permitted):
    rules, zones = conduct.rules_for(jurisdiction), [ZoneInfo(zone)]
    hours = [
        hour
        for hour in range(24)
        if not conduct.flags(call(7, 1, hour, zone=zones[0]), [], rules, zones=zones)
    ]
    assert hours == list(permitted)


def test_china_ends_before_ten_in_the_evening():
    rules, at = conduct.RULES["CN"], call(7, 1, 21, 59, zone=SHANGHAI)
    assert conduct.flags(at, [], rules, zones=[SHANGHAI]) == []
    at = call(7, 1, 22, 0, zone=SHANGHAI)
    assert conduct.flags(at, [], rules, zones=[SHANGHAI]) == [OUTSIDE_HOURS]


def test_china_counts_conversations_and_unanswered_calls_apart():
    rules = conduct.RULES["CN"]
    talks = [call(7, 1, 9 + i, outcome="conversation", zone=SHANGHAI) for i in range(4)]
    assert flags_in_turn(talks, rules, SHANGHAI) == [[], [], [], [TOO_MANY_CONTACTS]]
    rings = [call(7, 1, 9 + i, zone=SHANGHAI) for i in range(7)]
    assert flags_in_turn(rings, rules, SHANGHAI) == [[]] * 6 + [[TOO_MANY_CONTACTS]]
    assert flags_in_turn(talks[:3] + rings[:6], rules, SHANGHAI) == [[]] * 9
    tomorrow = call(7, 2, 9, outcome="conversation", zone=SHANGHAI)
    assert conduct.flags(tomorrow, talks, rules, zones=[SHANGHAI]) == []


def test_a_letter_and_a_court_have_no_hour():
    for channel in ("letter", "court"):
        contact = call(4, 1, 3, channel=channel, outcome="done")
        assert conduct.flags(contact, [], US, zones=[EASTERN]) == []


def test_every_rule_broken_is_told():
    calls = [call(4, 1, 9 + index) for index in range(7)]
    contact = call(4, 2, 23)
    assert conduct.flags(contact, calls, US, zones=[EASTERN], on_hold=True) == [
        OUTSIDE_HOURS,
        TOO_MANY_CONTACTS,
        ON_HOLD,
    ]


def test_what_the_borrower_begins_breaks_nothing():
    calls = [call(4, 1, 9 + index) for index in range(7)]
    contact = call(4, 1, 23, direction="inbound", outcome="conversation")
    assert conduct.flags(contact, calls, US, zones=[EASTERN], on_hold=True) == []


@pytest.mark.parametrize(
    ("jurisdiction", "region", "expected"),
    [
        ("US", "NY", {"America/New_York"}),
        ("US", "us-ca", {"America/Los_Angeles"}),
        ("US-TX", "TX", {"America/Chicago", "America/Denver"}),
        ("US", "AZ", {"America/Phoenix", "America/Denver"}),
        ("CN", "Shanghai", {"Asia/Shanghai"}),
        ("GB", "", {"Europe/London"}),
        ("SE", "AB", {"Europe/Stockholm"}),
    ],
)
def test_time_zones_of_a_region(jurisdiction, region, expected):
    zones = conduct.time_zones(jurisdiction, region, fallback="Europe/Stockholm")
    assert {zone.key for zone in zones} == expected


def test_every_state_has_its_zones():
    anywhere = conduct.time_zones("US", "", fallback="UTC")
    assert all(
        conduct.time_zones("US", state, fallback="UTC") != anywhere for state in STATES.split()
    )


def test_a_borrower_of_unknown_state_may_be_called_when_it_suits_all_fifty():
    zones = conduct.time_zones("US", "", fallback="UTC")
    permitted = [
        hour for hour in range(24) if not conduct.flags(call(1, 15, hour), [], US, zones=zones)
    ]
    assert permitted == list(range(13, 22))  # 8:00 in Honolulu to 21:00 in New York


def test_a_moment_without_a_time_zone_is_a_mistake_of_the_caller():
    naive = conduct.Contact(datetime(2020, 4, 1, 12), "phone", "outbound", "no_answer")
    with pytest.raises(ValueError, match="time zone"):
        conduct.flags(naive, [], US, zones=[EASTERN])
    with pytest.raises(ValueError, match="time zone"):
        conduct.flags(call(4, 1), [naive], US, zones=[EASTERN])


MOMENTS = st.integers(0, 14 * 24 * 60).map(
    lambda minutes: datetime(2020, 4, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
CONTACTS = st.builds(
    conduct.Contact,
    MOMENTS,
    st.sampled_from(["phone", "message", "letter"]),
    st.sampled_from(["outbound", "inbound"]),
    st.sampled_from(["no_answer", "not_connected", "conversation", "promised"]),
)


@given(CONTACTS, st.lists(CONTACTS, max_size=25), st.sampled_from(["US", "CN", "IN", "SE"]))
def test_order_does_not_matter_and_more_history_never_excuses(contact, history, jurisdiction):
    rules, zones = conduct.rules_for(jurisdiction), [EASTERN, PACIFIC]
    found = conduct.flags(contact, history, rules, zones=zones)
    assert conduct.flags(contact, history[::-1], rules, zones=zones) == found
    fewer = conduct.flags(contact, history[1:], rules, zones=zones)
    assert set(fewer) <= set(found)


@given(st.lists(MOMENTS, max_size=30))
def test_somebody_is_flagged_whenever_a_week_holds_more_than_seven_calls(moments):
    calls = [conduct.Contact(moment, "phone", "outbound", "no_answer") for moment in moments]
    flagged = any(
        TOO_MANY_CONTACTS in found for found in flags_in_turn(calls, zone=ZoneInfo("UTC"))
    )
    days = [moment.toordinal() for moment in moments]
    crowded = any(sum(first <= day < first + 7 for day in days) > 7 for first in days)
    assert flagged == crowded


@pytest.mark.parametrize(
    ("severity", "jurisdiction", "expected"),
    [
        ("high", "US", date(2026, 3, 6)),
        ("medium", "US", date(2026, 3, 16)),
        ("low", "CN", date(2026, 3, 16)),
        ("low", "GB", date(2026, 4, 26)),  # eight weeks
        ("low", "IN", date(2026, 3, 31)),
        ("low", "SE", date(2026, 3, 16)),
        ("high", "GB", date(2026, 3, 6)),
    ],
)
def test_a_complaint_is_due(severity, jurisdiction, expected):
    assert conduct.due_on(date(2026, 3, 1), severity, jurisdiction) == expected


def test_every_rule_names_its_source():
    for rules in (*conduct.RULES.values(), conduct.DEFAULT_RULES):
        assert all(rule.source for rule in (rules.hours, *rules.caps, *rules.gaps))
