"""Rotation of the keys of encrypted fields: everything moves, nothing is lost, killed or not."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from agencies.scope import scope
from agencies.services import field_keys
from config import encryption
from portfolios.models import Borrower, LoanImport
from portfolios.services import file_parts, import_uploads
from tests import world
from tests.portfolios.test_recall import wait_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = {"k1": b"\1" * 32}, {"k2": b"\2" * 32}
BOTH = NEW | OLD
PEOPLE = 40
FILE = b"loan_reference,balance,rate,opened_on\nN-1,10.00,5,2024-01-01\n"


@pytest.fixture
def bank(settings):
    """Borrowers and a file that waits for its import, all under the old key."""
    settings.FIELD_KEYS = OLD
    made = world.make_bank()
    portfolio = world.make_portfolio(made, balances_minor=[100_00] * PEOPLE)
    with scope(made.actor("vendor_manager")) as actor:
        import_uploads.receive(
            actor=actor, portfolio_id=portfolio.pk, file_name="next.csv", file=io.BytesIO(FILE)
        )
    settings.FIELD_KEYS = BOTH
    return made


def plain(bank: world.Bank) -> list[tuple[str, str]]:
    """Everything in clear, by whatever keys there are."""
    with scope(bank.actor("vendor_manager")) as actor:
        people = [
            (encryption.reveal(one, "name"), encryption.reveal(one, "phone"))
            for one in Borrower.objects.order_by("pk")
        ]
        (kept,) = LoanImport.objects.filter(state=LoanImport.State.RECEIVED)
        return [*people, ("file", file_parts.open_kept(actor, kept).read())]


def counted() -> int:
    return sum(field_keys.left(connections["owner"]).values())


def test_every_encrypted_column_of_every_model_is_found():
    found = {str(place) for place in field_keys.places()}
    assert {
        "portfolios_borrower.national_id",
        "portfolios_loanfilepart.content",
        "portfolios_complaint.account",
        "portfolios_complaintintake.contact",
    } <= found
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select table_name || '.' || column_name from information_schema.columns"
            " where table_schema = 'public' and data_type = 'bytea'"
        )
        stored = {name for (name,) in cursor.fetchall()}
    assert found <= stored


def test_everything_comes_under_the_new_key_and_the_old_one_may_go(bank, settings, capsys):
    before = plain(bank)
    left = 2 * PEOPLE + 1
    with pytest.raises(CommandError, match=f"{left} values are under older keys"):
        call_command("rotate_field_keys", "--check")
    call_command("rotate_field_keys")
    told = capsys.readouterr().out
    assert f"portfolios_borrower.phone: {PEOPLE} of {PEOPLE}" in told
    assert "under the current key" in told
    call_command("rotate_field_keys", "--check")
    settings.FIELD_KEYS = NEW
    assert plain(bank) == before


def test_without_a_key_that_is_needed_nothing_is_touched(bank, settings):
    settings.FIELD_KEYS = NEW
    with pytest.raises(CommandError, match="does not have: k1"):
        call_command("rotate_field_keys")
    assert counted() == 2 * PEOPLE + 1


def test_what_somebody_writes_meanwhile_stays(bank):
    """The rotation has read a value that another is about to replace."""
    with scope(bank.actor("vendor_manager")):
        pk = Borrower.objects.order_by("pk").values_list("pk", flat=True)[PEOPLE // 2]
    rotation = threading.Thread(target=_in_thread, args=[lambda: call_command("rotate_field_keys")])
    with scope(bank.actor("vendor_manager")):
        person = Borrower.objects.get(pk=pk)
        person.phone = "+14155550199"
        person.save()
        rotation.start()
        wait_until_blocked()
    rotation.join(30)
    with scope(bank.actor("vendor_manager")):
        assert encryption.reveal(Borrower.objects.get(pk=pk), "phone") == "+14155550199"
    assert counted() == 0


def test_a_writer_that_knows_only_the_old_key_is_rotated_after(bank, settings):
    """Its value comes in while the rotation runs; it goes round until nothing is left."""
    written = []

    def write_once(place, count):
        if not written and place.column == "phone":
            settings.FIELD_KEYS = OLD
            with scope(bank.actor("vendor_manager")):
                person = Borrower.objects.order_by("pk").first()
                person.name = "Late Writer"
                person.save()
            settings.FIELD_KEYS = BOTH
            written.append(person.pk)

    field_keys.rotate(connections["owner"], write_once)
    assert counted() == 0
    settings.FIELD_KEYS = NEW
    assert ("Late Writer", world.PHONE) in plain(bank)


SLOWLY = """
import time
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from agencies.services import field_keys
settings.FIELD_KEYS = {"k2": bytes([2]) * 32, "k1": bytes([1]) * 32}
field_keys.BATCH_ROWS = 3
swap = field_keys._swap


def slowly(*given):
    time.sleep(0.05)
    return swap(*given)


field_keys._swap = slowly
call_command("rotate_field_keys")
"""


def test_killed_anywhere_it_goes_on_where_it_was(bank, settings, database_environment):
    before, left = plain(bank), counted()
    killed = 0
    while counted():
        process = subprocess.Popen(
            [sys.executable, "-c", SLOWLY],
            cwd=django_settings.BASE_DIR,
            env=os.environ | database_environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and counted() > left - 20:
            time.sleep(0.001)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait(30)
        left = counted()
        assert plain(bank) == before
    assert killed >= 2
    settings.FIELD_KEYS = NEW
    assert plain(bank) == before


def test_a_large_value_is_a_batch_of_its_own(bank, settings, monkeypatch):
    monkeypatch.setattr(field_keys, "BATCH_BYTES", 1)
    batches = []
    field_keys.rotate(connections["owner"], lambda place, count: batches.append(count))
    assert batches == [1] * (2 * PEOPLE + 1)


def test_the_application_cannot_do_it(bank):
    """Under row-level security it sees nothing, and some of these columns it may not change."""
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("update portfolios_loanfilepart set content = ''")
    assert sum(field_keys.left(connection).values()) == 0


def _in_thread(work) -> None:
    try:
        work()
    finally:
        connections.close_all()
