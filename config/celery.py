"""Background work: sweeps that move rows on from state to state. Imported by entry points only.

A message is no more than a wake-up. What is to be done stands in the database, so a message that
is lost, comes twice or comes late changes nothing but the moment.
"""

import os

from celery import Celery, signals
from django.conf import settings

from config import broker, checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")

# When which sweep runs: name → task, seconds between two runs. Tasks take no arguments here.
SWEEPS: dict[str, tuple[str, int]] = {
    "receipts": ("portfolios.tasks.rematch_receipts", 60),
    "loan-imports": ("portfolios.tasks.move_imports", 5),
    "old-loan-imports": ("portfolios.tasks.cancel_old_imports", 3600),
    "ended-spells": ("portfolios.tasks.close_ended_spells", 5),
    "tallies": ("portfolios.tasks.fold_tallies", 60),
    "placements": ("portfolios.tasks.move_placements_on", 60),
    # Once a night is enough, and events run it at once; so often that each bank's midnight is met.
    "eligibility": ("portfolios.tasks.check_eligibility", 900),
    "commission": ("payouts.tasks.accrue_commission", 60),
    "payout-accounts": ("payouts.tasks.open_payout_accounts", 30),
    "payouts": ("payouts.tasks.send_payouts", 30),
    "stripe-events": ("payouts.tasks.process_events", 10),
    # Once a day is enough for each bank; looked for so often that its own midnight is met.
    "rankings": ("marketplace.tasks.compute_rankings", 900),
    "leftovers": ("agencies.tasks.forget_expired", 3600),
}

LONGEST_TASK_SECONDS = 300


def beat_schedule() -> dict:
    """A wake-up that nobody took before the next one is due is thrown away."""
    return {
        name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
        for name, (task, seconds) in SWEEPS.items()
    }


def broker_settings() -> dict:
    """The broker of CELERY_BROKER_URL with quorum queues, else a folder on this machine."""
    if settings.CELERY_BROKER_URL:
        return {
            "broker_url": settings.CELERY_BROKER_URL,
            "task_default_queue_type": "quorum",
            "task_create_missing_queue_type": "quorum",
            "broker_transport_options": {"confirm_publish": True},
        }
    return {
        "broker_url": f"{broker.SCHEME}://localhost",
        "broker_transport_options": broker.prepare(settings.BROKER_DIR),
    }


app = Celery("fairplace")
app.conf.update(
    broker_settings(),
    beat_schedule=beat_schedule(),
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
    broker_connection_retry_on_startup=True,
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_default_queue="fairplace",
    task_ignore_result=True,
    # A task that dies with its process is given to the next one: all of them can be repeated.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_acks_on_failure_or_timeout=True,
    task_soft_time_limit=LONGEST_TASK_SECONDS - 60,
    task_time_limit=LONGEST_TASK_SECONDS,
    worker_prefetch_multiplier=1,
    # Nobody commands workers by message; and several may then have one name on one machine.
    worker_enable_remote_control=False,
    worker_soft_shutdown_timeout=30,
    # Django's own logging applies, so that no data of people gets in.
    worker_hijack_root_logger=False,
    timezone="UTC",
)
app.autodiscover_tasks()


@signals.worker_init.connect
def refuse_powerful_role(**kwargs):
    checks.start()
