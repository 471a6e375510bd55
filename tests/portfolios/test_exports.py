"""Exports: rows of live loans alone, and none after access has ended, however far it has come."""

import contextlib
import csv
import datetime
import http.client
import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from agencies.models import AuditEntry, MachineClient
from agencies.scope import scope
from agencies.services import clients, panel, people
from config import dberrors, errors
from portfolios.models import Export, ExportPart, Loan
from portfolios.selectors import shown_exports
from portfolios.services import exports, placements
from tests import world
from tests.portfolios import over_http

PART = 3
LOANS = 10


class Setting:
    """A bank, two agencies, and a placement of ten loans with the first of them."""

    def __init__(self, loans: int = LOANS):
        self.bank, self.rival_bank = world.make_bank(), world.make_bank()
        self.house, self.rival = world.make_agency(), world.make_agency()
        self.membership = world.join_panel(self.bank, self.house)
        world.join_panel(self.bank, self.rival)
        made = world.make_portfolio(self.bank, balances_minor=[100_00 + n for n in range(loans)])
        self.placement = world.place(self.bank, self.house, made)

    def link(self, role: str = "collector") -> Export:
        with scope(self.house.actor(role)) as actor:
            return exports.ask(actor=actor, placement_id=self.placement.pk)

    def recall(self):
        with scope(self.bank.actor("vendor_manager")) as actor:
            placements.recall(actor=actor, placement_id=self.placement.pk, reason="Poor results")

    def suspend(self):
        with scope(self.bank.actor("compliance_officer")) as actor:
            panel.suspend(actor=actor, membership_id=self.membership.pk, reason="Licence expired")

    def deactivate(self):
        person = self.house.users["collector"]
        with scope(self.house.actor()) as actor:
            people.deactivate(actor=actor, user_id=person.pk, reason="Left the house")

    def counted(self) -> int:
        """How many rows have been written down as sent."""
        with scope(self.bank.actor("auditor")) as actor:
            return shown_exports(actor).get().row_count


@pytest.fixture
def setting(db, monkeypatch):
    monkeypatch.setattr(exports, "PART_ROWS", PART)
    return Setting()


def read(answer) -> list[dict]:
    content = b"".join(answer.streaming_content).decode()
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content[1:])))


def test_an_agency_takes_its_loans_with_it_masked_and_the_bank_knows(setting):
    collector = over_http.person(setting.house, "collector")
    asked = collector.post(f"/placements/{setting.placement.pk}/export/")
    assert asked.status_code == 302
    answer = collector.get(asked.url)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    rows = read(answer)
    assert [row["balance"] for row in rows] == [f"100.{n:02}" for n in range(LOANS)]
    assert list(rows[0]) == [
        *("reference", "currency", "balance", "rate_per_cent", "opened_on", "last_payment_on"),
        *("days_past_due", "region", "grade", "is_on_hold"),
        *("name", "phone", "email", "address", "national_id"),
    ]
    assert (rows[0]["name"][:4], rows[0]["phone"]) == ("B•••", "••• 100")
    assert rows[0]["rate_per_cent"] == "12.0"
    with scope(setting.bank.actor("auditor")) as actor:
        (export,) = shown_exports(actor)
        assert (export.row_count, export.actor_label) == (
            LOANS,
            setting.house.actor("collector").label,
        )
        parts = list(export.parts.order_by("number").values_list("row_count", "is_last"))
        assert parts == [(3, False), (3, False), (3, False), (1, True)]
        entry = AuditEntry.objects.get(action="placement.export")
        assert (entry.object_id, entry.changes) == (setting.placement.pk, {"columns": 15})
    with scope(setting.rival_bank.actor("auditor")):
        assert not Export.objects.exists()
        assert not ExportPart.objects.exists()


def test_a_link_is_one_persons_once_and_for_five_minutes(setting, clock):
    clock.set(datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC))
    setting = Setting()
    export = setting.link()
    path = f"/exports/{export.pk}/loans.csv"
    absent = f"/exports/{setting.placement.pk}/loans.csv"
    collector = over_http.person(setting.house, "collector")
    nothing = collector.get(absent)
    assert nothing.status_code == 404
    for stranger in (
        over_http.person(setting.house, "agency_administrator"),
        over_http.person(setting.rival, "collector"),
        over_http.machine(setting.house),
    ):
        assert stranger.get(path).status_code == 404
    assert over_http.person(setting.bank, "vendor_manager").get(path).status_code == 403
    assert Client().get(path).status_code == 302
    assert setting.counted() == 0
    assert len(read(collector.get(path))) == LOANS
    used = collector.get(path)
    assert (used.status_code, "used already" in used.content.decode()) == (410, True)
    late = setting.link()
    clock.advance(minutes=5)
    gone = collector.get(f"/exports/{late.pk}/loans.csv")
    assert (gone.status_code, "has expired" in gone.content.decode()) == (410, True)


@pytest.mark.parametrize("how", ["recall", "suspend", "deactivate"])
def test_what_is_over_is_gone_also_by_a_link_that_was_not_used(setting, how):
    export = setting.link()
    collector = over_http.person(setting.house, "collector")
    getattr(setting, how)()
    answer = collector.get(f"/exports/{export.pk}/loans.csv")
    assert answer.status_code == (302 if how == "deactivate" else 410)
    assert setting.counted() == 0


@pytest.mark.parametrize("how", ["recall", "suspend", "deactivate", "expire"])
def test_an_open_export_is_cut_short_when_access_ends(setting, clock, how):
    export = setting.link()
    collector = over_http.person(setting.house, "collector")
    answer = collector.get(f"/exports/{export.pk}/loans.csv")
    parts = iter(answer.streaming_content)
    first = next(parts).decode()
    assert first.count("\r\n") == PART + 1
    if how == "expire":
        clock.set(setting.placement.ends_at)
    else:
        getattr(setting, how)()
    with pytest.raises(exports.CutShort):
        next(parts)
    assert setting.counted() == PART
    with scope(setting.bank.actor("auditor")):
        assert not ExportPart.objects.filter(is_last=True).exists()


def test_a_single_loan_taken_back_is_in_no_later_part(setting):
    export = setting.link()
    with scope(setting.house.actor("collector")) as actor:
        loans = list(Loan.objects.order_by("pk"))
    parts = exports.rows(actor=actor, export=export)
    sent = next(parts)
    with scope(setting.bank.actor("vendor_manager")) as manager:
        placements.recall_loans(
            actor=manager,
            placement_id=setting.placement.pk,
            loan_ids=[loans[1].pk, loans[5].pk],
            reason="Paid at branch",
        )
    sent += [row for part in parts for row in part]
    assert [row["reference"] for row in sent] == [
        loan.reference for place, loan in enumerate(loans) if place != 5
    ]


def test_a_machine_takes_its_loans_through_a_link_of_graphql(setting):
    machine = over_http.machine(setting.house)
    made = over_http.do(
        machine,
        "placementExport",
        "export { url rowCount requestedBy }",
        placementId=setting.placement.pk,
    )
    assert made["errors"] == []
    export = made["export"]
    assert (export["rowCount"], export["requestedBy"]) == (0, "Dialler")
    first = iter(machine.get(export["url"]).streaming_content)
    next(first)
    with scope(setting.house.actor()) as actor:
        clients.disable(actor=actor, machine_client_id=MachineClient.objects.get().pk)
    with pytest.raises(exports.CutShort):
        next(first)


def test_nobody_exports_what_is_not_theirs_or_over(setting):
    for outsider in (setting.rival.actor(), setting.house.actor()):
        if outsider.agency_id == setting.house.agency.pk:
            setting.recall()
        with scope(outsider) as actor, pytest.raises(errors.NotFound):
            exports.ask(actor=actor, placement_id=setting.placement.pk)
    with scope(setting.bank.actor("vendor_manager")) as actor, pytest.raises(errors.NotAllowed):
        exports.ask(actor=actor, placement_id=setting.placement.pk)
    with scope(setting.bank.actor("auditor")):
        assert not Export.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_part_that_is_being_read_is_waited_for_and_the_next_is_refused():
    setting = Setting(loans=2)
    export = setting.link()
    with scope(setting.house.actor("collector")) as actor:
        pass
    in_part, may_commit = threading.Event(), threading.Event()

    def read_slowly():
        with scope(actor):
            exports._write_down(export, 0, [], False)
            in_part.set()
            assert may_commit.wait(20)

    reader = threading.Thread(target=read_slowly)
    reader.start()
    assert in_part.wait(20)
    recall = threading.Thread(target=setting.recall)
    recall.start()
    recall.join(0.5)
    assert recall.is_alive()
    may_commit.set()
    reader.join(20)
    recall.join(20)
    with pytest.raises(errors.NotFound), dberrors.translated(), scope(actor):
        exports._write_down(export, 1, [], True)


def many_loans(bank: world.Bank, count: int):
    """A portfolio of as many loans, without borrowers."""
    made = world.make_portfolio(bank, balances_minor=[100_00])
    with scope(bank.actor("vendor_manager")):
        like = Loan.objects.get(portfolio=made)
        Loan.objects.bulk_create(
            Loan(
                institution_id=like.institution_id,
                portfolio=made,
                loan_import_id=like.loan_import_id,
                reference=f"M-{number}",
                currency="USD",
                balance_minor=100_00,
                rate_ppm=0,
                opened_on=like.opened_on,
                days_past_due=100,
            )
            for number in range(count - 1)
        )
    return made


@contextlib.contextmanager
def served(environment: dict[str, str]) -> Iterator[int]:
    """The port of a real web server on the test's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _try in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_the_client_of_a_real_server_sees_that_its_download_is_incomplete(database_environment):
    """Many parts, of which the recall lets a few through: the file that arrives has no end."""
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placement = world.place(bank, house, many_loans(bank, 10_000))
    collector = over_http.person(house, "collector")
    with scope(house.actor("collector")) as actor:
        whole, broken = (exports.ask(actor=actor, placement_id=placement.pk) for _ in range(2))
    with served(database_environment) as port:

        def follow(export: Export) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            cookies = "; ".join(f"{one.key}={one.value}" for one in collector.cookies.values())
            path = f"/exports/{export.pk}/loans.csv"
            connection.request("GET", path, headers={"Cookie": cookies})
            return connection.getresponse()

        assert follow(whole).read().count(b"\r\n") == 10_001
        answer = follow(broken)
        assert answer.status == 200
        answer.read(1_000)
        with scope(bank.actor("vendor_manager")) as manager:
            placements.recall(actor=manager, placement_id=placement.pk, reason="Poor results")
        with pytest.raises(http.client.IncompleteRead) as cut:
            answer.read()
    lines = cut.value.partial.count(b"\r\n")
    assert lines < 9_000
    with scope(bank.actor("auditor")) as actor:
        written = shown_exports(actor).get(pk=broken.pk).row_count
    assert lines <= written < 10_000
