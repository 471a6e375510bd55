"""The one door to Stripe: nothing else imports `stripe`, and no Stripe object leaves here.

Amounts are ISO 4217 minor units and currencies upper-case ISO codes, as everywhere in Fairplace;
Stripe's own units stay inside. Every call refuses to run while a database transaction is open,
because an answer that is lost must find the attempt committed. What went wrong is told by class:

* `Refused`: no money moved and none will under this key; trying again needs a new attempt.
* `Later`: try the same key later. After a 409 another call with the key is still in flight, so
  money may yet move.
* `Unknown`: money may have moved. Try the same key, then look with `find_transfers`.
* `Misused`: the key was used with other parameters, which is our fault. Stop, a person decides.
* `Misconfigured`: the key of the account was not accepted. This call moved nothing, but says
  nothing about an earlier one under the same idempotency key.
"""

import functools
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe
from django.conf import settings
from django.db import connection
from stripe.params.v2.core import AccountCreateParams

# Telemetry would write an identifier into the home folder and send the platform's name.
stripe.enable_telemetry = False

WEBHOOK_TOLERANCE_SECONDS = 300

# https://docs.stripe.com/currencies
_SUPPORTED = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN "
    "BZD CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD "
    "GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT LAK "
    "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
    "OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL "
    "THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW"
)
SUPPORTED_CURRENCIES = frozenset(_SUPPORTED.split())
# Stripe counts these in hundredths although ISO 4217 gives them no minor unit.
STRIPE_UNITS_PER_MINOR = {"ISK": 100, "UGX": 100}
# Stripe counts these whole although ISO 4217 divides them.
MINOR_PER_STRIPE_UNIT = {"MGA": 100}
# The smallest step, in minor units, in which Stripe passes money on to a bank account.
PAYABLE_STEP_MINOR = {
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 10),
    **dict.fromkeys(("HUF", "TWD", "MGA"), 100),
}
# Stripe's codes that somebody can act on, as ours.
REFUSALS = {
    "balance_insufficient": "BALANCE_INSUFFICIENT",
    "insufficient_capabilities_for_transfer": "DESTINATION_INACTIVE",
}


class GatewayError(Exception):
    """A call to Stripe that did not succeed. `request_id` is Stripe's, for its support."""

    def __init__(self, message: str = "", request_id: str | None = None):
        super().__init__(message)
        self.request_id = request_id


class Refused(GatewayError):
    """Stripe said no. `code` is our stable word, `message_code` Stripe's own code, if it gave one.

    Codes: BALANCE_INSUFFICIENT, DESTINATION_UNKNOWN, DESTINATION_INACTIVE, CURRENCY_UNSUPPORTED,
    AMOUNT_INDIVISIBLE, REMOTE_NOT_FOUND, REFUSED.
    """

    def __init__(self, code: str, message_code: str | None = None, request_id: str | None = None):
        super().__init__(f"{code} ({message_code})", request_id)
        self.code = code
        self.message_code = message_code


class Later(GatewayError):
    """Too many requests (429), or the same key is in flight (409)."""


class Unknown(GatewayError):
    """No answer, a fault on Stripe's side or an answer that cannot be read."""


class Misused(GatewayError):
    """An idempotency key came back with other parameters."""


class Misconfigured(GatewayError):
    """401, 403, or no key at all."""


class InvalidSignature(GatewayError):
    """A webhook that Stripe did not sign, or not now, or that is no event."""


@dataclass(frozen=True)
class RecipientAccount:
    """An agency's account at Stripe; money can be sent once `transfers_active`."""

    remote_id: str
    transfers_active: bool


@dataclass(frozen=True)
class Transfer:
    """Money sent to a recipient. A transfer has no state: it exists, so it is done."""

    remote_id: str
    amount_minor: int
    currency: str
    destination: str
    transfer_group: str
    amount_reversed_minor: int


@dataclass(frozen=True)
class Reversal:
    """Money taken back out of a transfer."""

    remote_id: str
    transfer: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Event:
    """A webhook that Stripe signed: a hint to look, never the truth. `object_id` may be empty."""

    id: str
    type: str
    created_at: datetime
    object_id: str
    livemode: bool
    payload: dict[str, Any]


def create_recipient(
    *, idempotency_key: str, display_name: str, contact_email: str, country: str, reference: str
) -> RecipientAccount:
    """Open an account that can receive transfers. `country` is an ISO 3166-1 alpha-2 code."""
    client = _client()
    params: AccountCreateParams = {
        "display_name": display_name,
        "contact_email": contact_email,
        "dashboard": "express",
        "identity": {"country": country, "entity_type": "company"},
        "defaults": {
            "responsibilities": {
                "fees_collector": "application",
                "losses_collector": "application",
            }
        },
        "configuration": {
            "recipient": {
                "capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}
            }
        },
        "include": ["configuration.recipient"],
        "metadata": {"reference": reference},
    }
    options = _once(idempotency_key)
    with _outcome():
        return _recipient(client.v2.core.accounts.create(params, options))


def retrieve_recipient(remote_id: str) -> RecipientAccount:
    """The account as it is now."""
    client = _client()
    with _outcome():
        return _recipient(
            client.v2.core.accounts.retrieve(remote_id, {"include": ["configuration.recipient"]})
        )


def create_transfer(
    *,
    idempotency_key: str,
    amount_minor: int,
    currency: str,
    destination: str,
    transfer_group: str,
    description: str,
    metadata: dict[str, str],
) -> Transfer:
    """Send money from the platform's balance to a recipient; a repeated key sends nothing more."""
    client = _client()
    if amount_minor != payable_minor(amount_minor, currency):
        raise Refused("AMOUNT_INDIVISIBLE")
    params: stripe.params.TransferCreateParams = {
        "amount": _to_stripe(amount_minor, currency),
        "currency": currency.lower(),
        "destination": destination,
        "transfer_group": transfer_group,
        "description": description,
        "metadata": metadata,
    }
    options = _once(idempotency_key)
    with _outcome():
        return _transfer(client.v1.transfers.create(params, options))


def retrieve_transfer(remote_id: str) -> Transfer:
    """The transfer as it is now, with what has been reversed of it."""
    client = _client()
    with _outcome():
        return _transfer(client.v1.transfers.retrieve(remote_id))


def find_transfers(*, transfer_group: str) -> list[Transfer]:
    """All transfers of one group, newest first: the proof of what moved and what did not."""
    client = _client()
    with _outcome():
        found = client.v1.transfers.list({"transfer_group": transfer_group, "limit": 100})
        return [_transfer(transfer) for transfer in found.auto_paging_iter()]


def reverse_transfer(
    *, idempotency_key: str, transfer: Transfer, amount_minor: int, metadata: dict[str, str]
) -> Reversal:
    """Take part or all of a transfer back, as far as the recipient's balance covers it."""
    client = _client()
    params: stripe.params.TransferReversalCreateParams = {
        "amount": _to_stripe(amount_minor, transfer.currency),
        "metadata": metadata,
    }
    options = _once(idempotency_key)
    with _outcome():
        return _reversal(client.v1.transfers.reversals.create(transfer.remote_id, params, options))


def balance() -> dict[str, int]:
    """What the platform can send now: minor units by ISO currency code."""
    client = _client()
    with _outcome():
        available = client.v1.balance.retrieve().available
        currencies = [(funds.currency.upper(), funds.amount) for funds in available]
        return {currency: _from_stripe(amount, currency) for currency, amount in currencies}


def payable_minor(amount_minor: int, currency: str) -> int:
    """The largest part of an amount that can be sent on to a bank; the caller carries the rest.

    Raises `Refused` CURRENCY_UNSUPPORTED.
    """
    if currency not in SUPPORTED_CURRENCIES:
        raise Refused("CURRENCY_UNSUPPORTED")
    return amount_minor - amount_minor % PAYABLE_STEP_MINOR.get(currency, 1)


def expects_livemode() -> bool:
    """Whether our key moves real money; an event of the other mode is not for us."""
    return "_live_" in settings.STRIPE_API_KEY


def verify_webhook(payload: bytes, signature: str | None) -> Event:
    """The event in a webhook's body. Raises `InvalidSignature` for all that is not one of ours.

    Stripe's own check lets future times through and fails with several unrelated exceptions on
    odd input, so everything that goes wrong here is the one refusal.
    """
    try:
        stripe.WebhookSignature.verify_header(
            payload, signature, settings.STRIPE_WEBHOOK_SECRET, WEBHOOK_TOLERANCE_SECONDS
        )
        fields = [part.split("=", 1) for part in str(signature).split(",")]
        signed_at = next(int(field[1]) for field in fields if field[0] == "t")
        if signed_at > time.time() + WEBHOOK_TOLERANCE_SECONDS:
            raise InvalidSignature("signed in the future")
        return _event(json.loads(payload))
    except InvalidSignature:
        raise
    except Exception as error:
        raise InvalidSignature(type(error).__name__) from error


def _event(body: Any) -> Event:
    if not isinstance(body, dict) or body.get("object") != "event":
        raise InvalidSignature("not an event")
    words = (body["id"], body["type"], body["data"]["object"].get("id", ""))
    livemode = body["livemode"]
    if not isinstance(livemode, bool) or not all(isinstance(word, str) for word in words):
        raise InvalidSignature("not an event")
    created_at = datetime.fromtimestamp(int(body["created"]), UTC)
    return Event(words[0], words[1], created_at, words[2], livemode, body)


def _client() -> stripe.StripeClient:
    if connection.in_atomic_block:
        raise RuntimeError("A call to Stripe must not be made inside a database transaction.")
    if not settings.STRIPE_API_KEY:
        raise Misconfigured("STRIPE_API_KEY is not set")
    return _make_client(
        settings.STRIPE_API_KEY,
        settings.STRIPE_API_BASE,
        tuple(settings.STRIPE_TIMEOUT_SECONDS),
        settings.STRIPE_MAX_RETRIES,
    )


@functools.lru_cache(maxsize=1)
def _make_client(key: str, base: str, timeout: tuple[float, float], retries: int):
    return stripe.StripeClient(
        key,
        base_addresses={"api": base.rstrip("/")} if base else None,
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


# A forked worker must not share its parent's open connection.
os.register_at_fork(after_in_child=_make_client.cache_clear)


def _once(idempotency_key: str) -> stripe.RequestOptions:
    """Options of a POST. It is sent once: a retry inside the SDK would hide whether an earlier try
    may have moved money (lost answer, then 401). Our sweep repeats it with the same key."""
    if not re.fullmatch("[!-~]{1,255}", idempotency_key):
        raise ValueError("An idempotency key has 1 to 255 visible ASCII characters.")
    return {"idempotency_key": idempotency_key, "max_network_retries": 0}


@contextmanager
def _outcome() -> Iterator[None]:
    """Turn whatever a call to Stripe raises into what it means for the money."""
    try:
        yield
    except stripe.StripeError as error:
        raise _classified(error) from error
    except Exception as error:
        # The SDK fails in its own ways on an answer of an odd shape; money may have moved.
        raise Unknown(type(error).__name__) from error


def _classified(error: stripe.StripeError) -> GatewayError:
    status, request_id = error.http_status, error.request_id
    message = f"{type(error).__name__} {status}"
    if isinstance(error, stripe.IdempotencyError):
        return Misused(message, request_id)
    if isinstance(error, stripe.RateLimitError) or status in (409, 429):
        return Later(message, request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Misconfigured(message, request_id)
    ambiguous = isinstance(error, stripe.APIError | stripe.APIConnectionError)
    if ambiguous or status is None or status >= 500:
        return Unknown(message, request_id)
    return _refused(error)


def _refused(error: stripe.StripeError) -> Refused:
    message_code = error.error.code if error.error else None
    if message_code == "resource_missing":
        about_destination = getattr(error, "param", None) == "destination"
        code = "DESTINATION_UNKNOWN" if about_destination else "REMOTE_NOT_FOUND"
    else:
        code = REFUSALS.get(message_code or "", "REFUSED")
    return Refused(code, message_code, error.request_id)


def _recipient(account: Any) -> RecipientAccount:
    recipient = account.configuration.recipient
    balance = recipient and recipient.capabilities and recipient.capabilities.stripe_balance
    transfers = balance and balance.stripe_transfers
    return RecipientAccount(account.id, bool(transfers and transfers.status == "active"))


def _transfer(found: Any) -> Transfer:
    currency = found.currency.upper()
    return Transfer(
        remote_id=found.id,
        amount_minor=_from_stripe(found.amount, currency),
        currency=currency,
        destination=str(found.destination),
        transfer_group=found.transfer_group or "",
        amount_reversed_minor=_from_stripe(found.amount_reversed, currency),
    )


def _reversal(found: Any) -> Reversal:
    currency = found.currency.upper()
    return Reversal(
        remote_id=found.id,
        transfer=str(found.transfer),
        amount_minor=_from_stripe(found.amount, currency),
        currency=currency,
    )


def _to_stripe(amount_minor: int, currency: str) -> int:
    amount, rest = divmod(amount_minor, MINOR_PER_STRIPE_UNIT.get(currency, 1))
    if rest:
        raise Refused("AMOUNT_INDIVISIBLE")
    return amount * STRIPE_UNITS_PER_MINOR.get(currency, 1)


def _from_stripe(amount: int, currency: str) -> int:
    amount_minor = amount * MINOR_PER_STRIPE_UNIT.get(currency, 1)
    return amount_minor // STRIPE_UNITS_PER_MINOR.get(currency, 1)
