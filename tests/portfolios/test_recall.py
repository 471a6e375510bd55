"""Access ends at the next statement after a recall or a suspension, and no write slips past it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import Error, connection, transaction

from agencies.models import AuditEntry, PanelMembership
from agencies.scope import scope
from agencies.services import panel
from config import clock, dberrors, errors
from portfolios import selectors
from portfolios.models import Contact, Loan, PlacedLoan, Placement, PlacementGrant
from portfolios.services import contacts, placements, promises, recalls, recoveries
from tests import world
from tests.portfolios import over_http

WALLED = (
    "loan",
    "borrower",
    "placement",
    "placedloan",
    "placementgrant",
    "contact",
    "promise",
    "recovery",
    "reversal",
    "confirmation",
    "portfolio",
    "loanimport",
    "hold",
    "recall",
    "recalledloan",
    "objection",
    "placementrules",
    "directpayment",
)
VISIBLE = (
    selectors.visible_placements,
    selectors.visible_loans,
    selectors.visible_borrowers,
    selectors.visible_spells,
    selectors.visible_contacts,
    selectors.visible_promises,
    selectors.visible_recoveries,
    selectors.visible_reversals,
    selectors.visible_confirmations,
    selectors.visible_recalls,
    selectors.visible_recalled_loans,
    selectors.visible_objections,
)
WRITERS = 6
WAIT_SECONDS = 20


class World:
    """A bank, an agency with two loans in one placement, and how access to them can end."""

    def __init__(self):
        self.bank, self.house = world.make_bank(), world.make_agency()
        self.membership = world.join_panel(self.bank, self.house)
        self.portfolio = world.make_portfolio(self.bank, balances_minor=[100_00, 200_00])
        self.placement = world.place(self.bank, self.house, self.portfolio)
        with scope(self.bank.actor("vendor_manager")):
            self.loans = list(Loan.objects.order_by("reference"))

    def act(self, actor, loan) -> Contact:
        return contacts.log(
            actor=actor,
            loan_id=loan.pk,
            measure="notice",
            channel="letter",
            direction="outbound",
            outcome="done",
            happened_at=clock.now(),
        )

    def announce(self):
        """A recall of the first loan, which the promise on it keeps."""
        with scope(self.bank.actor("vendor_manager")) as actor:
            given = {
                "actor": actor,
                "placement_id": self.placement.pk,
                "references": [self.loans[0].reference],
            }
            digest = recalls.preview(**given).digest
            recalls.announce(**given, reason="Rotation", digest=digest)

    def recall(self, actor):
        placements.recall(actor=actor, placement_id=self.placement.pk, reason="Poor results")

    def recall_loans(self, actor):
        placements.recall_loans(
            actor=actor,
            placement_id=self.placement.pk,
            loan_ids=[loan.pk for loan in self.loans],
            reason="Sold",
        )

    def suspend(self, actor):
        panel.suspend(actor=actor, membership_id=self.membership.pk, reason="Licence expired")

    def ender(self, how: str):
        return self.bank.actor("compliance_officer" if how == "suspend" else "vendor_manager")


ENDINGS = ("recall", "recall_loans", "suspend")


def log_everything(setting: World):
    """One contact, promise and recovery on the first loan."""
    with scope(setting.house.actor()) as actor:
        loan = setting.loans[0]
        setting.act(actor, loan)
        today = clock.business_date(setting.bank.institution.time_zone)
        promises.log(actor=actor, loan_id=loan.pk, amount_minor=10_00, due_on=today)
        recoveries.log(
            actor=actor,
            idempotency_key="k1",
            rows=[
                {
                    "loan_reference": loan.reference,
                    "reference": "P-1",
                    "amount_minor": 40_00,
                    "value_on": today,
                    "channel": "card",
                }
            ],
        )


def counted_by_sql() -> dict[str, int]:
    """What the application's role reads of each table when no selector is asked."""
    found = {}
    with connection.cursor() as cursor:
        for name in WALLED:
            cursor.execute(f"select count(*) from portfolios_{name}")
            found[name] = cursor.fetchone()[0]
    return {name: count for name, count in found.items() if count}


@pytest.mark.django_db
@pytest.mark.parametrize("how", ENDINGS)
def test_nothing_is_left_to_read(how):
    setting = World()
    log_everything(setting)
    setting.announce()
    with scope(setting.house.actor()) as actor:
        assert [rows(actor).count() for rows in VISIBLE] == [1, 2, 2, 2, 1, 1, 1, 0, 0, 1, 1, 1]
        assert counted_by_sql() == {
            "placement": 1,
            "placementgrant": 1,
            "loan": 2,
            "borrower": 2,
            "placedloan": 2,
            "contact": 1,
            "promise": 1,
            "recovery": 1,
            "recall": 1,
            "recalledloan": 1,
            "objection": 1,
        }
        # The very next statement of the agency's own transaction.
        with scope(setting.ender(how)) as ender:
            getattr(setting, how)(ender)
        kept = {"placement": 1, "placementgrant": 1, "recall": 1}
        left = kept if how == "recall_loans" else {}
        assert counted_by_sql() == left
        assert sum(rows(actor).count() for rows in VISIBLE) == 2 * left.get("placement", 0)
        # The trail about the placement goes with it.
        about = AuditEntry.objects.filter(placement_id=setting.placement.pk)
        assert about.exists() == (how == "recall_loans")
    with scope(setting.bank.actor("auditor")):
        assert Contact.objects.count() == 1
        assert AuditEntry.objects.filter(action="recovery.log").count() >= 1


@pytest.mark.django_db
@pytest.mark.parametrize("how", ENDINGS)
def test_nothing_can_be_written_any_more(how):
    setting = World()
    loan = setting.loans[0]
    with scope(setting.bank.actor("auditor")):
        spell = PlacedLoan.objects.get(loan=loan)
    with scope(setting.ender(how)) as ender:
        getattr(setting, how)(ender)
    with scope(setting.house.actor()) as actor:
        with pytest.raises(errors.NotFound):
            setting.act(actor, loan)
        with pytest.raises(errors.NotFound):
            promises.log(actor=actor, loan_id=loan.pk, amount_minor=1, due_on=loan.opened_on)
        with pytest.raises(Error), transaction.atomic():
            Contact.objects.create(
                institution_id=spell.institution_id,
                agency_id=spell.agency_id,
                placement_id=spell.placement_id,
                spell=spell,
                loan_id=spell.loan_id,
                logged_at=clock.now(),
                logged_by="me",
                measure="notice",
                channel="letter",
                direction="outbound",
                outcome="done",
                happened_at=clock.now(),
            )
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "insert into portfolios_placementgrant (placement_id, group_id, permission_id)"
                " select %s, %s, id from auth_permission where codename = 'work_placement'",
                [spell.placement_id, setting.house.agency.group_id],
            )
        Placement.objects.filter(pk=spell.placement_id).update(title="Mine")
        Loan.objects.filter(pk=loan.pk).update(placement=spell.placement_id)
        PanelMembership.objects.filter(pk=setting.membership.pk).update(licence_number="L-2")
    with scope(setting.bank.actor("auditor")):
        assert not Contact.objects.exists()
        assert Placement.objects.get().title == setting.placement.title
        assert PanelMembership.objects.get().licence_number == "L-1"


@pytest.mark.django_db
def test_nothing_is_left_over_http():
    setting = World()
    client = over_http.machine(setting.house)
    query = (
        "query($loan: ID!, $placement: ID!) { loan(id: $loan) { reference }"
        " placement(id: $placement) { title } loans(first: 5) { totalCount } }"
    )
    named = {"loan": setting.loans[0].pk, "placement": setting.placement.pk}
    before = over_http.ask(client, query, **named)
    assert before["loan"] == {"reference": setting.loans[0].reference}
    manager = over_http.person(setting.bank, "vendor_manager")
    recalled = over_http.do(
        manager,
        "placementRecall",
        "placement { state closeReason openCount }",
        placementId=setting.placement.pk,
        reason="Poor results",
    )
    assert recalled == {
        "placement": {"state": "RECALLED", "closeReason": "Poor results", "openCount": 0},
        "errors": [],
    }
    after = over_http.ask(client, query, **named)
    assert after == {"loan": None, "placement": None, "loans": {"totalCount": 0}}
    revealed = over_http.do(
        client,
        "borrowerReveal",
        "value",
        loanId=setting.loans[0].pk,
        field="name",
        reason="Call back",
    )
    assert revealed["errors"][0]["code"] == "NOT_FOUND"
    again = over_http.do(
        manager,
        "placementRecall",
        "placement { state }",
        placementId=setting.placement.pk,
        reason="Poor results",
    )
    assert again["errors"][0]["code"] == "NOT_LIVE"


@pytest.mark.django_db
def test_recalling_on_pages_wants_the_agencys_name_and_a_reason():
    setting = World()
    collector = over_http.person(setting.house, "collector")
    manager = over_http.person(setting.bank, "vendor_manager")
    place = f"/placements/{setting.placement.pk}/"
    assert collector.get(place).status_code == 200
    name = setting.house.agency.name
    for wrong in (
        {"confirmation": name, "reason": ""},
        {"confirmation": "yes", "reason": "Poor results"},
    ):
        assert manager.post(f"{place}recall/", wrong).status_code == 422
    gone = setting.loans[0].reference
    unknown = {"references": f"{gone} L-0-0", "reason": "Paid at branch"}
    answer = manager.post(f"{place}recall-loans/", unknown)
    assert answer.status_code == 422
    assert "L-0-0" in answer.content.decode()
    assert "of 2 placed" in collector.get(place).content.decode()
    assert "2 rows" in collector.get("/loans/").content.decode()

    single = {"references": gone, "reason": "Paid at branch"}
    assert manager.post(f"{place}recall-loans/", single).status_code == 302
    assert "1 row" in collector.get("/loans/").content.decode()
    given = {"confirmation": name, "reason": "Poor results"}
    assert collector.post(f"{place}recall/", given).status_code == 403
    assert manager.post(f"{place}recall/", given).status_code == 302
    for path in (place, f"/loans/{setting.loans[1].pk}/"):
        assert collector.get(path).status_code == 404
    assert "No placement yet" in collector.get("/placements/").content.decode()
    after = manager.get(place).content.decode()
    assert "Poor results" in after
    assert manager.post(f"{place}recall/", given).status_code == 409


@pytest.mark.django_db
def test_a_single_loan_goes_and_the_others_stay():
    setting = World()
    log_everything(setting)
    gone, kept = setting.loans
    manager = over_http.person(setting.bank, "vendor_manager")
    given = {"placementId": setting.placement.pk, "loanIds": [gone.pk], "reason": "Paid at branch"}
    wanted = "recalledCount placement { state openCount openMinor }"
    answer = over_http.do(manager, "loansRecall", wanted, **given)
    assert answer == {
        "recalledCount": 1,
        "placement": {"state": "LIVE", "openCount": 1, "openMinor": 200_00},
        "errors": [],
    }
    with scope(setting.house.actor()) as actor:
        assert [loan.pk for loan in selectors.visible_loans(actor)] == [kept.pk]
        assert counted_by_sql() == {
            "placement": 1,
            "placementgrant": 1,
            "loan": 1,
            "borrower": 1,
            "placedloan": 1,
        }
        with pytest.raises(errors.NotFound):
            setting.act(actor, gone)
        assert setting.act(actor, kept).loan_id == kept.pk
    with scope(setting.bank.actor("auditor")):
        spell = PlacedLoan.objects.get(loan=gone)
        assert spell.close_reason == "Paid at branch"
        gone.refresh_from_db()
        assert (gone.placement_id, gone.agency_id) == (None, None)
        entry = AuditEntry.objects.get(action="placement.recall_loans")
        assert entry.changes == {"loans": [str(gone.pk)]}
    # All of the named loans or none: one of them is not there any more.
    answer = over_http.do(manager, "loansRecall", wanted, **given | {"loanIds": [gone.pk, kept.pk]})
    assert answer["errors"][0]["code"] == "NOT_FOUND"
    with scope(setting.house.actor()) as actor:
        assert selectors.visible_loans(actor).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["recall", "recall_loans"])
def test_only_the_banks_vendor_manager_recalls_and_gives_a_reason(how):
    setting = World()
    for outsider in (setting.house.actor(), setting.bank.actor("finance_preparer")):
        with scope(outsider) as actor, pytest.raises(errors.NotAllowed):
            getattr(setting, how)(actor)
    stranger = world.make_bank().actor("vendor_manager")
    with scope(stranger) as actor, pytest.raises(errors.NotFound):
        getattr(setting, how)(actor)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput, match="REQUIRED"):
            placements.recall(actor=actor, placement_id=setting.placement.pk, reason="  ")
        assert PlacementGrant.objects.count() == 1
        assert Placement.objects.get().state == "live"
        assert not PlacedLoan.objects.exclude(closed_at=None).exists()
    with scope(setting.house.actor()) as actor:
        assert selectors.visible_loans(actor).count() == 2


def in_thread(work, *args):
    """Runs `work` with a database connection of its own, closed at the end."""
    try:
        return work(*args)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ENDINGS)
def test_no_writer_commits_after_access_has_ended(how):
    setting = World()
    started = threading.Barrier(WRITERS + 1)

    def write_until_refused(number: int) -> int:
        started.wait(WAIT_SECONDS)
        written = 0
        try:
            while True:
                with dberrors.translated(), scope(setting.house.actor()) as actor:
                    setting.act(actor, setting.loans[number % 2])
                written += 1
        except errors.NotFound:
            return written

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(in_thread, write_until_refused, n) for n in range(WRITERS)]
        started.wait(WAIT_SECONDS)
        wait_for_contacts(setting, WRITERS)
        with scope(setting.ender(how)) as actor:
            getattr(setting, how)(actor)
            # Still uncommitted, and every write that could come before it is there already.
            counted = Contact.objects.count()
        written = [writer.result(WAIT_SECONDS) for writer in writers]
    with scope(setting.bank.actor("auditor")):
        assert Contact.objects.count() == counted == sum(written)
    assert counted >= WRITERS


def wait_for_contacts(setting: World, at_least: int) -> None:
    pause = threading.Event()
    for _ in range(WAIT_SECONDS * 100):
        with scope(setting.bank.actor("auditor")):
            if Contact.objects.count() >= at_least:
                return
        pause.wait(0.01)
    pytest.fail("the writers wrote nothing")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ENDINGS)
def test_a_writer_that_began_before_is_waited_for(how):
    setting = World()
    wrote, may_commit = threading.Event(), threading.Event()

    def write_slowly():
        with scope(setting.house.actor()) as actor:
            setting.act(actor, setting.loans[0])
            wrote.set()
            assert may_commit.wait(WAIT_SECONDS)

    def end() -> int:
        with scope(setting.ender(how)) as actor:
            getattr(setting, how)(actor)
            return Contact.objects.count()

    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(in_thread, write_slowly)
        assert wrote.wait(WAIT_SECONDS)
        ending = pool.submit(in_thread, end)
        wait_until_blocked()
        assert not ending.done()
        may_commit.set()
        writer.result(WAIT_SECONDS)
        assert ending.result(WAIT_SECONDS) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ENDINGS)
def test_a_writer_that_comes_during_it_waits_and_is_refused(how):
    setting = World()

    def write():
        with dberrors.translated(), scope(setting.house.actor()) as actor:
            setting.act(actor, setting.loans[0])

    with ThreadPoolExecutor(1) as pool:
        with scope(setting.ender(how)) as actor:
            getattr(setting, how)(actor)
            writer = pool.submit(in_thread, write)
            wait_until_blocked()
            assert not writer.done()
        with pytest.raises(errors.NotFound):
            writer.result(WAIT_SECONDS)
    with scope(setting.bank.actor("auditor")):
        assert not Contact.objects.exists()


def wait_until_blocked() -> None:
    """Until some session of this database waits for a lock."""
    pause = threading.Event()
    for _ in range(WAIT_SECONDS * 50):
        with connection.cursor() as cursor:
            # Within a transaction the list of sessions stays as it was when first looked at.
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute(
                "select count(*) from pg_locks where not granted"
                " and pid in (select pid from pg_stat_activity"
                " where datname = current_database())"
            )
            if cursor.fetchone()[0]:
                return
        pause.wait(0.02)
    pytest.fail("nobody waits for a lock")
