"""Sweeps of the money. Each calls services; running one twice, or late, changes nothing."""

from celery import shared_task

from agencies import actors
from agencies.models import Institution
from agencies.scope import scope
from payouts.services import accounts, commissions, events, payouts


def _institution_ids() -> list:
    with scope(actors.sweep()):
        return list(Institution.objects.order_by("pk").values_list("pk", flat=True))


@shared_task
def accrue_commission() -> None:
    """Bring every institution's commission up to date."""
    for institution_id in _institution_ids():
        actor = actors.sweep(institution_id)
        with scope(actor):
            commissions.accrue(actor=actor)


@shared_task
def open_payout_accounts() -> None:
    """Open at Stripe the accounts that were asked for."""
    for institution_id in _institution_ids():
        accounts.open_requested(institution_id)


@shared_task
def send_payouts() -> None:
    """Send approved payouts and settle those whose outcome is open."""
    for institution_id in _institution_ids():
        payouts.send_due(institution_id)


@shared_task
def process_events() -> None:
    """Settle what Stripe's webhooks told us of."""
    events.process_waiting(_institution_ids())
