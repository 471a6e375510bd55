"""Holds with a review and an end, and many at once: the preview is what runs."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from portfolios.models import Hold, Loan
from portfolios.services import bulk, bulk_holds, complaints, holds
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
TODAY = NOON.date()
PREVIEW = """query($names: [String!]!) { holdPreview(loanReferences: $names, kind: DECEASED) {
    loanCount balanceMinor digest skipped { reference code } } }"""


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank()


@pytest.fixture
def house(bank):
    made = world.make_agency()
    world.join_panel(bank, made)
    world.place(bank, made, world.make_portfolio(bank, balances_minor=[1_00, 2_00, 3_00]))
    return made


@pytest.fixture
def loans(bank, house):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.order_by("balance_minor"))


def held(bank) -> list[int]:
    with scope(bank.actor("auditor")):
        rows = Loan.objects.filter(is_on_hold=True).order_by("balance_minor")
        return list(rows.values_list("balance_minor", flat=True))


def test_a_hold_ends_by_itself_on_its_day(bank, loans, clock):
    first, second, _third = loans
    with scope(bank.actor("vendor_manager")) as actor:
        given = {"actor": actor, "kind": "moratorium", "reason": "Flood"}
        holds.open_hold(loan_id=first.pk, expires_on=TODAY + 3 * DAY, **given)
        holds.open_hold(loan_id=second.pk, review_on=TODAY + 3 * DAY, **given)
        for field in ("expires_on", "review_on"):
            with pytest.raises(errors.InvalidInput, match="IN_THE_PAST") as refused:
                holds.open_hold(loan_id=second.pk, **{field: TODAY}, **given)
            assert refused.value.field == field
    clock.set(NOON + 2 * DAY)
    with scope(bank.sweep) as actor:
        assert holds.release_expired(actor=actor) == 0
    clock.set(NOON + 3 * DAY)
    with scope(bank.sweep) as actor:
        assert holds.release_expired(actor=actor) == 1
        assert holds.release_expired(actor=actor) == 0
    assert held(bank) == [2_00]
    with scope(bank.actor("auditor")):
        assert (
            Hold.objects.exclude(released_at=None).get().release_reason == "Its last day is over."
        )
        assert AuditEntry.objects.filter(action="loan.release").count() == 1


@pytest.mark.parametrize(
    "kind", [kind for kind in Hold.Reason.values if kind != Hold.Reason.COMPLAINT]
)
def test_every_kind_pauses_collection(bank, house, loans, kind):
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=loans[0].pk, kind=kind, reason="Because")
    with scope(house.actor()):
        assert list(Loan.objects.filter(is_on_hold=True)) == [loans[0]]


def test_the_preview_is_what_runs(bank, house, loans):
    first, second, third = loans
    client = over_http.person(bank, "vendor_manager")
    with scope(bank.actor("vendor_manager")) as actor:
        holds.open_hold(actor=actor, loan_id=first.pk, kind="deceased", reason="Certificate")
    names = [loan.reference for loan in loans] + ["NO-SUCH"]
    plan = over_http.ask(client, PREVIEW, names=names)["holdPreview"]
    assert (plan["loanCount"], plan["balanceMinor"]) == (2, 5_00)
    assert plan["skipped"] == [
        {"reference": "NO-SUCH", "code": "UNKNOWN_LOAN"},
        {"reference": first.reference, "code": "ALREADY_HELD"},
    ]
    order = {
        "loanReferences": names,
        "kind": "DECEASED",
        "reason": "Register",
        "reviewOn": (TODAY + 9 * DAY).isoformat(),
    }
    forged = over_http.do(client, "loansHold", "heldCount", digest="0" * 64, **order)
    assert forged["errors"][0]["code"] == "PLAN_CHANGED"
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=third.pk, kind="deceased", reason="Certificate")
    late = over_http.do(client, "loansHold", "heldCount", digest=plan["digest"], **order)
    assert late["errors"][0]["code"] == "PLAN_CHANGED"
    assert held(bank) == [1_00, 3_00]
    plan = over_http.ask(client, PREVIEW, names=names)["holdPreview"]
    done = over_http.do(client, "loansHold", "heldCount", digest=plan["digest"], **order)
    assert done == {"heldCount": 1, "errors": []}
    assert held(bank) == [1_00, 2_00, 3_00]
    again = over_http.ask(client, PREVIEW, names=names)["holdPreview"]
    nothing = over_http.do(client, "loansHold", "heldCount", digest=again["digest"], **order)
    assert nothing["errors"][0]["code"] == "NOTHING_TO_DO"
    with scope(bank.actor("auditor")):
        assert Hold.objects.get(loan=second).review_on == TODAY + 9 * DAY


def test_many_are_released_at_once_save_those_with_an_open_complaint(bank, loans):
    first, second, third = loans
    with scope(bank.actor("compliance_officer")) as actor:
        for loan, kind in ((first, "dispute"), (first, "other"), (second, "dispute")):
            holds.open_hold(actor=actor, loan_id=loan.pk, kind=kind, reason="Says paid")
        complaints.open(
            actor=actor,
            loan_reference=second.reference,
            category="harassment",
            severity="high",
            happened_on=TODAY,
            summary="What happened?",
            account="They called at night",
        )
        names = [loan.reference for loan in loans]
        plan = bulk_holds.preview_release(actor=actor, references=names)
        assert [(one.reference, one.code) for one in plan.skipped] == [
            (third.reference, "NOT_HELD")
        ]
        count = bulk_holds.release_previewed(
            actor=actor, references=names, reason="Cleared up", digest=plan.digest
        )
        assert count == 3
        assert Hold.objects.get(released_at=None).kind == "complaint"
    assert held(bank) == [2_00]


def test_what_a_file_says_every_day_is_done_once_and_undone_by_kind(bank, house, loans):
    ids = [loan.pk for loan in loans]
    said = {loan_id: f"Register, entry {number}" for number, loan_id in enumerate(ids)}
    with scope(bank.actor("vendor_manager")) as actor:
        some = dict(list(said.items())[:2])
        assert len(holds.open_stated(actor=actor, kind="deceased", reasons=some)) == 2
        assert len(holds.open_stated(actor=actor, kind="deceased", reasons=said)) == 1
        assert holds.open_stated(actor=actor, kind="deceased", reasons=said) == []
        assert dict(Hold.objects.values_list("loan", "reason")) == said
        holds.open_hold(actor=actor, loan_id=ids[0], kind="dispute", reason="Says paid")
        undone = {loan_id: f"An error of entry {number}" for number, loan_id in enumerate(ids)}
        undo = {"actor": actor, "kinds": ["deceased", "plan"], "reasons": undone}
        assert set(holds.release_stated(**undo)) == set(ids)
        assert holds.release_stated(**undo) == []
        ended = Hold.objects.filter(kind="deceased").values_list("loan", "release_reason")
        assert dict(ended) == undone
    assert held(bank) == [1_00]
    with scope(world.make_bank().actor("vendor_manager")) as actor:
        for call, kinds in (
            (holds.open_stated, {"kind": "other"}),
            (holds.release_stated, {"kinds": ["other"]}),
        ):
            with pytest.raises(errors.NotFound):
                call(actor=actor, reasons=said, **kinds)


def test_a_plan_has_one_digest(loans):
    ids = [loan.pk for loan in loans]
    one = bulk.Plan(ids, 1, "USD", [bulk.LeftOut("a", "NOT_HELD")])
    same = bulk.Plan(ids[::-1], 1, "USD", [bulk.LeftOut("a", "NOT_HELD")])
    other = bulk.Plan(ids, 1, "USD", [], [bulk.LeftOut("a", "NOT_HELD")])
    assert one.digest == same.digest
    assert len({one.digest, bulk.Plan(ids, 1, "USD", []).digest, other.digest}) == 3


def test_many_cost_no_more_statements_than_few(bank, loans):
    counted = []
    for some in (loans[:1], loans[1:]):
        with scope(bank.actor("vendor_manager")) as actor:
            with CaptureQueriesContext(connection) as captured:
                holds.open_many(
                    actor=actor,
                    loan_ids=[loan.pk for loan in some],
                    kind="litigation",
                    reason="Sued",
                )
            counted.append(len(captured))
    assert counted[0] == counted[1]
