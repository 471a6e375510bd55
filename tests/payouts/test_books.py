"""The books: right as the services leave them, and told apart from wrong, figure by figure.

The application cannot spoil a row that it may only add; the owner's role does it here.
"""

import contextlib
import io

import pytest
from django.core.management import CommandError, call_command

from agencies.scope import scope
from config import errors
from payouts import gateway
from payouts.models import CommissionEntry, Excess, Payout, PayoutAccount
from payouts.services import accounts, books, commissions, payouts
from payouts.simulator import server
from portfolios.models import Recovery
from tests import world
from tests.payouts import ledger

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stripe(settings):
    with server.running(":memory:", balances={"usd": 10_000_00}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_TIMEOUT_SECONDS = (2, 1)
        settings.STRIPE_MAX_RETRIES = 0
        yield running


@pytest.fixture
def paid(stripe, clock):
    """March is approved and its payout sent."""
    made = ledger.march(clock)
    with scope(made.bank.actor("finance_preparer")) as actor:
        accounts.request(actor=actor, membership_id=made.membership.pk)
    accounts.open_requested(made.bank.institution.pk)
    ledger.approved(made.bank)
    assert payouts.send_due(made.bank.institution.pk) == 1
    return made


def check(*options) -> tuple[int, list[str]]:
    """Exit status and lines of the command."""
    out = io.StringIO()
    try:
        call_command("check_books", *options, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def codes(*options) -> set[str]:
    status, lines = check(*options)
    assert status == 1
    return {line.split()[1] for line in lines}


def test_the_books_agree_with_themselves_and_with_stripe(paid):
    assert check("--stripe") == (0, ["The books of 2 institutions agree."])
    with scope(paid.bank.actor("auditor")) as actor:
        assert books.differences(actor=actor) == []
    with scope(paid.house.actor()) as actor, pytest.raises(errors.NotAllowed):
        books.differences(actor=actor)


def test_they_agree_after_everything_was_reversed_and_an_excess_accepted(paid):
    with scope(paid.bank.actor("finance_approver")) as actor:
        excess = Excess.objects.get()
        commissions.decide_excess(
            actor=actor, excess_id=excess.pk, accept=True, reason="Interest was owed too"
        )
        first, third = Recovery.objects.filter(reference__in=("A-1", "A-3")).order_by("reference")
    world.reverse(paid.bank, first, 299_99)
    world.reverse(paid.bank, first, 1)
    world.reverse(paid.bank, third, 30_00)
    with scope(paid.bank.sweep) as actor:
        assert commissions.accrue(actor=actor) == 3
        entries = CommissionEntry.objects.filter(recovery=first)
        assert sorted(entries.values_list("kind", "amount_minor")) == [
            ("accrual", 80_00),
            ("clawback", 0),
            ("clawback", 20_00),
            ("clawback", 60_00),
        ]
    assert check() == (0, ["The books of 2 institutions agree."])


SPOILED = {
    "STATEMENT_TOTAL": "update payouts_statement set total_minor = total_minor + 1",
    "STATEMENT_ENTRIES": "update payouts_statement set total_minor = total_minor + 1",
    "STATEMENT_LINES": "update payouts_statement set line_count = 7",
    "STATEMENT_CONTENT": "update payouts_statement set content_sha256 = repeat('0', 64)",
    "LINE_OF_ENTRY": "update payouts_statementline set base_minor = 1 where reference = 'A-2'",
    "LINE_OF_ANOTHER": "update payouts_statement set currency = 'EUR'",
    "ENTRY_AMOUNT": (
        "update payouts_commissionentry set amount_minor = amount_minor + 1 where kind = 'clawback'"
    ),
    "ENTRY_RATE": "update payouts_commissionentry set rate_ppm = 210000 where kind = 'accrual'",
    "ENTRY_BASE": "update payouts_commissionentry set base_minor = 1 where kind = 'clawback'",
    "RECOVERY_BASE": "update payouts_commissionentry set base_minor = 0 where kind = 'clawback'",
    "COUNTED_ABOVE_BALANCE": "update portfolios_placedloan set balance_minor = 100",
    "PAYOUT_AMOUNT": "update payouts_payout set amount_minor = amount_minor - 1",
    "PAYOUT_CURRENCY": "update payouts_payout set currency = 'EUR'",
    "PAYOUT_SUCCEEDED": "update payouts_payoutattempt set state = 'failed'",
    "PAYOUT_OPEN": "update payouts_payoutattempt set state = 'unknown'",
    "ATTEMPT_AMOUNT": "update payouts_payoutattempt set amount_minor = 1",
    "PAYOUT_UNAPPROVED": (
        "update payouts_statement set state = 'submitted', approved_by_id = null"
    ),
    "REVERSED_EARNS": (
        "update portfolios_reversal set amount_minor = 40000;"
        "update payouts_commissionentry set base_minor = 40000 where kind = 'clawback'"
    ),
}


BROKEN = {
    "PAYOUT_MISSING": "delete from payouts_payoutattempt; delete from payouts_payout",
    "ENTRY_TWICE": (
        "alter table payouts_statementline drop constraint payouts_statementline_entry_id_key;"
        "insert into payouts_statementline (id, institution_id, agency_id, statement_id, entry_id,"
        " kind, reference, value_on, base_minor, rate_ppm, amount_minor)"
        " select gen_random_uuid(), institution_id, agency_id, statement_id, entry_id,"
        " kind, reference, value_on, base_minor, rate_ppm, amount_minor"
        " from payouts_statementline where reference = 'A-2'"
    ),
}


@contextlib.contextmanager
def spoiled(owner, statements: list[str]):
    """The rows of the tables that are updated, changed and put back."""
    tables = {statement.split()[1] for statement in statements}
    for table in tables:
        owner.execute(f"create table kept_{table} as table {table}")
    for statement in statements:
        owner.execute(statement)
    yield
    for table in tables:
        names = owner.execute(f"select * from {table} limit 0").description
        columns = ", ".join(name.name for name in names)
        owner.execute(
            f"update {table} now set ({columns}) ="
            f" (select {columns} from kept_{table} kept where kept.id = now.id)"
        )
        owner.execute(f"drop table kept_{table}")


def test_every_figure_that_was_changed_is_told(paid, owner):
    for code, statements in SPOILED.items():
        with spoiled(owner, statements.split(";")):
            assert code in codes()
        assert check() == (0, ["The books of 2 institutions agree."])


@pytest.mark.parametrize("code", BROKEN)
def test_a_row_that_is_missing_or_twice_is_told(paid, owner, code):
    for statement in BROKEN[code].split(";"):
        owner.execute(statement)
    assert code in codes()


def test_one_line_names_the_bank_the_thing_and_both_figures(paid, owner):
    owner.execute("update payouts_payout set amount_minor = 7999")
    status, lines = check()
    with scope(paid.bank.actor("auditor")):
        payout, attempt = Payout.objects.get(), Payout.objects.get().attempts.get()
    slug = paid.bank.institution.slug
    assert (status, lines) == (
        1,
        [
            f"{slug}: PAYOUT_AMOUNT payout {payout.pk}: recorded 7999, computed 8000",
            f"{slug}: ATTEMPT_AMOUNT attempt {attempt.pk}:"
            " recorded (8000, 'USD'), computed (7999, 'USD')",
        ],
    )


def test_a_second_transfer_or_another_one_at_stripe_is_told(paid, stripe):
    with scope(paid.bank.actor("auditor")):
        payout, account = Payout.objects.get(), PayoutAccount.objects.get()
    gateway.create_transfer(
        idempotency_key="by-hand",
        amount_minor=1_00,
        currency="USD",
        destination=account.remote_id,
        transfer_group=payouts.transfer_group(payout.pk),
        description="By hand",
        metadata={},
    )
    assert check()[0] == 0
    assert codes("--stripe") == {"STRIPE_TRANSFERS", "STRIPE_TRANSFER"}


def test_money_sent_back_unseen_is_told(paid):
    with scope(paid.bank.actor("auditor")):
        payout = Payout.objects.get()
    transfer = gateway.retrieve_transfer(payout.remote_id)
    gateway.reverse_transfer(
        idempotency_key="by-hand", transfer=transfer, amount_minor=1_00, metadata={}
    )
    assert codes("--stripe") == {"STRIPE_TRANSFER"}


def test_a_transfer_of_a_payout_that_failed_here_is_told(paid, owner):
    owner.execute("update payouts_payout set state = 'failed', remote_id = '', paid_at = null")
    owner.execute("update payouts_payoutattempt set state = 'failed'")
    assert codes("--stripe") == {"STRIPE_TRANSFERS"}


def test_a_list_that_cannot_be_had_is_told(paid, stripe):
    stripe.add_fault("403", method="GET", path="/v1/transfers")
    assert codes("--stripe") == {"STRIPE_SILENT"}
