"""Payout accounts: where one institution pays one agency, opened at Stripe by a sweep."""

import logging

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from agencies import actors, audit, policies, selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.scope import scope
from agencies.selectors import visible_memberships
from config import clock, errors
from payouts import gateway
from payouts.models import PayoutAccount
from payouts.selectors import visible_payout_accounts

logger = logging.getLogger(__name__)

State = PayoutAccount.State


def request(*, actor: Actor, membership_id) -> PayoutAccount:
    """Ask for an account for an approved agency, or ask again after a refusal."""
    policies.demand(actor, policies.FINANCE_PREPARERS)
    membership = selectors.find(visible_memberships(actor), pk=membership_id)
    if membership.state != PanelMembership.State.APPROVED:
        raise errors.InvalidState(
            "NOT_ON_THE_PANEL", _("Only an approved agency of your panel can be paid.")
        )
    with transaction.atomic():
        account = _request(membership)
        audit.record(actor, "payout_account.request", account, agency_id=membership.agency_id)
    return account


def _request(membership: PanelMembership) -> PayoutAccount:
    again = PayoutAccount.objects.filter(membership=membership, state=State.REFUSED)
    if again.update(state=State.REQUESTED, requested_at=clock.now(), refusal_code=""):
        return PayoutAccount.objects.get(membership=membership)
    try:
        with transaction.atomic():
            return PayoutAccount.objects.create(
                institution_id=membership.institution_id,
                agency_id=membership.agency_id,
                membership=membership,
                requested_at=clock.now(),
            )
    except IntegrityError:
        raise errors.InvalidState(
            "ALREADY_REQUESTED", _("This agency has an account or one is being opened.")
        ) from None


def open_requested(institution_id) -> int:
    """Open at Stripe what was asked for, or look again whether it may receive; answers how many.

    Each account is created under a key of its own row, outside any transaction: a crash between
    Stripe's answer and ours asks for the same account again.
    """
    actor = actors.sweep(institution_id)
    with scope(actor):
        waiting = list(
            visible_payout_accounts(actor)
            .filter(state=State.REQUESTED)
            .select_related("agency")
            .order_by("requested_at")[:50]
        )
    return sum(_open(actor, account) for account in waiting)


def _open(actor: Actor, account: PayoutAccount) -> int:
    try:
        if account.remote_id:
            recipient = gateway.retrieve_recipient(account.remote_id)
        else:
            recipient = gateway.create_recipient(
                idempotency_key=f"account-{account.pk}-{account.requested_at:%Y%m%d%H%M%S}",
                display_name=account.agency.name,
                contact_email=account.agency.contact_email,
                country=account.agency.country,
                reference=str(account.pk),
            )
    except gateway.Refused as refusal:
        _settle(actor, account, state=State.REFUSED, refusal_code=refusal.code)
        return 0
    except gateway.GatewayError as error:
        logger.warning("payout account %s waits: %s", account.pk, type(error).__name__)
        return 0
    state = State.ACTIVE if recipient.transfers_active else State.REQUESTED
    _settle(actor, account, state=state, remote_id=recipient.remote_id)
    return int(recipient.transfers_active)


def _settle(actor: Actor, account: PayoutAccount, **after) -> None:
    with scope(actor):
        changed = PayoutAccount.objects.filter(pk=account.pk, state=State.REQUESTED).exclude(
            **after
        )
        if changed.update(**after):
            audit.record(
                actor, "payout_account.settle", account, changes=after, agency_id=account.agency_id
            )
