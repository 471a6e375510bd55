"""Pages of complaints: the queue, one case from both sides, and the form that tells nothing."""

import datetime
import re

import pytest
from django.test import Client

from agencies import actors
from agencies.models import AuditEntry
from agencies.scope import scope
from portfolios.models import Complaint, ComplaintIntake, Hold, Loan
from portfolios.services import complaints
from tests import world
from tests.portfolios.over_http import person, words

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
ACCOUNT = "He told my neighbour everything."
CARD = "4111 1111 1111 1111"


@pytest.fixture
def scene(clock):
    """Two agencies with two loans each; a complaint about each first loan."""
    clock.set(NOON)
    bank = world.make_bank("Hudson Bank")
    houses = [world.make_agency("Alder Recoveries"), world.make_agency("Birch Recoveries")]
    loans = []
    for house in houses:
        world.join_panel(bank, house)
        portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00])
        world.place(bank, house, portfolio)
        with scope(bank.actor("auditor")):
            loans.append(list(Loan.objects.filter(portfolio=portfolio).order_by("reference")))
    return bank, houses, loans


def open_one(bank, loan, severity="medium"):
    with scope(bank.actor("compliance_officer")) as actor:
        return complaints.open(
            actor=actor,
            loan_reference=loan.reference,
            category="disclosure",
            severity=severity,
            happened_on=NOON.date(),
            account=ACCOUNT,
            summary="Whom did you speak to?",
        )


def listed(client, query="") -> list[str]:
    """The references in the queue, in their order."""
    page = client.get(f"/complaints/{query}")
    assert page.status_code == 200
    return re.findall(r'<a href="/complaints/[0-9a-f-]{36}/">([^<]+)</a>', page.content.decode())


def test_the_queue_is_in_order_of_the_deadline_and_filters_by_address(scene, clock):
    bank, _houses, ((first, second), (third, _fourth)) = scene
    low = open_one(bank, first, severity="low")
    high = open_one(bank, second, severity="high")
    decided = open_one(bank, third, severity="high")
    with scope(bank.actor("compliance_officer")) as actor:
        complaints.decide(
            actor=actor,
            complaint_id=decided.pk,
            outcome="upheld",
            is_agency_at_fault=True,
            reason="The recording proves it.",
        )
    clock.advance(days=7)
    officer = person(bank, "compliance_officer")
    assert listed(officer) == [second.reference, first.reference, third.reference]
    assert listed(officer, "?state=overdue") == [second.reference]
    assert listed(officer, "?state=decided") == [third.reference]
    assert listed(officer, "?severity=low") == [first.reference]
    assert listed(officer, f"?agency={decided.agency_id}") == [third.reference]
    assert listed(officer, "?sort=-due_on")[0] == first.reference
    page = words(officer.get("/complaints/"))
    assert "2 days overdue 7 Mar 2026" in page
    assert "in 8 days 17 Mar 2026" in page
    assert (low.due_on, high.due_on) == (datetime.date(2026, 3, 17), datetime.date(2026, 3, 7))
    assert "1 complaint overdue" in words(officer.get("/"))


def test_an_agency_is_shown_its_own_alone_and_never_the_complainants_words(scene):
    bank, (first, second), ((loan, _other), (rivals, _last)) = scene
    mine, theirs = open_one(bank, loan), open_one(bank, rivals)
    collector = person(first, "collector")
    assert listed(collector) == [loan.reference]
    case = collector.get(f"/complaints/{mine.pk}/")
    assert "Whom did you speak to?" in words(case)
    for page in (collector.get("/complaints/"), case):
        for hidden in (ACCOUNT, rivals.reference, str(second.agency.pk), "Birch"):
            assert hidden not in page.content.decode()
    foreign = collector.get(f"/complaints/{theirs.pk}/")
    missing = collector.get("/complaints/00000000-0000-7000-8000-000000000000/")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    token = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    path = re.compile(r"/complaints/[0-9a-f-]{36}/")
    same = [path.sub("", token.sub("", page.content.decode())) for page in (foreign, missing)]
    assert same[0] == same[1]
    for address in ("decide", "reveal"):
        assert collector.post(f"/complaints/{mine.pk}/{address}/").status_code == 403
    assert "1 complaint to answer" in words(collector.get("/"))


def test_the_answer_is_kept_as_typed_when_refused_and_given_once(scene):
    bank, (house, _second), ((loan, _other), _rivals) = scene
    opened = open_one(bank, loan)
    collector = person(house, "collector")
    address = f"/complaints/{opened.pk}/answer/"
    refused = collector.post(address, {"answer": f"She gave {CARD}."})
    assert refused.status_code == 422
    assert f"She gave {CARD}." in words(refused)
    assert "This looks like a card number." in words(refused)
    done = collector.post(address, {"answer": "Nobody but the borrower."}, follow=True)
    assert "Your answer is with the bank" in words(done)
    again = collector.post(address, {"answer": "Or perhaps somebody."}, follow=True)
    assert "answered or decided already" in words(again)
    with scope(bank.actor("auditor")):
        assert Complaint.objects.get().answer == "Nobody but the borrower."


def test_an_officer_enters_reads_and_decides_a_complaint(scene):
    bank, _houses, ((loan, _other), _rivals) = scene
    officer = person(bank, "compliance_officer")
    given = {
        "loan_reference": "NO-SUCH",
        "happened_on": "2026-03-02",
        "category": "disclosure",
        "severity": "high",
        "account": ACCOUNT,
        "summary": "Whom did you speak to?",
    }
    for name in ("category", "severity"):
        assert officer.get("/complaints/new/").context["form"][name].value() is None
        refused = officer.post("/complaints/new/", given | {name: ""})
        assert refused.status_code == 422
        assert "Choose one of the list." in words(refused)
    refused = officer.post("/complaints/new/", given)
    assert refused.status_code == 422
    assert "You have no loan with this reference." in words(refused)
    assert ACCOUNT in words(refused)
    case = officer.post("/complaints/new/", given | {"loan_reference": loan.reference}, follow=True)
    assert "Alder Recoveries" in words(case)
    assert ACCOUNT not in words(case)
    here = case.redirect_chain[-1][0]

    assert ACCOUNT not in words(officer.get(f"{here}reveal/"))
    read = officer.post(f"{here}reveal/", {"reason": "To check it"})
    assert ACCOUNT in words(read)
    assert "no-store" in read.headers["Cache-Control"]
    with scope(bank.actor("auditor")):
        assert AuditEntry.objects.filter(action="complaint.reveal").count() == 1

    short = officer.post(f"{here}decide/", {"outcome": "upheld", "reason": "Proven"})
    assert short.status_code == 422
    decision = {"outcome": "upheld", "is_agency_at_fault": "on", "reason": "The log proves it."}
    done = officer.post(f"{here}decide/", decision, follow=True)
    assert "Yes: it counts against the placement" in words(done)
    with scope(bank.actor("auditor")):
        assert Hold.objects.filter(released_at=None).count() == 0

    auditor = person(bank, "auditor")
    seen = auditor.get(here)
    assert seen.status_code == 200
    assert "reveal" not in seen.content.decode()
    for address in (f"{here}decide/", f"{here}reveal/", "/complaints/new/", "/complaints/intakes/"):
        assert auditor.post(address, decision).status_code == 403


def public(bank, client=None, **change):
    given = {
        "loan_reference": "X-1",
        "happened_on": "2026-03-01",
        "category": "harassment",
        "account": ACCOUNT,
        "contact": "jo@example.org",
        **change,
    }
    return (client or Client()).post(f"/complain/{bank.institution.slug}/", given)


def intakes_of(bank) -> list[str]:
    with scope(bank.actor("auditor")):
        received = ComplaintIntake.objects.order_by("received_at", "pk")
        return list(received.values_list("loan_reference", flat=True))


def test_the_public_form_answers_the_same_whatever_the_reference(scene):
    bank, _houses, ((loan, _other), _rivals) = scene
    answers = []
    for reference in (loan.reference, "NO-SUCH-LOAN"):
        client = Client()
        posted = public(bank, client, loan_reference=reference)
        sent = client.get(posted.headers["Location"])
        headers = {name: value for name, value in posted.headers.items() if name != "X-Request-Id"}
        answers.append(
            (posted.status_code, headers, posted.content, sent.status_code, sent.content)
        )
    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][3]) == (302, 200)
    said = words(sent).lower()
    for telling in ("loan", "debt", "owe", loan.reference.lower(), "no-such-loan"):
        assert telling not in said
    assert intakes_of(bank) == [loan.reference, "NO-SUCH-LOAN"]
    with scope(bank.actor("auditor")):
        assert not Complaint.objects.exists()


def test_the_public_form_refuses_what_it_must_and_keeps_what_was_typed(scene, clock):
    bank, _houses, _loans = scene
    for change, sentence in (
        ({"account": f"My card {CARD}"}, "This looks like a card number."),
        ({"contact": CARD}, "This looks like a card number."),
        ({"happened_on": "2026-03-03"}, "This day is in the future."),
        ({"happened_on": "0206-03-01"}, "more than 20 years ago"),
        ({"category": "rude"}, "Select a valid choice."),
        ({"category": ""}, "Choose one of the list."),
        ({"loan_reference": ""}, "This field is required."),
    ):
        refused = public(bank, **change)
        assert refused.status_code == 422
        assert sentence in words(refused)
        assert (change.get("account") or ACCOUNT) in words(refused)
    assert intakes_of(bank) == []
    assert Client().get("/complain/no-such-bank/").status_code == 404
    assert public(bank, Client(enforce_csrf_checks=True)).status_code == 403


def test_the_public_form_has_enough_after_ten_from_one_address(scene):
    bank, _houses, _loans = scene
    for number in range(10):
        assert public(bank, loan_reference=f"X-{number}").status_code == 302
    refused = public(bank, loan_reference="X-10")
    assert refused.status_code == 422
    assert "too often from your address" in words(refused)
    assert ACCOUNT in words(refused)
    assert len(intakes_of(bank)) == 10


def test_whoever_is_logged_in_leaves_it_with_the_bank_of_the_address(scene):
    bank, (house, _second), _loans = scene
    other = world.make_bank()
    for client in (person(other, "auditor"), person(house, "collector")):
        assert public(bank, client).status_code == 302
    assert intakes_of(bank) == ["X-1", "X-1"]
    assert intakes_of(other) == []


def test_an_officer_opens_or_dismisses_what_the_form_brought(scene):
    bank, _houses, ((loan, _other), _rivals) = scene
    public(bank, loan_reference=loan.reference)
    public(bank, loan_reference="NO-SUCH")
    officer = person(bank, "compliance_officer")
    queue = officer.get("/complaints/intakes/")
    assert ACCOUNT not in words(queue)
    assert f"/complain/{bank.institution.slug}/" in queue.content.decode()
    with scope(bank.actor("auditor")):
        known, unknown = ComplaintIntake.objects.order_by("received_at", "pk")

    page = officer.get(f"/complaints/intakes/{unknown.pk}/")
    assert "None of your loans has this reference" in words(page)
    assert ACCOUNT in words(page)
    assert officer.post(f"/complaints/intakes/{unknown.pk}/dismiss/", {}).status_code == 422
    reason = {"reason": "Not our reference"}
    officer.post(f"/complaints/intakes/{unknown.pk}/dismiss/", reason)

    page = officer.get(f"/complaints/intakes/{known.pk}/")
    assert "None of your loans" not in words(page)
    assert f'value="{loan.reference}"' in page.content.decode()
    opened = officer.post(
        f"/complaints/intakes/{known.pk}/",
        {
            "loan_reference": loan.reference,
            "happened_on": "2026-03-02",
            "category": "harassment",
            "severity": "medium",
            "summary": "Whom did you speak to?",
        },
        follow=True,
    )
    assert "The agency has been asked." in words(opened)
    with scope(bank.actor("auditor")):
        assert list(
            ComplaintIntake.objects.order_by("received_at", "pk").values_list("state", flat=True)
        ) == ["opened", "dismissed"]
        assert AuditEntry.objects.filter(action="intake.read").count() == 3
    stranger = person(world.make_bank(), "compliance_officer")
    assert stranger.get(f"/complaints/intakes/{known.pk}/").status_code == 404
    with scope(actors.PUBLIC):
        assert not ComplaintIntake.objects.exists()
