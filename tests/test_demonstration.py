"""The demonstration: what a newcomer finds, and that the same seed and date tell the same story."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from agencies.models.users import Role
from agencies.scope import scope
from frontend.demonstration import story
from marketplace.models import RankingScore
from payouts.models import Payout, Statement
from payouts.services import books
from payouts.simulator import server
from portfolios.models import Complaint, Confirmation, Loan, Recovery, Reversal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

TODAY = datetime.date(2026, 11, 23)


@pytest.fixture
def stripe(settings):
    with server.running(":memory:", balances={"usd": 10**12}) as running:
        settings.STRIPE_API_KEY = "sk_test_simulator"
        settings.STRIPE_API_BASE = running.url
        yield running


def figures(cast) -> dict:
    """The business figures that must not depend on identifiers or secrets."""
    with scope(cast.bank(Role.AUDITOR)) as actor:
        assert books.differences(actor=actor) == []
        return {
            "loans": Loan.objects.aggregate(Count("pk"), Sum("balance_minor")),
            "recoveries": Recovery.objects.aggregate(Count("pk"), Sum("amount_minor")),
            "confirmed": Confirmation.objects.count(),
            "reversed": Reversal.objects.aggregate(Count("pk"), Sum("amount_minor")),
            "complaints": sorted(Complaint.objects.values_list("state", "outcome", "severity")),
            "statements": sorted(
                Statement.objects.values_list("agency__name", "starts_on", "state", "total_minor")
            ),
            "payouts": sorted(Payout.objects.values_list("agency__name", "state", "amount_minor")),
            "ranking": list(
                RankingScore.objects.order_by("order").values_list(
                    "agency__name", "rate_ppm", "index", "low", "high", "light"
                )
            ),
        }


def test_the_same_seed_and_date_make_the_same_figures(stripe, clone):
    first = figures(story.tell(seed=7, today=TODAY, loans_per_portfolio=24).cast)
    clone.renew()
    again = figures(story.tell(seed=7, today=TODAY, loans_per_portfolio=24).cast)
    assert first == again
    assert first["loans"]["pk__count"] == 4 * 24 + 2 * 60
    assert first["recoveries"]["pk__count"] > 50
    assert {state for _agency, state, _amount in first["payouts"]} == {"paid"}
    assert len(first["ranking"]) == 4 * 8
    assert sum(entry["amount"] for entry in stripe.api.store.journal()) == 2 * sum(
        amount for _agency, _state, amount in first["payouts"]
    )


def test_the_command_leaves_a_database_with_people_in_it_alone(settings):
    settings.EMBEDDED_POSTGRES = False
    with pytest.raises(CommandError, match="embedded database alone"):
        call_command("demo")
