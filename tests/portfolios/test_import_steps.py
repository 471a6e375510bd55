"""The steps of an import: each waits for the one before, and can be left without a trace."""

import datetime
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from marketplace.services import listings
from portfolios import tasks
from portfolios.mappings import MAPPINGS
from portfolios.models import (
    Borrower,
    ImportProblem,
    Loan,
    LoanFilePart,
    LoanImport,
    LoanMapping,
)
from portfolios.services import (
    import_checks,
    import_chunks,
    import_runs,
    imports,
    prepared_loans,
)
from tests import world
from tests.portfolios import over_http
from tests.portfolios.importing import (
    BAD,
    CHOSEN,
    GOOD,
    draft,
    file_of,
    left_out,
    receive,
    run,
    upload_of,
)

pytestmark = pytest.mark.django_db


def test_each_step_waits_for_the_one_before():
    bank = world.make_bank()
    portfolio = draft(bank)
    content = file_of(*GOOD, *BAD)
    with scope(bank.actor("vendor_manager")) as actor:
        made = receive(actor, portfolio, content)
        assert (made.state, made.mapping_name) == ("received", "standard")
        assert made.sha256 == hashlib.sha256(content).hexdigest()
        part = LoanFilePart.objects.get()
        assert b"A-1" not in bytes(part.content)
        with pytest.raises(errors.InvalidState, match="NOT_CHECKED"):
            imports.decide(actor=actor, import_id=made.pk, policy="good_rows_only")
        assert import_runs.move_on(actor=actor) == 0
        # Nothing of it is published meanwhile.
        with pytest.raises(errors.InvalidState, match="IMPORT_UNFINISHED"):
            listings.publish(
                actor=actor,
                portfolio_id=portfolio.pk,
                closes_at=datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC),
                highest_rate_ppm=100_000,
                term_days=30,
            )
        imports.choose_mapping(
            actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"], save_as="Ours"
        )
        assert LoanMapping.objects.get().name == "Ours"
        with pytest.raises(errors.InvalidState, match="NOT_WAITING"):
            imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        assert import_runs.move_on(actor=actor) == 1
        made.refresh_from_db()
        assert (made.state, made.rows_read, made.rows_good) == ("checked", 7, 2)
        assert made.good_minor == 2_000_50
        assert not Loan.objects.exists()
        assert len(left_out(actor, made).splitlines()) == 6
        with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
            imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
        imports.reopen(actor=actor, import_id=made.pk)
        assert AuditEntry.objects.filter(action="loans.reopen").count() == 1
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        import_runs.move_on(actor=actor)
        imports.decide(actor=actor, import_id=made.pk, policy="good_rows_only")
        assert import_runs.move_on(actor=actor) == 1
        made.refresh_from_db()
        assert (made.state, made.rows_imported, made.rows_good) == ("imported", 2, 2)
        with pytest.raises(errors.InvalidState, match="NOT_WAITING"):
            imports.cancel(actor=actor, import_id=made.pk)
        assert ImportProblem.objects.filter(is_warning=False).count() == len(BAD)


def test_what_the_database_refuses_while_the_next_rows_are_read_is_raised(monkeypatch):
    """Nothing of the chunk is written; called again without the fault, it goes on from there."""
    monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", 1)
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        run(actor, draft(bank, "Earlier"), file_of(GOOD[1]))
        made = receive(actor, portfolio, file_of(GOOD[0], GOOD[1].replace("A-2", "A-3")))
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        import_runs.move_on(actor=actor)
        imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
        lines = prepared_loans.prepare

        def taken(loan_import, numbers, columns):
            renamed = ["A-2" if name == "A-3" else name for name in columns["reference"]]
            return lines(loan_import, numbers, columns | {"reference": renamed})

        with monkeypatch.context() as patched:
            patched.setattr(prepared_loans, "prepare", taken)
            with pytest.raises(IntegrityError, match="loan_reference_once_per_institution"):
                import_runs.move_on(actor=actor)
        made.refresh_from_db()
        assert (made.state, made.rows_imported, made.last_row) == ("importing", 1, 2)
        assert set(portfolio.loans.values_list("reference", flat=True)) == {"A-1"}
        import_runs.move_on(actor=actor)
        assert set(portfolio.loans.values_list("reference", flat=True)) == {"A-1", "A-3"}


def test_many_warnings_hide_no_error(monkeypatch):
    monkeypatch.setattr(import_checks, "PROBLEMS_KEPT", 3)
    bank = world.make_bank()
    portfolio = draft(bank)
    doubtful = [f"D-{number},Ann,1,,,,10,0,2024-01-01,,," for number in range(9)]
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidInput) as refused:
            run(actor, portfolio, file_of(*doubtful, BAD[0]))
        assert (refused.value.code, refused.value.row) == ("BAD_ROWS", 11)
        made = run(actor, portfolio, file_of(*doubtful, BAD[1]), policy="good_rows_only")
        kept = ImportProblem.objects.filter(loan_import=made).order_by("row")
        assert list(kept.values_list("row", "is_warning")) == [
            (2, True),
            (3, True),
            (4, True),
            (11, False),
        ]


def test_a_page_left_open_decides_nothing_afterwards():
    bank = world.make_bank()
    portfolio = draft(bank)
    client = over_http.person(bank, "vendor_manager")
    choose = f"/portfolios/{portfolio.pk}/import/"
    kept = client.post(choose, {"file": upload_of(file_of(*GOOD, *BAD))})
    client.post(f"{kept.url}columns/", CHOSEN)
    tasks.move_imports()
    client.post(f"{kept.url}decide/", {"policy": "good_rows_only"})
    # A second window still shows the decision, or the columns.
    for step, given in (
        ("decide", {"policy": "all_or_nothing"}),
        ("decide", {"policy": "good_rows_only"}),
        ("columns", CHOSEN),
        ("columns", {}),
    ):
        answer = client.post(f"{kept.url}{step}/", given, follow=True)
        assert "This file is past that step already." in answer.content.decode()
    tasks.move_imports()
    with scope(bank.actor("vendor_manager")):
        assert LoanImport.objects.get().state == "imported"
        assert Loan.objects.count() == 2


def test_a_file_can_be_thrown_away_and_does_not_outlive_a_day(clock):
    bank, rival = world.make_bank(), world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        thrown = receive(actor, portfolio, file_of(*GOOD))
        old = receive(actor, portfolio, file_of(GOOD[0]))
    with scope(rival.actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        imports.cancel(actor=actor, import_id=thrown.pk)
    with scope(bank.actor("vendor_manager")) as actor:
        imports.cancel(actor=actor, import_id=thrown.pk)
        with pytest.raises(errors.NotAllowed):
            imports.cancel_old(actor=actor)

    def states():
        tasks.cancel_old_imports()
        tasks.move_imports()
        with scope(bank.actor("vendor_manager")):
            parts = set(LoanFilePart.objects.values_list("loan_import", flat=True))
            kept = LoanImport.objects.filter(state="received")
            assert parts == set(kept.values_list("pk", flat=True))
            return set(kept)

    assert states() == {old}
    clock.advance(hours=23)
    with scope(bank.actor("vendor_manager")) as actor:
        new = receive(actor, portfolio, file_of(GOOD[1]))
    assert states() == {old, new}
    clock.advance(hours=1)
    assert states() == {new}
    assert states() == {new}
    with scope(bank.actor("vendor_manager")) as actor:
        assert AuditEntry.objects.filter(action="loans.discard").count() == 2
        # What was thrown away may come again.
        receive(actor, portfolio, file_of(*GOOD))


def test_an_import_can_be_cancelled_halfway_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", 2)
    bank = world.make_bank()
    portfolio = draft(bank)
    rows = [f"H-{number},Ann,,,,ID{number},10,0,2024-01-01,,," for number in range(7)]
    with scope(bank.actor("vendor_manager")) as actor:
        before = run(actor, portfolio, file_of(*GOOD))

        def watch(loan_import):
            if loan_import.state == "importing" and loan_import.rows_imported == 4:
                assert Loan.objects.count() == 6
                imports.cancel(actor=actor, import_id=loan_import.pk)

        with pytest.raises(errors.InvalidInput, match="CANCELLED"):
            run(actor, portfolio, file_of(*rows), watch=watch)
        assert Loan.objects.count() == Borrower.objects.count() == 2
        assert set(Loan.objects.values_list("loan_import", flat=True)) == {before.pk}


def test_no_loan_goes_unless_its_import_is_being_undone():
    bank = world.make_bank()
    portfolio = draft(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        run(actor, portfolio, file_of(*GOOD))
        with connection.cursor() as cursor:
            cursor.execute("delete from portfolios_loan")
            assert cursor.rowcount == 0
            cursor.execute("delete from portfolios_borrower")
            assert cursor.rowcount == 0


def test_chunks_of_any_size_give_the_same_loans(monkeypatch):
    rows = [
        f"C-{number % 23},Ann,13{number:04},,,ID{number % 7},{number}.50,0,2024-01-01,,,"
        for number in range(40)
    ]
    found = set()
    for size in (1, 3, 7, 1000):
        monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", size)
        bank = world.make_bank()
        portfolio = draft(bank)
        with scope(bank.actor("vendor_manager")) as actor:
            made = run(actor, portfolio, file_of(*rows), policy="good_rows_only")
            loans = Loan.objects.order_by("reference").values_list("reference", "balance_minor")
            people = Borrower.objects.count()
            text = left_out(actor, made)
        assert made.rows_good == made.rows_imported
        found.add((tuple(loans), people, made.rows_read, made.balance_minor, text))
    assert len(found) == 1


@pytest.mark.django_db(transaction=True)
def test_one_file_sent_twice_at_once_is_kept_once():
    bank = world.make_bank()
    portfolio = draft(bank)
    together = threading.Barrier(2)

    def send() -> str:
        try:
            together.wait(20)
            with scope(bank.actor("vendor_manager")) as actor:
                receive(actor, portfolio, file_of(*GOOD))
            return "received"
        except errors.InvalidInput as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = [future.result(30) for future in [pool.submit(send) for _ in range(2)]]
    assert sorted(answers) == ["SAME_FILE", "received"]
    with scope(bank.actor("auditor")):
        assert LoanImport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_the_work_of_one(monkeypatch):
    monkeypatch.setattr(import_chunks, "ROWS_PER_CHUNK", 5)
    bank = world.make_bank()
    portfolio = draft(bank)
    rows = [f"W-{number},Ann,,,,,{number + 1},0,2024-01-01,,," for number in range(60)]
    with scope(bank.actor("vendor_manager")) as actor:
        made = receive(actor, portfolio, file_of(*rows))
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])

    def work() -> None:
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                import_runs.move_on(actor=bank.sweep)
                with scope(bank.actor("vendor_manager")) as actor:
                    state = LoanImport.objects.get().state
                    if state == "checked":
                        try:
                            imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
                        except errors.InvalidState:
                            continue
                    if state == "imported":
                        return
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work) for _ in range(2)]:
            future.result(40)
    with scope(bank.actor("auditor")):
        made = LoanImport.objects.get()
        assert (made.state, made.rows_imported, Loan.objects.count()) == ("imported", 60, 60)
        assert made.balance_minor == sum(range(1, 61)) * 100
