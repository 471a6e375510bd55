"""Pages of the ranking's policy: read by those who are ranked, changed by two of the bank."""

import pytest

from agencies.scope import scope
from marketplace.models import RankingBacktest, RankingPolicy
from tests import world
from tests.marketplace import ranked
from tests.marketplace.ranked import LENIENT
from tests.portfolios.over_http import person, words

pytestmark = pytest.mark.django_db

PAGE = "/ranking/policy/"
PROPOSE = f"{PAGE}propose/"


@pytest.fixture
def panel(clock):
    return ranked.after_days(clock)


@pytest.fixture
def empty(clock):
    return ranked.on_its_first_day(clock)


def filled(response, **changes) -> dict:
    """What a browser would send of the form on a page, with some fields filled in otherwise."""
    form = response.context["form"]
    values = {field.html_name: field.value() for field in form}
    kept = {name: "" if value is None else value for name, value in values.items()}
    kept["reason"] = "As other banks do"
    return kept | changes


def versions(bank) -> list[tuple]:
    with scope(bank.actor("auditor")):
        return list(RankingPolicy.objects.order_by("version").values_list("version", "state"))


def test_the_bank_reads_what_is_in_force(panel):
    for role in ("vendor_manager", "compliance_officer", "auditor"):
        page = words(person(panel.bank, role).get(PAGE))
        assert "In force: version 1" in page
        assert "the first ranking" in page
        assert "Balance, bands from 500 · 1,000 · 2,500 · 5,000 · 10,000 · 25,000" in page
        assert "Months looked back 12 Of 30 days each." in page
        assert ("Propose a version" in page) == (role == "vendor_manager")
    for role in ("administrator", "finance_preparer"):
        assert person(panel.bank, role).get(PAGE).status_code == 403
    assert versions(panel.bank) == []  # a look makes nothing
    panel.compute()
    auditor = person(panel.bank, "auditor")
    assert f'href="{PAGE}"' in auditor.get("/ranking/").content.decode()
    page = words(auditor.get(PAGE))
    assert "Since 10 Jun 2026, 13:00 EDT Proposed by The portal's own" in page


def test_a_version_is_proposed_in_a_form_filled_in_with_the_one_in_force(empty):
    manager = person(empty.bank, "vendor_manager")
    form = manager.get(PROPOSE)
    assert form.context["form"]["days_past_due_edges"].value() == "91, 181, 366, 731"
    sent = filled(form)
    sent |= {
        "product_place": "2",
        "days_past_due_place": "1",
        "days_past_due_edges": "31, 61 91",
        "earlier_placements_place": "0",
        "window_months": "6",
        "red_ratio_ppm": "200",
    }
    done = manager.post(PROPOSE, sent, follow=True)
    assert "Proposed. Back-test it, then somebody else decides." in words(done)
    with scope(empty.bank.actor("auditor")):
        made = RankingPolicy.objects.get(version=2)
    assert made.strata == [
        ["days_past_due", [31, 61, 91]],
        ["product", None],
        ["grade", None],
        ["balance", [500, 1_000, 2_500, 5_000, 10_000, 25_000]],
    ]
    assert (made.window_months, made.red_ratio_ppm, made.least_payment) == (6, 2_000_000, 5)
    page = words(person(empty.bank, "auditor").get(PAGE))
    assert "Proposed: version 2 By Vendor manager: As other banks do" in page
    assert "Months looked back 12 6" in page
    assert "Complaints above which conduct is red 150 % 200 %" in page
    assert "You proposed it, so another person has to adopt it." in words(manager.get(PAGE))
    waiting = manager.get(PROPOSE, follow=True)
    assert "Another version waits for a decision. Decide it first." in words(waiting)
    second = manager.post(PROPOSE, sent)
    assert second.status_code == 422
    assert "Another version waits for a decision. Decide it first." in words(second)
    assert versions(empty.bank) == [(1, "adopted"), (2, "proposed")]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "This is what the policy in force says already."),
        ({"reason": ""}, "Reason: This field is required."),
        ({"window_months": "2"}, "Ensure this value is greater than or equal to 3."),
        ({"balance_edges": "5, 4"}, "bands begin at: Each band begins above the one before."),
        ({"balance_edges": "5.5"}, "Give whole numbers with commas between them"),
        ({"balance_edges": ""}, "bands begin at: Say where its bands begin."),
        ({"grade_place": "1"}, "Grade: Another fact has this place."),
        ({"tie_probability_ppm": "40"}, "Enter a rate between 50.0001 % and 99.9999 %."),
        ({"ranked_from_ppm": "40"}, "A provisional score cannot need more reliability"),
        ({f"{fact}_place": "0" for fact in ("product", "days_past_due", "grade", "balance",
          "earlier_placements")}, "Days past due: Name at least one fact"),
    ],
)  # fmt: skip
def test_what_cannot_be_proposed_comes_back_in_the_form(empty, changes, sentence):
    manager = person(empty.bank, "vendor_manager")
    answer = manager.post(PROPOSE, filled(manager.get(PROPOSE), **changes))
    assert answer.status_code == 422
    assert sentence in words(answer).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert versions(empty.bank) == []


def test_a_back_test_shows_who_would_move_and_another_person_adopts(panel):
    policy = panel.propose(**LENIENT)
    officer = person(panel.bank, "compliance_officer")
    steps = f"{PAGE}{policy.pk}/"
    assert "Back-test in USD" in words(officer.get(PAGE))
    assert "Make a back-test first" in words(officer.get(f"{steps}adopt/"))
    untried = officer.post(f"{steps}adopt/", {"reason": "As agreed"})
    assert untried.status_code == 422
    done = officer.post(f"{steps}backtest/", {"currency": "USD"}, follow=True)
    page = words(done)
    assert "Tried on what was known then. Nothing of it is a ranking." in page
    with scope(panel.bank.actor("auditor")):
        made = RankingBacktest.objects.get()
    last = [row["places"][-1] for row in made.results]
    moved = sum(
        (place["before"]["status"], place["before"]["position"], place["before"]["is_tied"])
        != (place["after"]["status"], place["after"]["position"], place["after"]["is_tied"])
        for place in last
    )
    assert f"{moved} of 5 agencies would change" in page
    assert "Elm Recoveries from" in page
    assert page.index("At the back-test") < page.index("31 Mar 2026")
    assert "1 instead of " in page
    own = person(panel.bank, "vendor_manager")
    assert "Another person has to adopt this" in words(own.get(f"{steps}adopt/"))
    assert own.post(f"{steps}adopt/", {"reason": "As agreed"}).status_code == 403
    assert versions(panel.bank) == [(1, "adopted"), (2, "proposed")]
    assert officer.post(f"{steps}adopt/", {"reason": ""}).status_code == 422
    adopted = officer.post(f"{steps}adopt/", {"reason": "As agreed"}, follow=True)
    assert "Adopted: the next ranking is computed by version 2." in words(adopted)
    assert "In force: version 2" in words(adopted)
    assert "Compliance officer: As agreed" in words(adopted)
    assert versions(panel.bank) == [(1, "adopted"), (2, "adopted")]
    late = officer.get(f"{steps}refuse/", follow=True)
    assert "This version was decided meanwhile." in words(late)


def test_a_back_test_in_which_nobody_moves_says_so(panel):
    policy = panel.propose(smallest_field=6)
    manager = person(panel.bank, "vendor_manager")
    done = manager.post(f"{PAGE}{policy.pk}/backtest/", {"currency": "USD"}, follow=True)
    assert "Nobody would change places today" in words(done)
    refused = manager.post(f"{PAGE}{policy.pk}/backtest/", {"currency": "EUR"}, follow=True)
    assert "No loan was ever placed in this currency." in words(refused)


def test_a_proposal_is_refused_or_withdrawn(empty):
    manager, officer = (
        person(empty.bank, role) for role in ("vendor_manager", "compliance_officer")
    )
    for who, said in ((manager, "Withdrawn"), (officer, "Refused")):
        policy = empty.propose(window_months=6)
        answer = who.post(f"{PAGE}{policy.pk}/refuse/", {"reason": "Not now"}, follow=True)
        assert f"{said}: the policy in force stays." in words(answer)
    assert versions(empty.bank) == [(1, "adopted"), (2, "refused"), (3, "refused")]
    assert "Months looked back 12 → 6" in words(officer.get(PAGE))


def test_an_agency_reads_the_rule_and_nothing_of_a_proposal(panel):
    me = person(panel.houses["Elm"], "agency_administrator")
    assert "There is no ranking yet" in words(me.get(PAGE))
    panel.compute()
    policy = panel.propose(window_months=6)
    page = words(me.get(f"{PAGE}?institution={panel.bank.institution.pk}"))
    assert "In force: version 1" in page
    assert "Months looked back 12" in page
    for hidden in ("version 2", "Others do", "Vendor manager", "Adopt", "Back-test"):
        assert hidden not in page
    link = f"{PAGE}?institution={panel.bank.institution.pk}"
    assert link in me.get("/ranking/").content.decode()
    for step in ("propose", f"{policy.pk}/adopt", f"{policy.pk}/refuse", f"{policy.pk}/backtest"):
        assert me.post(f"{PAGE}{step}/", {"reason": "Because"}).status_code == 403
    panel.backtest(policy)
    panel.adopt(policy)
    assert "In force: version 2" in words(me.get(PAGE))
    assert person(panel.houses["Elm"], "collector").get(PAGE).status_code == 403
    stranger = person(world.make_agency(), "agency_administrator")
    assert "There is no ranking yet" in words(stranger.get(f"{link}"))
