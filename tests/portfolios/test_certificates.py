"""Deletion certificates: owed after the end, given once, and believed only as they were signed."""

import hashlib
import json
import re

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from frontend import work
from portfolios import certificates as documents
from portfolios.models import Certificate, Loan
from portfolios.services import certificates, exports
from tests.portfolios import over_http
from tests.portfolios.test_exports import LOANS, Setting

SAID = "Deleted from the dialler and its backups"


@pytest.fixture
def setting(db):
    """Two exports, one of them by an administrator, of a placement that is over."""
    made = Setting()
    for role in ("collector", "agency_administrator"):
        with scope(made.house.actor(role)) as actor:
            link = exports.ask(actor=actor, placement_id=made.placement.pk)
        list(exports.rows(actor=actor, export=link))
    with scope(made.house.actor()) as actor:
        made.loans = list(Loan.objects.values_list("pk", flat=True))
        unused = exports.ask(actor=actor, placement_id=made.placement.pk)
        assert certificates.over(actor).count() == 0
    made.unused = unused
    return made


def reminders(actor) -> list[int]:
    """How many certificates the home page of this actor says are owed."""
    with scope(actor):
        return [item.count for item in work.of(actor) if item.url == "/certificates/"]


def test_one_is_owed_from_the_recall_on_until_it_is_given(setting):
    sides = [setting.house.actor(), setting.bank.actor("vendor_manager")]
    assert [reminders(side) for side in sides] == [[], []]
    setting.recall()
    assert [reminders(side) for side in sides] == [[1], [1]]
    assert reminders(setting.rival.actor()) == []
    assert reminders(setting.rival_bank.actor("vendor_manager")) == []
    with scope(setting.house.actor()) as actor:
        made = certificates.attest(
            actor=actor, placement_id=setting.placement.pk, statement=f" {SAID} "
        )
    assert [reminders(side) for side in sides] == [[], []]
    document = json.loads(made.document)
    digests = [documents.digest_of(settings.BLIND_INDEX_KEY, pk) for pk in setting.loans]
    assert document["merkle_root"] == documents.root(digests).hex()
    assert (document["row_count"], document["loan_count"]) == (2 * LOANS, LOANS)
    assert [export["by"] for export in document["exports"]] == [
        setting.house.actor("collector").label,
        setting.house.actor("agency_administrator").label,
    ]
    assert document["statement"] == SAID
    assert document["fields"] == sorted(exports.FIELDS)
    with scope(setting.bank.actor("auditor")):
        entry = AuditEntry.objects.get(action="certificate.attest")
        assert (str(entry.pk), entry.reason) == (document["audit_entry"], SAID)
        assert Certificate.objects.get().document == made.document


def test_it_is_refused_before_the_end_twice_and_by_everybody_else(setting):
    given = {"placement_id": setting.placement.pk, "statement": SAID}
    with scope(setting.house.actor()) as actor, pytest.raises(errors.NotFound):
        certificates.attest(actor=actor, **given)
    setting.recall()
    for stranger in (setting.rival.actor(), setting.rival_bank.actor("vendor_manager")):
        with scope(stranger) as actor, pytest.raises((errors.NotFound, errors.NotAllowed)):
            certificates.attest(actor=actor, **given)
    for other in (setting.house.actor("collector"), setting.bank.actor("vendor_manager")):
        with scope(other) as actor, pytest.raises(errors.NotAllowed):
            certificates.attest(actor=actor, **given)
    with scope(setting.house.actor()) as actor:
        with pytest.raises(errors.InvalidInput):
            certificates.attest(actor=actor, **given | {"statement": " "})
        assert not Certificate.objects.exists()
        made = certificates.attest(actor=actor, **given)
        with pytest.raises(errors.InvalidState, match="ALREADY_CERTIFIED"):
            certificates.attest(actor=actor, **given)
        for change in (
            lambda: Certificate.objects.update(row_count=0),
            lambda: Certificate.objects.filter(pk=made.pk).delete(),
        ):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                change()


def test_what_was_never_exported_needs_none(setting, db):
    other = Setting()
    other.link()
    other.recall()
    assert reminders(other.house.actor()) == []
    with scope(other.house.actor()) as actor, pytest.raises(errors.NotFound):
        certificates.attest(actor=actor, placement_id=other.placement.pk, statement=SAID)


def test_it_is_given_on_its_page_kept_as_a_file_and_verified(setting, tmp_path, capsys):
    admin = over_http.person(setting.house, "agency_administrator")
    manager = over_http.person(setting.bank, "vendor_manager")
    place = f"/certificates/{setting.placement.pk}/"
    assert admin.get(place).status_code == 404
    setting.recall()
    shown = admin.get(place).content.decode()
    assert "20 rows in all" in shown
    assert "is still owed" in manager.get(place).content.decode()
    assert manager.post(place, {"statement": SAID, "is_destroyed": "on"}).status_code == 403
    assert admin.post(place, {"statement": SAID}).status_code == 422
    assert admin.get(f"{place}file/").status_code == 404
    assert admin.post(place, {"statement": SAID, "is_destroyed": "on"}).status_code == 302
    for reader in (admin, manager):
        assert SAID in reader.get(place).content.decode()
        assert "Certified" in reader.get("/certificates/").content.decode()
    for stranger in ("collector", "agency_administrator"):
        assert over_http.person(setting.rival, stranger).get(place).status_code == 404
    answer = manager.get(f"{place}file/")
    kept = tmp_path / "certificate.json"
    kept.write_bytes(answer.content)

    call_command("certificate_verify", kept)
    told = capsys.readouterr().out
    assert re.match(r"Valid: Agency \d+ attested on 20\d\d-\d\d-\d\d that 20 exported rows", told)
    public = documents.public_key(settings.CERTIFICATE_KEY).hex()
    call_command("certificate_verify", kept, "--public-key", public)
    for changed, why in (
        (kept.read_text().replace('"row_count": 20', '"row_count": 2'), "was changed"),
        (kept.read_text().replace("dialler", "dialer"), "was changed"),
        ("{}", "not a deletion certificate"),
        ("no JSON", "not a deletion certificate"),
    ):
        (tmp_path / "changed.json").write_text(changed)
        with pytest.raises(CommandError, match=why):
            call_command("certificate_verify", tmp_path / "changed.json")
    other = documents.public_key(b"\1" * 32).hex()
    for key, why in ((other, "another key"), ("12", "another key"), ("no", "64 hexadecimal")):
        with pytest.raises(CommandError, match=why):
            call_command("certificate_verify", kept, "--public-key", key)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("certificate_verify", tmp_path / "nothing.json")


def test_it_is_given_over_graphql(setting):
    setting.recall()
    admin = over_http.person(setting.house, "agency_administrator")
    given = {"placementId": setting.placement.pk, "statement": SAID}
    wanted = "certificate { rowCount attestedBy document signature keyId }"
    made = over_http.do(admin, "certificateAttest", wanted, **given)["certificate"]
    text = documents.file(made["document"], made["signature"], made["keyId"])
    key = documents.public_key(settings.CERTIFICATE_KEY)
    assert documents.verify(text, key)["row_count"] == made["rowCount"] == 20
    listed = "{ certificates(first: 5) { totalCount } exports(first: 5) { totalCount } }"
    manager = over_http.person(setting.bank, "vendor_manager")
    for client, counts in ((admin, (1, 3)), (manager, (1, 3))):
        found = over_http.ask(client, listed)
        assert tuple(one["totalCount"] for one in found.values()) == counts
    stranger = over_http.person(setting.rival, "agency_administrator")
    assert over_http.ask(stranger, listed)["exports"]["totalCount"] == 0
    again = over_http.do(admin, "certificateAttest", wanted, **given)
    assert again["errors"][0]["code"] == "ALREADY_CERTIFIED"


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = naive_root(leaves[:split]) + naive_root(leaves[split:])
    return hashlib.sha256(b"\1" + halves).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_root_is_that_of_the_standard_whatever_the_order_and_repetition(digests):
    assert documents.root(digests) == naive_root(sorted(set(digests)))
    assert documents.root([*reversed(digests), *digests]) == documents.root(digests)
    assert documents.split(b"".join(digests)) == digests
