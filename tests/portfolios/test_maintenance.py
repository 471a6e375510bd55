"""The bank's daily news, from the file to what they change; each row's effect is done once."""

import datetime
import io

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import encryption, errors
from portfolios.mappings import MAINTENANCE_MAPPINGS, MAPPINGS
from portfolios.models import (
    Borrower,
    DirectPayment,
    Hold,
    ImportProblem,
    Loan,
    LoanFilePart,
    LoanImport,
    PlacementChange,
    Recovery,
)
from portfolios.services import borrowers, import_runs, import_uploads, imports, maintenance
from tests import world
from tests.portfolios import over_http
from tests.portfolios.maintaining import file_of, news, run

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)


@pytest.fixture
def manager(bank, clock):
    clock.set(NOON)
    return bank.actor("vendor_manager")


@pytest.fixture
def loans(bank, manager, placement):
    """Both loans of the placement and one that nobody holds."""
    world.make_portfolio(bank, balances_minor=[300_00])
    with scope(manager):
        return list(Loan.objects.order_by("reference"))


def open_holds() -> list[tuple[str, str, str]]:
    found = Hold.objects.filter(released_at=None).order_by("loan__reference", "opened_at")
    return list(found.values_list("loan__reference", "kind", "reason"))


def test_a_file_of_all_events_changes_what_it_says_and_tells_the_agency(
    bank, house, manager, loans
):
    one, two, free = (loan.reference for loan in loans)
    rows = [
        news(one, "balance", balance="90.00"),
        news(one, "payment", amount="15.00", value_date="2026-03-12", payment_reference="P-1"),
        news(one, "contact", phone="+1 212 555 0199", email="new@example.com"),
        news(one, "争议", note="Says it was paid in May"),
        news(two, "死亡"),
        news(free, "insolvency", note="Case 7 of 2026"),
        news(free, "plan"),
    ]
    made = run(manager, *rows)
    assert (made.kind, made.state, made.rows_imported) == ("maintenance", "imported", 7)
    assert made.outcome == {
        "balance": [1, 0],
        "direct_payment": [1, 0],
        "contact": [1, 0],
        "dispute": [1, 0],
        "deceased": [1, 0],
        "insolvent": [1, 0],
        "plan": [1, 0],
    }
    said = "Stated in the bank's file “news.csv”."
    with scope(manager) as actor:
        assert Loan.objects.get(reference=one).balance_minor == 90_00
        assert open_holds() == [
            (one, "dispute", "Says it was paid in May"),
            (two, "deceased", said),
            (free, "insolvent", "Case 7 of 2026"),
            (free, "plan", said),
        ]
        recovery = Recovery.objects.get()
        assert (recovery.amount_minor, recovery.agency_id) == (15_00, house.agency.pk)
        assert DirectPayment.objects.get().recovery_id == recovery.pk
        found = borrowers.look_up(
            actor=actor, field="phone", value="12125550199", reason="A call back"
        )
        assert [loan.reference for loan in found] == [one]
        person = Borrower.objects.get(loans__reference=one)
        assert encryption.reveal(person, "email") == "new@example.com"
        assert encryption.reveal(person, "name").startswith("Borrower")
        assert not LoanFilePart.objects.exists()
        audited = AuditEntry.objects.filter(action="borrower.correct").get()
        assert audited.changes == {"fields": ["email", "phone"]}
        steps = AuditEntry.objects.filter(action__startswith="maintenance.").order_by("at", "id")
        assert [entry.action.partition(".")[2] for entry in steps] == [
            "receive",
            "map",
            "check",
            "decide",
            "import",
        ]
    with scope(house.actor()):
        told = PlacementChange.objects.exclude(kind="placed").order_by("at", "id")
        assert sorted(told.values_list("reference", "kind", "detail", "note", "amount_minor")) == [
            (one, "balance_corrected", "", "", 90_00),
            (one, "contact_corrected", "", "", None),
            (one, "direct_payment", "", "P-1", 15_00),
            (one, "held", "dispute", "Says it was paid in May", None),
            (two, "held", "deceased", said, None),
        ]


def test_what_is_so_already_changes_nothing(manager, loans):
    one = loans[0].reference
    rows = [
        news(one, "balance", balance="90.00"),
        news(one, "payment", amount="15.00", value_date="2026-03-12", payment_reference="P-1"),
        news(one, "contact", phone="+1 212 555 0199"),
        news(one, "dispute"),
    ]
    run(manager, *rows)
    with scope(manager):
        before = [PlacementChange.objects.count(), Hold.objects.count(), Recovery.objects.count()]
    # The next day's file says it again, and one thing more.
    made = run(manager, *rows, news(one, "released", note="Settled with the court"))
    assert made.outcome == {
        "balance": [0, 1],
        "direct_payment": [0, 1],
        "contact": [0, 1],
        "dispute": [0, 1],
        "released": [1, 0],
    }
    with scope(manager):
        counts = [PlacementChange.objects.count(), Hold.objects.count(), Recovery.objects.count()]
        assert counts == [before[0] + 1, *before[1:]]
        assert Hold.objects.get().release_reason == "Settled with the court"
        assert not Loan.objects.get(reference=one).is_on_hold


def test_news_of_one_loan_count_in_the_order_of_their_rows(manager, loans):
    one, two, _free = (loan.reference for loan in loans)
    paid = {"amount": "1.00", "value_date": "2026-03-12"}
    made = run(
        manager,
        news(one, "dispute"),
        news(two, "released"),
        news(one, "released"),
        news(two, "dispute"),
        news(one, "balance", balance="80.00"),
        news(one, "balance", balance="70.00"),
        news(two, "payment", payment_reference="P-1", **paid),
        news(two, "payment", payment_reference="P-2", **paid),
    )
    assert made.outcome == {
        "dispute": [2, 0],
        "released": [1, 1],
        "balance": [2, 0],
        "direct_payment": [2, 0],
    }
    with scope(manager):
        assert [hold[:2] for hold in open_holds()] == [(two, "dispute")]
        assert Loan.objects.get(reference=one).balance_minor == 70_00


def test_nothing_owed_is_a_hold_of_the_test_of_eligibility(manager, loans):
    one = loans[0].reference
    run(manager, news(one, "balance", balance="0.00"))
    with scope(manager):
        assert [hold[:2] for hold in open_holds()] == [(one, "settled")]
    # What the test opened, the test releases: nothing is owed still.
    made = run(manager, news(one, "released"))
    assert made.outcome == {"released": [0, 1]}
    run(manager, news(one, "balance", balance="5.00"))
    with scope(manager):
        assert open_holds() == []


PAID = {"amount": "15.00", "value_date": "2026-03-12", "payment_reference": "P-1"}
WRONG = [
    ("L-0-0", "dispute", {}, "loan_reference", "UNKNOWN_LOAN"),
    ("", "balance", {"balance": "5.00"}, "loan_reference", "MISSING_VALUE"),
    ("ONE", "contact", {}, "", "NOTHING_TO_CHANGE"),
    ("ONE", "payment", {"amount": "1.00"}, "payment_reference", "MISSING_VALUE"),
    ("ONE", "payment", PAID | {"amount": "16.00"}, "payment_reference", "DUPLICATE_PAYMENT"),
    ("ONE", "payment", PAID | {"value_date": "2026-03-13"}, "value_date", "FUTURE_DATE"),
    ("ONE", "balance", {"balance": "100000000000.01"}, "balance", "AMOUNT_TOO_LARGE"),
    ("ONE", "dispute", {"note": "Card 4111 1111 1111 1111"}, "note", "CARD_NUMBER"),
    ("EURO", "balance", {"balance": "5.00"}, "loan_reference", "WRONG_CURRENCY"),
    ("THEIRS", "dispute", {}, "loan_reference", "UNKNOWN_LOAN"),
    ("NAMELESS", "contact", {"phone": "1"}, "loan_reference", "NOBODY_NAMED"),
]


def test_wrong_rows_are_told_left_out_and_sent_again(bank, manager, loans):
    other = world.make_bank()
    theirs = world.make_portfolio(other, balances_minor=[1_00])
    euro = world.make_portfolio(bank, balances_minor=[1_00, 2_00], currency="EUR")
    with scope(other.actor("auditor")):
        names = {"THEIRS": Loan.objects.get(portfolio=theirs).reference}
    with scope(manager):
        names["EURO"], names["NAMELESS"] = (
            Loan.objects.filter(portfolio=euro)
            .order_by("reference")
            .values_list("reference", flat=True)
        )
        Loan.objects.filter(reference=names["NAMELESS"]).update(borrower=None)
    names["ONE"] = loans[0].reference
    good = news(names["ONE"], "payment", **PAID)
    wrong = [news(names.get(name, name), event, **cells) for name, event, cells, *_ in WRONG]
    with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
        run(manager, good, *wrong)
    with scope(manager):
        assert not DirectPayment.objects.exists()
        assert not Hold.objects.exists()
    made = run(manager, good, *wrong, policy="good_rows_only")
    assert made.outcome == {"direct_payment": [1, 0]}
    with scope(manager) as actor:
        problems = ImportProblem.objects.filter(loan_import=made).order_by("row")
        assert list(problems.values_list("column", "code")) == [row[3:] for row in WRONG]
        # What belongs to another bank is told as what does not exist.
        unknown = problems.filter(code="UNKNOWN_LOAN").values_list("message", flat=True)
        assert len(unknown) == 2
        assert len(set(unknown)) == 1
        text = imports.left_out(actor=actor, import_id=made.pk).read().decode()
        assert len(text.splitlines()) == len(WRONG) + 1
        assert "4111" not in "".join(problems.values_list("value", flat=True))
        assert DirectPayment.objects.get().amount_minor == 15_00
    # A payment that was recorded otherwise is refused, also by another file.
    differing = news(names["ONE"], "payment", **PAID | {"amount": "16.00"})
    with pytest.raises(errors.InvalidInput, match="BAD_ROWS"):
        run(manager, differing)
    with scope(manager):
        last = ImportProblem.objects.order_by("-pk").first()
        assert (last.column, last.code, last.value) == ("payment_reference", "OTHER_PAYMENT", "P-1")
    # The same text is the same file, whatever it is called.
    with pytest.raises(errors.InvalidInput, match="SAME_FILE"):
        run(manager, good, *wrong, policy="good_rows_only")


def test_what_becomes_impossible_after_the_check_is_left_out_and_counted(manager, loans):
    one, two, _free = (loan.reference for loan in loans)
    rows = [news(one, "payment", **PAID), news(two, "dispute")]
    with scope(manager) as actor:
        made = import_uploads.receive_maintenance(
            actor=actor,
            currency="USD",
            file_name="slow.csv",
            file=io.BytesIO(file_of(*rows)),
        )
        imports.choose_mapping(
            actor=actor, import_id=made.pk, mapping=MAINTENANCE_MAPPINGS["standard"]
        )
    import_runs.move_on(actor=manager)
    # Meanwhile another file names the payment with another amount.
    run(manager, news(one, "payment", **PAID | {"amount": "16.00"}))
    with scope(manager) as actor:
        imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")
        # What news say cannot be taken back, so it cannot be stopped half-way either.
        with pytest.raises(errors.InvalidState, match="NOT_WAITING"):
            imports.cancel(actor=actor, import_id=made.pk)
    import_runs.move_on(actor=manager)
    with scope(manager):
        made.refresh_from_db()
        assert (made.state, made.rows_good, made.rows_imported) == ("imported", 2, 1)
        assert made.outcome == {"dispute": [1, 0]}
        assert DirectPayment.objects.get().amount_minor == 16_00


def test_a_mapping_is_for_one_kind_of_file(manager, loans):
    with scope(manager) as actor:
        made = import_uploads.receive_maintenance(
            actor=actor,
            currency="USD",
            file_name="news.csv",
            file=io.BytesIO(file_of(news(loans[0].reference, "dispute"))),
        )
        with pytest.raises(errors.InvalidInput, match="INVALID_MAPPING"):
            imports.choose_mapping(actor=actor, import_id=made.pk, mapping=MAPPINGS["standard"])
        with pytest.raises(errors.InvalidInput, match="UNKNOWN_CURRENCY"):
            import_uploads.receive_maintenance(
                actor=actor, currency="XXY", file_name="x.csv", file=io.BytesIO(b"a,b\n1,2\n")
            )


@pytest.mark.parametrize("rows_at_once", [1, 3])
def test_killed_between_chunks_it_does_everything_once(manager, loans, monkeypatch, rows_at_once):
    monkeypatch.setattr("portfolios.services.import_chunks.NEWS_PER_CHUNK", rows_at_once)
    rows = [
        news(loan.reference, "payment", **PAID | {"payment_reference": f"P-{number}-{place}"})
        for number in range(3)
        for place, loan in enumerate(loans)
    ]
    with scope(manager) as actor:
        made = import_uploads.receive_maintenance(
            actor=actor,
            currency="USD",
            file_name="news.csv",
            file=io.BytesIO(file_of(*rows)),
        )
        mapping = MAINTENANCE_MAPPINGS["standard"]
        imports.choose_mapping(actor=actor, import_id=made.pk, mapping=mapping)
    import_runs.move_on(actor=manager)
    with scope(manager) as actor:
        imports.decide(actor=actor, import_id=made.pk, policy="all_or_nothing")

    class Killed(BaseException):
        pass

    def kill(loan_import):
        raise Killed

    kills = 0
    while True:
        try:
            if not import_runs.move_on(actor=manager, watch=kill):
                break
        except Killed:
            kills += 1
    assert kills == 9 // rows_at_once + 1
    with scope(manager):
        made.refresh_from_db()
        assert made.outcome == {"direct_payment": [9, 0]}
        assert (made.state, made.rows_imported) == ("imported", 9)
        assert DirectPayment.objects.count() == 9


def test_an_error_of_ours_lets_others_go_first_and_is_tried_again(
    bank, manager, loans, monkeypatch
):
    one, two, _free = (loan.reference for loan in loans)
    made = []
    for reference in (one, two):
        with scope(manager) as actor:
            file = io.BytesIO(file_of(news(reference, "dispute")))
            received = import_uploads.receive_maintenance(
                actor=actor, currency="USD", file_name="news.csv", file=file
            )
            mapping = MAINTENANCE_MAPPINGS["standard"]
            imports.choose_mapping(actor=actor, import_id=received.pk, mapping=mapping)
        import_runs.move_on(actor=manager, import_id=received.pk)
        with scope(manager) as actor:
            imports.decide(actor=actor, import_id=received.pk, policy="all_or_nothing")
        made.append(received)
    apply = maintenance.apply

    def break_for_the_first(actor, loan_import, batch):
        if loan_import.pk == made[0].pk:
            raise RuntimeError("a mistake of ours")
        return apply(actor, loan_import, batch)

    def states() -> list[str]:
        with scope(manager):
            for one in made:
                one.refresh_from_db()
            return [one.state for one in made]

    monkeypatch.setattr(maintenance, "apply", break_for_the_first)
    with pytest.raises(RuntimeError):
        import_runs.move_on(actor=bank.sweep)
    assert states() == ["importing", "importing"]
    page = over_http.person(bank, "vendor_manager").get(f"/imports/{made[0].pk}/").content.decode()
    assert "This is not going on as it should" in page
    assert "a mistake of ours" not in page
    with pytest.raises(RuntimeError):
        import_runs.move_on(actor=bank.sweep)
    assert states() == ["importing", "imported"]
    monkeypatch.setattr(maintenance, "apply", apply)
    assert import_runs.move_on(actor=bank.sweep) == 1
    assert states() == ["imported", "imported"]
    with scope(manager):
        assert [hold[0] for hold in open_holds()] == [one, two]
        assert not LoanImport.objects.exclude(stumbled_at=None).exists()
