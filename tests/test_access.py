"""Everybody tries everything: nothing that is not theirs changes, and nothing of it shows.

The cases are made from what exists, the addresses and the schema: a new page, query or mutation
is tried as it comes, and fails here where the helpers in `tests/access` do not know what it
names. What is tried and by whom is in `tests/access/cast.py`.
"""

import re

import psycopg
import pytest
from django.conf import settings
from django.test import override_settings

from agencies import actors, texts
from config.graphql import rules
from config.schema import schema
from tests import databases, world
from tests.access import books, cast, operations, pages, tables
from tests.conftest import Clock
from tests.portfolios import over_http

SEEN_BY_AGENCIES = frozenset({"institution", "listing"})
"""What an agency that is not the target may know of a bank."""

READING_IS_LOGGED = {
    "intake": ["agencies_auditentry"],
    "listing": ["marketplace_roomvisit"],
    "listing-document": ["marketplace_roomvisit"],
    "listing-tape": ["marketplace_roomvisit"],
    "Query.listing": ["marketplace_roomvisit"],
}
"""Pages and queries that write down who read them."""
WRITES_WHATEVER_IT_NAMES = {
    # The bank looks into it; the answer must not tell the agency whether the loan exists.
    "lateReceiptSubmit": {"agencies_auditentry", "portfolios_latereceipt"},
    # Likewise, by whatever loan and payment the agency names behind its own score.
    "rankingDisputeRaise": {"agencies_auditentry", "marketplace_rankingdispute"},
}
KNOWN_TO_AGENCIES = frozenset({"institutionId", "institution", "listingId", "listing"})
"""What names a bank, or what an agency of its panel may bid on."""
IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def market(django_db_setup, django_db_blocker, clone):
    """The market, once for all tests of this file; they leave of it what was there."""
    clock = Clock(clone.name)
    with django_db_blocker.unblock():
        try:
            with override_settings(STRIPE_MAX_RETRIES=0):
                made = cast.build(clock, settings)
            yield made
        finally:
            clone.renew()


@pytest.fixture(scope="module")
def ledgers(market, clone):
    """The sums over everything, and over what is about our bank."""
    made = books.Books(clone.name), books.Books(clone.name, about=market.ours.bank.institution.pk)
    yield made
    for one in made:
        one.close()


@pytest.fixture
def ledger(ledgers):
    """What changed anywhere since the last test."""
    yield ledgers[0]
    ledgers[0].catch_up()


@pytest.fixture
def our_ledger(ledgers):
    """What changed about our bank since the last test."""
    ledgers[1].catch_up()
    return ledgers[1]


def test_every_page_declares_who_may_open_it():
    undeclared = [page for page in pages.every() if page.allow is None]
    known = tuple(pages.NOT_OURS)
    assert [page.route for page in undeclared if not page.name.startswith(known)] == []
    assert all(any(page.name.startswith(name) for page in undeclared) for name in known)


def test_every_field_declares_who_may_read_it():
    assert rules.undeclared_fields(schema) == []
    assert all(rules.declared(schema).values())


def foreign(market, attacker, kind: str) -> list:
    """Rows of this kind that must not exist for the attacker."""
    if attacker.side in ("bank", "house"):
        theirs = "house" if attacker.side == "bank" else "bank"
        return [market.people[theirs]] if kind == "user" else []
    if attacker.side not in cast.STRANGERS:
        return []
    if kind in SEEN_BY_AGENCIES and attacker.side == "rival":
        return []
    return market.ours.ids[kind][:2]


@pytest.mark.parametrize("page", pages.ours(), ids=str)
def test_a_page_is_shut_to_every_other_role(market, ledger, page):
    (pk, *_others) = market.ours.ids[page.kind] if page.kind else (None,)
    path = page.path(pk)
    for attacker in market.everyone_once:
        if attacker.role in page.allow:
            continue
        for send in (attacker.client.get, attacker.client.post):
            answer = send(path, pages.FORM)
            status, text = pages.seen(answer, path)
            if attacker.role == "public":
                assert status == 302, (attacker, status)
                assert answer.url.startswith("/accounts/login/")
            else:
                assert status == 403, (attacker, status)
            assert market.leaks(attacker, text) == [], attacker
    assert ledger.changed() == []


@pytest.mark.parametrize("page", [page for page in pages.ours() if page.kind], ids=str)
def test_what_is_somebody_elses_is_what_does_not_exist(market, ledger, page):
    for attacker in market.attackers:
        if attacker.role not in page.allow:
            continue
        targets = foreign(market, attacker, page.kind)
        for send in (attacker.client.get, attacker.client.post) if targets else ():
            nothing = pages.seen(send(page.path(cast.ABSENT), pages.FORM), cast.ABSENT)
            assert nothing[0] in (404, 405), attacker
            for pk in targets:
                assert pages.seen(send(page.path(pk), pages.FORM), pk) == nothing, attacker
    assert ledger.changed() == []


@pytest.mark.parametrize("page", pages.ours(), ids=str)
def test_a_page_shows_nothing_of_others_to_whom_it_is_open(market, ledger, page):
    for attacker in market.attackers:
        if attacker.role not in page.allow:
            continue
        own = market.own(attacker).get(page.kind, [cast.ABSENT]) if page.kind else [None]
        for pk in own[:2]:
            answer = attacker.client.get(page.path(pk, slug=market.ours.references["slug"]))
            assert answer.status_code in (200, 302, 404, 405, 409, 410), attacker
            assert market.leaks(attacker, answer.getvalue().decode()) == [], (attacker, pk)
    assert ledger.changed() in ([], READING_IS_LOGGED.get(page.name))


def codes(answer, operation) -> set[str]:
    """The codes of the errors in an answer of /graphql: of the request, or of the mutation."""
    body = answer.json()
    found = [error["extensions"]["code"] for error in body.get("errors", [])]
    payload = (body.get("data") or {}).get(operation.name)
    if operation.kind == "mutation" and payload:
        found += [error["code"] for error in payload["errors"]]
    return set(found)


SHOWN = {
    "market": [("rival", "collector", "/listings/"), ("bank", "auditor", "/portfolios/")],
    "private": [("bank", "finance_preparer", "/receipts/")],
    "live": [("house", "collector", "/recoveries/"), ("bank", "auditor", "/loans/")],
    "gone": [("bank", "vendor_manager", "/loans/")],
    "lasting": [("house", "collector", "/late-receipts/"), ("bank", "auditor", "/complaints/")],
    "offer": [("bank", "vendor_manager", "/listings/{listing}/")],
    "inside": [("house", "agency_administrator", "/people/")],
    "title": [("bank", "auditor", "/panel/")],
    "suspended": [("bank", "auditor", "/loans/")],
}
"""Where each mark is shown to those that it is for: no leak could be found without one."""


@pytest.mark.parametrize("kind", SHOWN)
def test_what_must_not_leak_is_shown_where_it_belongs(market, kind):
    listing = market.ours.ids["listing"][0]
    for side, role, path in SHOWN[kind]:
        answer = market.of(side, role).client.get(path.format(listing=listing))
        assert answer.status_code == 200
        assert market.ours.mark(kind) in answer.getvalue().decode(), (side, role, path)


def test_what_is_lost_is_lost_for_every_role(market):
    """A placement recalled, and an agency suspended: not one row of the loans is left to read."""
    query = """{
        loans(first: 100) { edges { node { reference } } }
        placements(first: 100) { edges { node { title } } }
        contacts(first: 100) { edges { node { note } } }
        promises(first: 100) { edges { node { loanReference } } }
        recoveries(first: 100) { edges { node { reference } } }
    }"""
    for role in (*cast.AGENCY_ROLES, "machine_client"):
        lost = over_http.ask(market.of("suspended", role).client, query)
        assert all(found == {"edges": []} for found in lost.values()), role
        kept = over_http.ask(market.of("house", role).client, query)
        references = [edge["node"]["reference"] for edge in kept["loans"]["edges"]]
        assert references == ["Zephyr-1", "Zephyrlive-2", "Zephyrlive-3"]
        assert len(kept["placements"]["edges"]) == 1


@pytest.mark.parametrize("operation", operations.every(), ids=str)
def test_an_operation_is_shut_to_every_other_role(market, ledger, operation):
    variables = operation.variables(operations.pointing_at(market.ours), optional=False)
    for attacker in market.everyone_once:
        if attacker.role in operation.allow:
            continue
        answer = operations.send(attacker.client, operation, variables, deepest=0)
        if attacker.role == "public":
            assert (answer.status_code, codes(answer, operation)) == (401, {"UNAUTHENTICATED"})
        else:
            assert (answer.status_code, codes(answer, operation)) == (200, {"NOT_ALLOWED"}), (
                attacker
            )
        text = pages.without(answer.getvalue().decode(), *operations.told(variables))
        assert market.leaks(attacker, text) == [], attacker
    assert ledger.changed() == []


EXPLAINED = [one for one in operations.every() if one.is_explained]


@pytest.mark.parametrize("operation", EXPLAINED, ids=str)
@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (" \n", "REQUIRED"),
        ("x" * (texts.LONGEST + 1), "TOO_LONG"),
        ("Paid with 4111 1111 1111 1111", "CARD_NUMBER"),
    ],
    ids=["blank", "long", "card"],
)
def test_a_reason_is_held_to_one_rule_everywhere(market, ledger, operation, reason, code):
    """By each role of ours that may do it, on a thing of ours; of every operation there is."""
    variables = operation.variables(operations.pointing_at(market.ours), optional=False)
    variables["input"]["reason"] = reason
    people = [one for one in market.everyone_once if one.role in operation.allow]
    assert people
    for person in people:
        answer = operations.send(person.client, operation, variables)
        (said,) = answer.json()["data"][operation.name]["errors"]
        assert (said["code"], said["field"]) == (code, "reason"), person
    assert ledger.changed() == []


def test_no_text_holds_a_card_number(market, ledger):
    """Notes, terms, questions, answers and statements: of every operation that takes one.

    A contact is looked at row by row, and its note after its loan: `test_contacts` tries that.
    """
    tried = set()
    for operation in operations.every():
        if operation.name == "contactLog":
            continue
        for field in operation.texts:
            tried.add(field)
            variables = operation.variables(operations.pointing_at(market.ours), optional=False)
            variables["input"][field] = "Paid with 4111 1111 1111 1111"
            said = set()
            for person in market.everyone_once:
                if person.role in operation.allow:
                    answer = operations.send(person.client, operation, variables)
                    said |= codes(answer, operation)
            assert "CARD_NUMBER" in said, (operation, field)
    assert tried == operations.FREE_TEXTS
    assert ledger.changed() == []


def is_known(market, attacker, name: str) -> bool:
    """Whether the attacker may know what this input names of ours."""
    return attacker.side == "rival" and name in KNOWN_TO_AGENCIES


def answers(market, attacker, operation, tried: set[str]) -> list[tuple[int, str]]:
    """What is answered where `tried` names ours and where it names nothing, all else one's own."""
    own, ours = (operations.pointing_at(one) for one in (market.theirs, market.ours))
    found = []
    for there in (ours, operations.pointing_nowhere):

        def point(name: str, there=there):
            if name not in tried:
                return own(name)
            return (ours if is_known(market, attacker, name) else there)(name)

        variables = operation.variables(point, optional=True)
        deepest = 0 if operation.kind == "query" else 1
        answer = operations.send(attacker.client, operation, variables, deepest=deepest)
        text = pages.without(answer.getvalue().decode(), *operations.told(variables))
        assert market.leaks(attacker, text) == [], attacker
        if operation.name in WRITES_WHATEVER_IT_NAMES:
            text = IDENTIFIER.sub("", text)
        found.append((answer.status_code, text))
    return found


@pytest.mark.parametrize("operation", operations.every(), ids=str)
def test_an_operation_finds_nothing_that_is_somebody_elses(market, ledger, our_ledger, operation):
    """All that can be named at once, then each alone beside what is one's own."""
    names = set(operation.names)
    for attacker in market.attackers:
        if attacker.role not in operation.allow or attacker.side not in cast.STRANGERS:
            continue
        alone = [{name} for name in sorted(names)]
        # All filters of a list at once would find nothing anyhow.
        together = [] if len(names) == 1 or (names and operation.kind == "query") else [names]
        for tried in together + alone:
            there, nowhere = answers(market, attacker, operation, tried)
            assert there[0] == 200, (attacker, tried, there)
            if not all(is_known(market, attacker, name) for name in tried):
                assert there == nowhere, (attacker, tried)
    assert set(our_ledger.changed()) <= WRITES_WHATEVER_IT_NAMES.get(operation.name, set())


@pytest.fixture(scope="module")
def outsiders(market, ledgers, django_db_blocker):
    """A bank and an agency that have nothing to do with anybody."""
    with django_db_blocker.unblock():
        made = world.make_bank(), world.make_agency()
        ledgers[0].changed()
        ledgers[0].catch_up()
    return made


@pytest.mark.parametrize("model", tables.every_model(), ids=lambda model: model._meta.label)
def test_without_any_selector_there_is_nothing_foreign(market, outsiders, model):
    """`Model.objects.all()` of everybody else: no row of ours, nor one that names us."""
    bank, house, rival = market.ours.bank, market.ours.house, market.theirs.house
    is_about_banks = model._meta.db_table in tables.NAMES_BANKS
    strangers = [
        *(actors.for_user(user) for user in market.theirs.bank.users.values()),
        *(actors.for_user(user) for user in rival.users.values()),
        *(actors.for_user(user) for user in outsiders[0].users.values()),
        *(actors.for_user(user) for user in outsiders[1].users.values()),
        actors.sweep(market.theirs.bank.institution.pk),
        actors.public_for(bank.institution.pk),
        actors.sweep(),
    ]
    for stranger in strangers:
        side = "rival" if stranger.agency_id == rival.agency.pk else "other bank"
        for row in tables.read(stranger, model):
            leaks = [mark for mark in market.leaks_to(side, row) if market.ours.word in mark]
            assert leaks == [], (stranger, row)
            assert str(house.agency.pk) not in row, (stranger, row)
            if str(bank.institution.pk) in row and not is_about_banks:
                assert str(stranger.agency_id) in row, (stranger, row)
    # Somebody unknown, and a sweep of no bank, read of whom there are banks and no more.
    if model._meta.db_table != "agencies_institution":
        assert [tables.read(one, model) for one in strangers[-2:]] == [[], []]


def test_the_market_has_a_row_of_nearly_everything(market, clone):
    """Nothing foreign would prove little where there is nothing at all."""
    filled = []
    with psycopg.connect(**databases.keywords("owner", clone.name)) as owner:
        for model in tables.every_model():
            found = owner.execute(f"select exists (select from {model._meta.db_table})")
            filled += [model] * found.fetchone()[0]
    assert len(filled) > len(tables.every_model()) * 4 // 5


QUERIES = [one for one in operations.every() if one.kind == "query"]


@pytest.mark.parametrize("operation", QUERIES, ids=str)
def test_a_query_shows_nothing_of_others(market, ledger, operation):
    for attacker in market.attackers:
        if attacker.role not in operation.allow:
            continue
        estate = market.theirs if attacker.side in cast.STRANGERS else market.ours
        variables = operation.variables(operations.pointing_at(estate), optional=False)
        answer = operations.send(attacker.client, operation, variables, deepest=2)
        assert answer.status_code == 200, (attacker, answer.content)
        text = pages.without(answer.getvalue().decode(), *operations.told(variables))
        assert market.leaks(attacker, text) == [], attacker
    assert ledger.changed() in ([], READING_IS_LOGGED.get(f"Query.{operation.name}"))
