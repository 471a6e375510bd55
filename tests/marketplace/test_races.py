"""Two people at once: each on a connection of their own, let go at the same moment."""

import threading

import pytest
from django.db import connection

from agencies.scope import scope
from config import errors
from marketplace.models import Award, Bid, RankingPolicy
from marketplace.services import awards, bids, ranking_policies, ranking_proposals
from portfolios.models import Placement
from tests.marketplace import market, ranked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def busy(transactional_db, clock):
    """A `Market` that other connections see."""
    clock.set(market.OPENED_AT)
    return market.opened()


def at_once(actor, call, **given) -> list[str]:
    """`call` twice at the same time: "done" or the code of the refusal, sorted."""
    ready, ends = threading.Barrier(2, timeout=20), []

    def run():
        try:
            with scope(actor):
                ready.wait()
                call(actor=actor, **given)
            ends.append("done")
        except errors.DomainError as error:
            ends.append(error.code)
        except Exception as fault:
            ends.append(repr(fault))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(ends)


def test_of_two_awards_at_once_one_places(busy, clock):
    offer = busy.bid(busy.houses[0], rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    ends = at_once(
        busy.bank.actor("vendor_manager"),
        awards.award,
        listing_id=busy.listing.pk,
        shares=[awards.Share(offer.pk, 500_000)],
        reason="Best offer",
    )
    assert ends == ["NOT_AWARDABLE", "done"]
    with scope(busy.bank.actor("auditor")):
        assert (Award.objects.count(), Placement.objects.count()) == (1, 1)


def test_of_two_first_bids_at_once_the_later_replaces(busy):
    ends = at_once(
        busy.houses[0].actor(),
        bids.submit,
        listing_id=busy.listing.pk,
        rate_ppm=200_000,
        capacity_loans=5,
    )
    assert ends == ["done", "done"]
    with scope(busy.houses[0].actor()):
        assert [bid.revision for bid in Bid.objects.all()] == [2]


def test_of_two_proposals_at_once_one_waits_for_a_decision(transactional_db, clock):
    clock.set(ranked.NOON)
    panel = ranked.opened()
    ends = at_once(
        panel.bank.actor("vendor_manager"),
        ranking_proposals.propose,
        window_months=6,
        reason="Others do",
    )
    assert ends == ["ALREADY_PROPOSED", "done"]
    with scope(panel.bank.actor("auditor")):
        assert sorted(RankingPolicy.objects.values_list("version", "state")) == [
            (1, "adopted"),
            (2, "proposed"),
        ]


def test_of_two_adoptions_at_once_one_holds(transactional_db, clock):
    clock.set(ranked.NOON)
    panel = ranked.opened()
    policy = panel.propose(window_months=6)
    ends = at_once(
        panel.bank.actor("compliance_officer"),
        ranking_proposals.adopt,
        policy_id=policy.pk,
        reason="Agreed",
    )
    assert ends == ["NOT_PROPOSED", "done"]


def test_a_run_that_waited_for_an_adoption_is_by_the_adopted_version(transactional_db, clock):
    clock.set(ranked.NOON)
    panel = ranked.opened()
    policy = panel.propose(window_months=6)
    adopted, asking, found = threading.Event(), threading.Event(), []

    def run():
        try:
            with scope(panel.bank.sweep) as actor:
                adopted.wait(20)
                asking.set()
                found.append(ranking_policies.in_force(actor=actor).version)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    with scope(panel.bank.actor("compliance_officer")) as actor:
        ranking_proposals.adopt(actor=actor, policy_id=policy.pk, reason="Agreed")
        adopted.set()
        asking.wait(20)
        thread.join(0.5)  # it waits for the lock
        assert found == []
    thread.join(30)
    assert found == [2]
