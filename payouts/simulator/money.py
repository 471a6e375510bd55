"""The rules by which money moves: top-ups, transfers, reversals and balances."""

from payouts.simulator import accounts
from payouts.simulator.parameters import Refusal
from payouts.simulator.store import PLATFORM, new_id


def create_topup(store, account, params):
    body = {
        "id": new_id("tu"),
        "object": "topup",
        "expected_availability_date": store.now(),
        "failure_code": None,
        "failure_message": None,
        "source": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    } | _common(store, params)
    store.save(account, body)
    store.move(body, None, account)
    store.emit("topup.succeeded", body)
    return body


def create_transfer(store, account, params):
    destination = store.find(accounts.KIND, PLATFORM, params["destination"], param="destination")
    if not accounts.can_receive(destination):
        message = "Your destination account needs to have the transfers capability enabled."
        code = "insufficient_capabilities_for_transfer"
        raise Refusal(message, code=code, executed=True)
    body = {
        "id": new_id("tr"),
        "object": "transfer",
        "amount_reversed": 0,
        "destination": destination["id"],
        "destination_payment": new_id("py"),
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": params.get("transfer_group"),
    } | _common(store, params)
    _afford(store, account, body["currency"], body["amount"])
    store.save(account, body)
    store.move(body, account, destination["id"])
    store.emit("transfer.created", _shown(store, account, body))
    return _shown(store, account, body)


def retrieve_transfer(store, account, params, id):
    return _shown(store, account, store.find("transfer", account, id))


def list_transfers(store, account, params):
    found = store.page("transfer", account, params, "/v1/transfers")
    return found | {"data": [_shown(store, account, body) for body in found["data"]]}


def create_reversal(store, account, params, id):
    transfer = store.find("transfer", account, id)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = params.get("amount", left)
    if left == 0:
        raise Refusal(f"Transfer {id} is already fully reversed.", executed=True)
    if amount > left:
        message = f"Reversal amount ({amount}) is greater than the unreversed amount ({left})."
        raise Refusal(message, param="amount", executed=True)
    _afford(store, transfer["destination"], transfer["currency"], amount)
    money = {"amount": amount, "currency": transfer["currency"]}
    body = _common(store, params | money) | {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "destination_payment_refund": new_id("pyr"),
        "source_refund": None,
        "transfer": id,
    }
    for name in ("description", "livemode"):
        del body[name]
    before = {name: transfer[name] for name in ("amount_reversed", "reversed")}
    transfer["amount_reversed"] += amount
    transfer["reversed"] = amount == left
    store.save(account, body)
    store.save(account, transfer)
    store.move(body, transfer["destination"], account)
    store.emit("transfer.reversed", _shown(store, account, transfer), **before)
    return body


def list_reversals(store, account, params, id):
    store.find("transfer", account, id)
    url = f"/v1/transfers/{id}/reversals"
    return store.page("transfer_reversal", account, params | {"transfer": id}, url)


def retrieve_balance(store, account, params):
    sql = "select currency, amount from balances where account = ? order by currency"
    rows = store.db.execute(sql, (account,)).fetchall() or [("usd", 0)]
    return {
        "object": "balance",
        "available": [_funds(currency, amount) for currency, amount in rows],
        "livemode": False,
        "pending": [_funds(currency, 0) for currency, _ in rows],
    }


def retrieve_event(store, account, params, id):
    return store.find("event", account, id)


def list_events(store, account, params):
    return store.page("event", account, params, "/v1/events")


def _common(store, params):
    currency = params["currency"].lower()
    if len(currency) != 3 or not currency.isalpha():
        raise Refusal(f"Invalid currency: {currency}.", param="currency", executed=True)
    return {
        "amount": params["amount"],
        "balance_transaction": new_id("txn"),
        "created": store.now(),
        "currency": currency,
        "description": params.get("description") or None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
    }


def _shown(store, account, transfer):
    return transfer | {"reversals": list_reversals(store, account, {}, transfer["id"])}


def _afford(store, account, currency, amount):
    if amount > store.balance(account, currency):
        message = "You have insufficient funds in your Stripe account for this transfer."
        raise Refusal(message, code="balance_insufficient", executed=True)


def _funds(currency, amount):
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
