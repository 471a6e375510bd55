"""Recalls in two steps: announced after a preview, objected to, decided, final in time."""

import datetime

import pytest
from django.db import DatabaseError, transaction

from agencies.scope import scope
from config import clock as clocks
from config import errors
from portfolios.models import Loan, Objection, PlacedLoan, Placement, Recall, RecalledLoan
from portfolios.services import objections, placements, promises, recalls, rules
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


class Setting:
    """A placement of five loans, `a` to `e`: on `a` a promise, on `b` a payment of today."""

    def __init__(self, clock):
        clock.set(NOON)
        self.clock = clock
        self.bank, self.house = world.make_bank(), world.make_agency()
        world.join_panel(self.bank, self.house)
        self.portfolio = world.make_portfolio(
            self.bank, balances_minor=[10_00, 20_00, 30_00, 40_00, 50_00]
        )
        self.placement = world.place(self.bank, self.house, self.portfolio)
        with scope(self.bank.actor("auditor")):
            self.loans = list(Loan.objects.order_by("balance_minor"))
        a, b, *_rest = self.loans
        with scope(self.house.actor()) as actor:
            promises.log(
                actor=actor, loan_id=a.pk, amount_minor=5_00, due_on=NOON.date() + 20 * DAY
            )
        world.recover(self.bank, self.house, b, 5_00, value_on=NOON.date(), confirmed=False)

    def preview(self, *loans, **given):
        names = [loan.reference for loan in loans] or None
        with scope(self.bank.actor("vendor_manager")) as actor:
            return recalls.preview(
                actor=actor, placement_id=self.placement.pk, references=names, **given
            )

    def announce(self, *loans, days=14) -> Recall:
        digest = self.preview(*loans).digest
        names = [loan.reference for loan in loans] or None
        with scope(self.bank.actor("vendor_manager")) as actor:
            return recalls.announce(
                actor=actor,
                placement_id=self.placement.pk,
                references=names,
                reason="Rotation",
                digest=digest,
                notice_days=days,
            )

    def object_to(self, recall, *loans, kind="visit_booked"):
        with scope(self.house.actor("collector")) as actor:
            names = [loan.reference for loan in loans]
            return objections.submit(
                actor=actor, recall_id=recall.pk, kind=kind, references=names, note="Friday"
            )

    def finalise(self) -> int:
        with scope(self.bank.sweep) as actor:
            return recalls.finalise_due(actor=actor)

    def held(self) -> list[int]:
        """Balances of the loans that the agency still sees."""
        with scope(self.house.actor()):
            return list(
                Loan.objects.order_by("balance_minor").values_list("balance_minor", flat=True)
            )

    def objections(self) -> list[tuple]:
        with scope(self.bank.actor("auditor")):
            rows = Objection.objects.order_by("loan__balance_minor")
            return list(rows.values_list("loan__balance_minor", "kind", "state", "is_automatic"))


@pytest.fixture
def setting(clock):
    return Setting(clock)


def refused(code: str, function, **given):
    with pytest.raises(errors.DomainError) as caught:
        function(**given)
    assert caught.value.code == code
    return True


def test_the_preview_says_what_goes_what_stays_and_what_is_skipped(setting):
    a, b, c, *_rest = setting.loans
    setting.announce(c)
    whole = setting.preview()
    assert (whole.loan_count, whole.balance_minor, whole.currency) == (4, 120_00, "USD")
    assert [(one.reference, one.code) for one in whole.skipped] == [(c.reference, "RECALL_PENDING")]
    assert sorted((one.reference, one.code) for one in whole.kept) == [
        (a.reference, "PROMISE_OPEN"),
        (b.reference, "RECENT_PAYMENT"),
    ]
    with scope(setting.bank.actor("vendor_manager")) as actor:
        named = recalls.preview(
            actor=actor,
            placement_id=setting.placement.pk,
            references=[a.reference, "NO-SUCH"],
            is_immediate=True,
        )
    assert (named.loan_count, list(named.kept)) == (1, [])
    assert [one.code for one in named.skipped] == ["NOT_IN_PLACEMENT"]


def test_an_announced_recall_takes_nothing_until_its_day(setting):
    recall = setting.announce(days=14)
    assert (recall.is_whole, recall.loan_count, recall.balance_minor) == (True, 5, 150_00)
    assert recall.final_at == NOON + 14 * DAY
    assert setting.objections() == [
        (10_00, "promise_open", "accepted", True),
        (20_00, "recent_payment", "accepted", True),
    ]
    setting.clock.set(recall.final_at - datetime.timedelta(microseconds=1))
    assert setting.finalise() == 0
    assert setting.held() == [10_00, 20_00, 30_00, 40_00, 50_00]
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 1
    assert setting.finalise() == 0
    assert setting.held() == [10_00, 20_00]
    with scope(setting.bank.actor("auditor")):
        assert Placement.objects.get().state == "live"
        closed = PlacedLoan.objects.exclude(closed_at=None)
        assert set(closed.values_list("close_kind", "close_reason")) == {("recalled", "Rotation")}
        assert Recall.objects.get().state == "final"


def test_a_recall_of_the_whole_that_keeps_none_ends_the_placement(setting):
    for loan in setting.loans[:2]:
        with scope(setting.bank.actor("vendor_manager")) as actor:
            placements.recall_loans(
                actor=actor, placement_id=setting.placement.pk, loan_ids=[loan.pk], reason="Sold"
            )
    recall = setting.announce()
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 1
    assert setting.held() == []
    with scope(setting.bank.actor("auditor")):
        ended = Placement.objects.get()
        assert (ended.state, ended.close_reason) == ("recalled", "Rotation")


def test_the_bank_decides_what_the_data_do_not_show(setting):
    _a, _b, c, d, e = setting.loans
    recall = setting.announce(c, d, e)
    assert setting.object_to(recall, c, d) == 2
    assert setting.objections() == [
        (30_00, "visit_booked", "open", False),
        (40_00, "visit_booked", "open", False),
    ]
    with scope(setting.bank.actor("vendor_manager")) as actor:
        first, second = Objection.objects.order_by("loan__balance_minor")
        given = {"actor": actor, "objection_ids": [first.pk]}
        refused("REQUIRED", objections.decide, accept=True, reason=" ", **given)
        assert objections.decide(accept=True, reason="Let them go there", **given) == 1
        refused("DECIDED", objections.decide, accept=False, reason="No", **given)
        objections.decide(actor=actor, objection_ids=[second.pk], accept=False, reason="Too late")
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 1
    assert setting.held() == [10_00, 20_00, 30_00]


def test_an_undecided_objection_keeps_nothing(setting):
    _a, _b, c, *_rest = setting.loans
    recall = setting.announce(c)
    setting.object_to(recall, c)
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 1
    assert setting.held() == [10_00, 20_00, 40_00, 50_00]


def test_what_the_data_show_is_accepted_by_a_sweep_and_a_mere_claim_is_not(setting):
    _a, _b, c, d, _e = setting.loans
    recall = setting.announce(c, d)
    with scope(setting.house.actor()) as actor:
        promises.log(actor=actor, loan_id=c.pk, amount_minor=1, due_on=NOON.date() + 60 * DAY)
    setting.object_to(recall, c, d, kind="promise_open")
    with scope(setting.bank.sweep) as actor:
        assert objections.accept_shown(actor=actor) == 1
        assert objections.accept_shown(actor=actor) == 0
    assert setting.objections() == [
        (30_00, "promise_open", "accepted", True),
        (40_00, "promise_open", "open", False),
    ]


def test_the_bank_can_refuse_what_was_accepted_automatically(setting):
    a, *_rest = setting.loans
    recall = setting.announce(a)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        objection = Objection.objects.get()
        objections.decide(
            actor=actor, objection_ids=[objection.pk], accept=False, reason="It was fraud"
        )
        assert not RecalledLoan.objects.get().is_kept
    setting.clock.set(recall.final_at)
    setting.finalise()
    assert setting.held() == [20_00, 30_00, 40_00, 50_00]


def test_a_payment_keeps_a_loan_for_as_long_as_the_rules_say(setting):
    _a, b, *_rest = setting.loans
    setting.clock.set(NOON + 30 * DAY)
    assert [one.code for one in setting.preview(b).kept] == ["RECENT_PAYMENT"]
    setting.clock.set(NOON + 31 * DAY)
    assert list(setting.preview(b).kept) == []
    with scope(setting.bank.actor("vendor_manager")) as actor:
        rules.change(actor=actor, recent_payment_days=31, reason="Longer")
    assert [one.code for one in setting.preview(b).kept] == ["RECENT_PAYMENT"]


def test_the_preview_is_what_runs(setting):
    *_rest, d, e = setting.loans
    digest = setting.preview(d, e).digest
    with scope(setting.bank.actor("vendor_manager")) as actor:
        placements.recall_loans(
            actor=actor, placement_id=setting.placement.pk, loan_ids=[e.pk], reason="Sold"
        )
        given = {
            "actor": actor,
            "placement_id": setting.placement.pk,
            "references": [d.reference, e.reference],
            "reason": "Rotation",
        }
        refused("PLAN_CHANGED", recalls.announce, digest=digest, **given)
        refused("PLAN_CHANGED", recalls.recall_now, digest=digest, **given)
        assert not Recall.objects.exists()
        fresh = recalls.preview(
            actor=actor,
            placement_id=setting.placement.pk,
            references=given["references"],
            is_immediate=True,
        )
        assert recalls.recall_now(digest=fresh.digest, **given) == 1
    assert setting.held() == [10_00, 20_00, 30_00]


def test_a_withdrawn_recall_takes_nothing(setting):
    recall = setting.announce()
    with scope(setting.bank.actor("vendor_manager")) as actor:
        recalls.withdraw(actor=actor, recall_id=recall.pk, reason="A mistake")
        refused("NOT_PENDING", recalls.withdraw, actor=actor, recall_id=recall.pk, reason="Again")
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 0
    assert setting.held() == [10_00, 20_00, 30_00, 40_00, 50_00]
    assert refused("NOT_PENDING", lambda: setting.object_to(recall, setting.loans[2]))


def test_an_immediate_recall_settles_what_was_announced(setting):
    recall = setting.announce()
    with scope(setting.bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=setting.placement.pk, reason="At once")
    assert setting.held() == []
    setting.clock.set(recall.final_at)
    assert setting.finalise() == 0
    with scope(setting.bank.actor("auditor")):
        assert Recall.objects.get().state == "final"
        assert set(PlacedLoan.objects.values_list("close_reason", flat=True)) == {"At once"}


def test_a_strangers_objection_is_not_found_and_a_forged_acceptance_refused(setting):
    _a, _b, c, *_rest = setting.loans
    recall = setting.announce(c)
    rival = world.make_agency()
    world.join_panel(setting.bank, rival)
    query = """mutation($input: RecallObjectInput!) { recallObject(input: $input) {
        objectionCount errors { code } } }"""
    given = {"recallId": str(recall.pk), "loanReferences": [c.reference], "kind": "VISIT_BOOKED"}
    answer = over_http.ask(over_http.machine(rival), query, input=given)["recallObject"]
    absent = given | {"recallId": "019d0000-0000-7000-8000-00000000abcd"}
    nothing = over_http.ask(over_http.machine(rival), query, input=absent)["recallObject"]
    assert answer == nothing == {"objectionCount": None, "errors": [{"code": "NOT_FOUND"}]}
    with scope(setting.house.actor()):
        row = RecalledLoan.objects.get()
        assert RecalledLoan.objects.update(is_kept=True) == 0
        assert Recall.objects.update(state="withdrawn", settled_at=clocks.now()) == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Objection.objects.create(
                institution_id=row.institution_id,
                agency_id=row.agency_id,
                placement_id=row.placement_id,
                recalled_loan=row,
                spell_id=row.spell_id,
                loan_id=row.loan_id,
                kind="promise_open",
                state="accepted",
                made_at=clocks.now(),
                made_by="me",
                decided_at=clocks.now(),
                decision_reason="Forged",
            )


def test_both_sides_go_through_it_over_http(setting):
    _a, _b, c, d, _e = setting.loans
    manager, machine = (
        over_http.person(setting.bank, "vendor_manager"),
        over_http.machine(setting.house),
    )
    query = """query($placement: ID!, $names: [String!]) { recallPreview(placementId: $placement,
        loanReferences: $names) { loanCount balanceMinor digest skipped { code } } }"""
    names = [c.reference, d.reference, "NO-SUCH"]
    shown = over_http.ask(manager, query, placement=setting.placement.pk, names=names)
    plan = shown["recallPreview"]
    assert (plan["loanCount"], plan["balanceMinor"]) == (2, 70_00)
    assert plan["skipped"] == [{"code": "NOT_IN_PLACEMENT"}]
    made = over_http.do(
        manager,
        "recallAnnounce",
        "recall { id state loanCount finalAt }",
        placementId=setting.placement.pk,
        loanReferences=names,
        reason="Rotation",
        digest=plan["digest"],
    )
    assert made["errors"] == []
    assert made["recall"]["loanCount"] == 2
    assert made["recall"]["finalAt"] == (NOON + 14 * DAY).isoformat()
    seen = over_http.ask(machine, "{ recalls(first: 5) { edges { node { id reason } } } }")
    assert seen["recalls"]["edges"] == [
        {"node": {"id": made["recall"]["id"], "reason": "Rotation"}}
    ]
    done = over_http.do(
        machine,
        "recallObject",
        "objectionCount",
        recallId=made["recall"]["id"],
        loanReferences=[c.reference],
        kind="LEGAL_STEP",
        note="Filed on Monday",
    )
    assert done == {"objectionCount": 1, "errors": []}
    query = "{ objections(first: 5, state: OPEN) { edges { node { id kind loanReference } } } }"
    (edge,) = over_http.ask(manager, query)["objections"]["edges"]
    assert (edge["node"]["kind"], edge["node"]["loanReference"]) == ("LEGAL_STEP", c.reference)
    done = over_http.do(
        manager,
        "objectionsDecide",
        "decidedCount",
        objectionIds=[edge["node"]["id"]],
        accept=True,
        reason="Let it run",
    )
    assert done == {"decidedCount": 1, "errors": []}
