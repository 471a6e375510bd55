"""Payouts: one transfer per approved statement, whatever crashes in between.

Prepare (attempt, key and parameters committed) → send outside any transaction → settle in a
second one. The key stays the same until the outcome is known; an attempt is given up only when
Stripe says no, or when its key is about to be forgotten and a list shows that nothing moved.
The rules are those of `reference/payouts.md` §1.5 and §6.2.
"""

import datetime
import logging

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from agencies import actors, audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.scope import scope
from config import clock, errors
from payouts import gateway
from payouts.models import Payout, PayoutAccount, PayoutAttempt
from payouts.selectors import visible_payout_attempts, visible_payouts

logger = logging.getLogger(__name__)

STOP_SENDING_AFTER = datetime.timedelta(hours=20)
"""Stripe may forget a key after 24 hours; the same request would then be a second transfer."""
GIVE_UP_AFTER = datetime.timedelta(hours=26)
LONGEST_WAIT = datetime.timedelta(minutes=30)
NEEDS_A_PERSON = datetime.timedelta(days=1)

State = Payout.State
Outcome = PayoutAttempt.State
OPEN = (Outcome.PREPARED, Outcome.UNKNOWN)


def send_due(institution_id) -> int:
    """Send what is approved and settle what is open; answers how many payouts became paid."""
    actor = actors.sweep(institution_id)
    with scope(actor):
        _prepare_approved(actor)
    with scope(actor):
        due = list(
            visible_payout_attempts(actor)
            .filter(state__in=OPEN, next_try_at__lte=clock.Now())
            .order_by("prepared_at")[:50]
        )
        moment = clock.now()
    return sum(_try(actor, attempt, moment - attempt.prepared_at) for attempt in due)


def _prepare_approved(actor: Actor) -> None:
    """An attempt for every approved payout whose account can receive."""
    accounts = dict(
        PayoutAccount.objects.filter(state=PayoutAccount.State.ACTIVE).values_list(
            "membership", "remote_id"
        )
    )
    approved = (
        visible_payouts(actor)
        .filter(state=State.APPROVED, statement__membership__in=accounts)
        .select_related("statement")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("pk")
    )
    for payout in approved:
        number = payout.attempts.count() + 1
        moment = clock.now()
        PayoutAttempt.objects.create(
            institution_id=payout.institution_id,
            payout=payout,
            number=number,
            idempotency_key=f"payout-{payout.pk}-{number}",
            destination=accounts[payout.statement.membership_id],
            currency=payout.currency,
            amount_minor=payout.amount_minor,
            prepared_at=moment,
            next_try_at=moment,
        )
        Payout.objects.filter(pk=payout.pk).update(state=State.SENDING)
        audit.record(actor, "payout.send", payout, changes={"attempt": number})


def _try(actor: Actor, attempt: PayoutAttempt, age: datetime.timedelta) -> int:
    """One call to Stripe for one open attempt, and what follows from its outcome."""
    if age >= STOP_SENDING_AFTER:
        return _look_for(actor, attempt, LONGEST_WAIT, gives_up=age >= GIVE_UP_AFTER)
    try:
        return settle(actor, attempt.payout_id, _send(attempt))
    except gateway.Refused as refusal:
        _fail(actor, attempt, refusal.code)
    except gateway.Misused:
        logger.error("payout attempt %s: its key was used otherwise", attempt.pk)
        _wait(actor, attempt, Outcome.UNKNOWN, "KEY_MISUSED", NEEDS_A_PERSON)
    except gateway.Misconfigured:
        logger.error("payouts are stopped: Stripe does not accept our key")
        _wait(actor, attempt, attempt.state, "MISCONFIGURED", LONGEST_WAIT)
    except gateway.Later:
        _wait(actor, attempt, attempt.state, "LATER", _backoff(attempt))
    except gateway.GatewayError:
        return _look_for(actor, attempt, _backoff(attempt), gives_up=False)
    return 0


def _look_for(actor: Actor, attempt: PayoutAttempt, wait, *, gives_up: bool) -> int:
    """Whether the transfer was made after all. Only an empty list, never an error, proves not."""
    try:
        found = gateway.find_transfers(transfer_group=transfer_group(attempt.payout_id))
    except gateway.GatewayError as error:
        logger.warning("payout attempt %s: no list, %s", attempt.pk, type(error).__name__)
        _wait(actor, attempt, Outcome.UNKNOWN, "UNKNOWN", wait)
        return 0
    if found:
        return settle(actor, attempt.payout_id, found[0])
    if gives_up:
        _fail(actor, attempt, "NEVER_ARRIVED")
    else:
        _wait(actor, attempt, Outcome.UNKNOWN, "NOT_FOUND_YET", wait)
    return 0


def _send(attempt: PayoutAttempt) -> gateway.Transfer:
    return gateway.create_transfer(
        idempotency_key=attempt.idempotency_key,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        destination=attempt.destination,
        transfer_group=transfer_group(attempt.payout_id),
        description=f"Commission {attempt.payout_id}",
        metadata={"payout": str(attempt.payout_id), "attempt": str(attempt.number)},
    )


def transfer_group(payout_id) -> str:
    """By what Stripe's lists and webhooks name a payout."""
    return f"payout-{payout_id}"


def _backoff(attempt: PayoutAttempt) -> datetime.timedelta:
    return min(LONGEST_WAIT, datetime.timedelta(seconds=15 * 2 ** min(attempt.tries, 10)))


def _wait(actor: Actor, attempt: PayoutAttempt, state, code: str, wait) -> None:
    with scope(actor):
        PayoutAttempt.objects.filter(pk=attempt.pk, state__in=OPEN).update(
            state=state, outcome_code=code, next_try_at=clock.now() + wait, tries=F("tries") + 1
        )


def settle(actor: Actor, payout_id, transfer: gateway.Transfer) -> int:
    """Record that a transfer exists; harmless when it is known. Answers 1 if that was news.

    A transfer that is not what was sent is never recorded: it is left for a person, loudly.
    """
    with scope(actor):
        payout = Payout.objects.select_for_update().get(pk=payout_id)
        attempt = payout.attempts.order_by("-number").first()
        moved = (transfer.amount_minor, transfer.currency, transfer.destination)
        if attempt is None or moved != (payout.amount_minor, payout.currency, attempt.destination):
            logger.error("transfer %s is not what payout %s sent", transfer.remote_id, payout.pk)
            return 0
        if payout.state == State.PAID:
            return _settle_paid(actor, payout, transfer)
        moment = clock.now()
        PayoutAttempt.objects.filter(pk=attempt.pk).update(
            state=Outcome.SUCCEEDED, settled_at=moment, outcome_code=""
        )
        Payout.objects.filter(pk=payout.pk).update(
            state=State.PAID,
            remote_id=transfer.remote_id,
            paid_at=moment,
            failure_code="",
            reversed_minor=transfer.amount_reversed_minor,
        )
        audit.record(
            actor,
            "payout.paid",
            payout,
            changes={
                "amount_minor": payout.amount_minor,
                "currency": payout.currency,
                "transfer": transfer.remote_id,
            },
            agency_id=payout.agency_id,
        )
        return 1


def _settle_paid(actor: Actor, payout: Payout, transfer: gateway.Transfer) -> int:
    """A payout already paid: note what was sent back, and shout about a second transfer."""
    if transfer.remote_id != payout.remote_id:
        logger.error("payout %s has a second transfer %s", payout.pk, transfer.remote_id)
    elif transfer.amount_reversed_minor != payout.reversed_minor:
        Payout.objects.filter(pk=payout.pk).update(reversed_minor=transfer.amount_reversed_minor)
        audit.record(
            actor,
            "payout.reversed",
            payout,
            changes={
                "reversed_minor": transfer.amount_reversed_minor,
                "currency": payout.currency,
            },
            agency_id=payout.agency_id,
        )
    return 0


def _fail(actor: Actor, attempt: PayoutAttempt, code: str) -> None:
    """No money moved: the payout fails, and only a person can have it tried again."""
    with scope(actor):
        failed = PayoutAttempt.objects.filter(pk=attempt.pk, state__in=OPEN).update(
            state=Outcome.FAILED, settled_at=clock.now(), outcome_code=code
        )
        if failed:
            payout = Payout.objects.select_for_update().get(pk=attempt.payout_id)
            Payout.objects.filter(pk=payout.pk, state=State.SENDING).update(
                state=State.FAILED, failure_code=code
            )
            audit.record(actor, "payout.fail", payout, changes={"code": code})


def retry(*, actor: Actor, payout_id, reason: str) -> Payout:
    """Have a failed payout sent again under a new key, once its cause is dealt with."""
    policies.demand(actor, policies.FINANCE_APPROVERS)
    reason = texts.reason(reason)
    payout = selectors.find(visible_payouts(actor), pk=payout_id)
    with transaction.atomic():
        again = Payout.objects.filter(pk=payout.pk, state=State.FAILED).update(
            state=State.APPROVED, failure_code=""
        )
        if not again:
            raise errors.InvalidState("NOT_FAILED", _("Only a failed payout is tried again."))
        audit.record(actor, "payout.retry", payout, reason=reason)
    payout.refresh_from_db()
    return payout
