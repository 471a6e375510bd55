"""Pages of recalls, holds, returns, the board, the worklist and the rules, as people use them."""

import datetime
import html
import re

import pytest
from django.urls import reverse

from agencies.scope import scope
from config import clock as clocks
from portfolios.models import Hold, Loan, Objection, PlacementRules, Recall
from portfolios.services import holds, promises
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

REASON = "Rotation of the panel"
DAY = datetime.timedelta(days=1)


@pytest.fixture
def loans(bank, placement):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.order_by("reference"))


def text(answer) -> str:
    return html.unescape(answer.content.decode())


def digest_of(answer) -> str:
    return re.search(r'name="digest" value="([^"]*)"', text(answer)).group(1)


def test_a_recall_is_shown_announced_objected_to_and_decided(bank, house, placement, loans):
    first, second = loans
    with scope(house.actor()) as actor:
        due_on = clocks.business_date("America/New_York") + 5 * DAY
        promises.log(actor=actor, loan_id=first.pk, amount_minor=1, due_on=due_on)
    manager = over_http.person(bank, "vendor_manager")
    collector = over_http.person(house, "collector")
    url = reverse("recall_announce", args=[placement.pk])
    given = {
        "references": f"{first.reference}\n{second.reference}\nNO-SUCH",
        "step": "announce",
        "notice_days": "14",
        "reason": REASON,
    }
    assert manager.post(url, given | {"reason": ""}).status_code == 422
    shown = manager.post(url, given)
    assert shown.status_code == 200
    for words in ("What would happen", "A promise is open", "Not in this placement now"):
        assert words in text(shown)
    with scope(bank.actor("auditor")):
        assert not Recall.objects.exists()
    # What was shown for an announcement is not carried out as an immediate recall.
    other = manager.post(url, given | {"step": "at_once", "digest": digest_of(shown)})
    assert other.status_code == 200
    with scope(house.actor()):
        assert Loan.objects.count() == 2
    done = manager.post(url, given | {"digest": digest_of(shown)})
    assert done.status_code == 302
    with scope(bank.actor("auditor")):
        recall = Recall.objects.get()
    assert done.url == reverse("recall", args=[recall.pk])

    page = collector.get(done.url)
    assert REASON in text(page)
    assert "Stays" in text(page)
    assert second.reference in text(collector.get(reverse("worklist") + "?reason=recall"))
    unsaid = collector.post(
        reverse("recall_object", args=[recall.pk]), {"references": second.reference, "kind": ""}
    )
    assert unsaid.status_code == 422
    assert "Choose one of the list." in text(unsaid)
    objected = collector.post(
        reverse("recall_object", args=[recall.pk]),
        {"references": second.reference, "kind": "visit_booked", "note": "On Friday"},
    )
    assert objected.status_code == 302
    again = collector.post(
        reverse("recall_object", args=[recall.pk]),
        {"references": second.reference, "kind": "visit_booked", "note": "On Friday"},
    )
    assert again.status_code == 422
    board = text(manager.get(reverse("placement_board")))
    assert second.reference in board
    with scope(bank.actor("auditor")):
        objection = Objection.objects.get(loan=second)
    decide = reverse("objection_decide", args=[objection.pk])
    asked = text(manager.get(decide))
    for words in ("On Friday", reverse("loan", args=[second.pk]), "none is open", "Your decision"):
        assert words in asked
    decided = manager.post(decide, {"decision": "accept", "reason": "Let them visit"})
    assert decided.status_code == 302
    again = manager.post(decide, {"decision": "refuse", "reason": "Too late now"})
    assert again.status_code == 422
    over = text(manager.get(decide))
    assert "Let them visit" in over
    assert "Your decision" not in over
    with scope(bank.actor("auditor")):
        shown = Objection.objects.get(loan=first)
    by_portal = text(manager.get(reverse("objection_decide", args=[shown.pk])))
    for words in ("$0.01 by", "Refuse it", reverse("loan", args=[first.pk])):
        assert words in by_portal
    assert 'name="decision"' not in by_portal
    assert collector.get(decide).status_code == 403
    gone = manager.post(reverse("recall_withdraw", args=[recall.pk]), {"reason": "A mistake"})
    assert gone.status_code == 302
    with scope(bank.actor("auditor")):
        assert Recall.objects.get().state == "withdrawn"


def test_loans_are_recalled_at_once_after_the_preview(bank, house, placement, loans):
    manager = over_http.person(bank, "vendor_manager")
    url = reverse("recall_announce", args=[placement.pk])
    given = {
        "references": loans[0].reference,
        "step": "at_once",
        "notice_days": "14",
        "reason": REASON,
    }
    shown = manager.post(url, given)
    assert manager.post(url, given | {"digest": digest_of(shown)}).url == reverse(
        "placement", args=[placement.pk]
    )
    with scope(house.actor()):
        assert list(Loan.objects.all()) == [loans[1]]
    late = manager.post(url, given | {"digest": digest_of(shown)})
    assert late.status_code == 422
    assert "Things have changed since you looked" in text(late)


def test_many_loans_are_held_and_released_after_a_preview(bank, house, loans):
    officer = over_http.person(bank, "compliance_officer")
    names = "\n".join(loan.reference for loan in loans)
    given = {"references": names, "kind": "insolvent", "reason": "Court notice"}
    unsaid = officer.post(reverse("holds_open"), given | {"kind": ""})
    assert unsaid.status_code == 422
    assert "Choose one of the list." in text(unsaid)
    shown = officer.post(reverse("holds_open"), given)
    done = officer.post(reverse("holds_open"), given | {"digest": digest_of(shown)})
    assert (done.status_code, done.url) == (302, reverse("holds"))
    listed = text(officer.get(reverse("holds") + "?kind=insolvent&state=held"))
    assert all(loan.reference in listed for loan in loans)
    with scope(bank.actor("auditor")):
        assert Hold.objects.filter(released_at=None).count() == 2
    given = {"references": names, "reason": "Dismissed by the court"}
    shown = officer.post(reverse("holds_release"), given)
    officer.post(reverse("holds_release"), given | {"digest": digest_of(shown)})
    with scope(house.actor()):
        assert not Loan.objects.filter(is_on_hold=True).exists()
    assert over_http.person(bank, "auditor").get(reverse("holds_open")).status_code == 403


def test_a_hold_to_review_waits_on_the_first_page(bank, loans, clock):
    clock.set(clocks.now())
    with scope(bank.actor("vendor_manager")) as actor:
        holds.open_hold(
            actor=actor,
            loan_id=loans[0].pk,
            kind="plan",
            reason="Pays monthly",
            review_on=clocks.business_date("America/New_York") + DAY,
        )
    manager = over_http.person(bank, "vendor_manager")
    assert "1 hold to review" not in text(manager.get("/"))
    clock.advance(days=1)
    # A day on the clock may end the log-in.
    manager = over_http.person(bank, "vendor_manager")
    assert "1 hold to review" in text(manager.get("/"))
    assert loans[0].reference in text(manager.get(reverse("placement_board")))


def test_an_agency_returns_loans_on_a_page(bank, house, placement, loans):
    collector = over_http.person(house, "collector")
    url = reverse("placement_return", args=[placement.pk])
    unknown = collector.post(url, {"references": "NO-SUCH", "reason": "Moved abroad"})
    assert unknown.status_code == 422
    assert "Not in this placement: NO-SUCH" in text(unknown)
    one = collector.post(url, {"references": loans[0].reference, "reason": "Moved abroad"})
    assert one.url == reverse("placement", args=[placement.pk])
    rest = collector.post(url, {"references": "", "reason": "No capacity"})
    assert rest.url == reverse("placements")
    told = text(collector.get(reverse("changes")))
    assert loans[0].reference in told
    assert "Moved abroad" not in told
    assert over_http.person(bank, "vendor_manager").get(url).status_code == 403


def test_the_rules_are_changed_on_a_page(bank):
    administrator = over_http.person(bank, "administrator")
    url = reverse("placement_rules")
    assert 'value="14"' in text(administrator.get(url))
    given = {
        "recall_notice_days": "21",
        "recent_payment_days": "30",
        "tail_days": "45",
        "untouched_days": "7",
        "balance_share_max_ppm": "40",
        "loan_share_max_ppm": "",
        "is_never_twice": "on",
        "reason": "Decided by the board",
    }
    assert administrator.post(url, given | {"tail_days": "400"}).status_code == 422
    assert administrator.post(url, given).status_code == 302
    with scope(bank.actor("auditor")):
        rules = PlacementRules.objects.get()
        assert (rules.recall_notice_days, rules.tail_days) == (21, 45)
        assert (rules.balance_share_max_ppm, rules.loan_share_max_ppm) == (400_000, None)
        assert (rules.is_never_twice, rules.is_one_agency_per_borrower) == (True, False)
    assert over_http.person(bank, "auditor").get(url).status_code == 403
