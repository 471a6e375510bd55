"""Recipient accounts, `/v2/core/accounts`. A requested capability is active at once."""

from datetime import UTC, datetime

from payouts.simulator.parameters import Refusal
from payouts.simulator.store import new_id

KIND = "v2.core.account"


def create(store, account, params):
    recipient = params.get("configuration", {}).get("recipient")
    if recipient is not None:
        _demand(params, "contact_email")
        _demand(params, "identity", "country")
        _demand(params, "defaults", "responsibilities")
    wanted = (recipient or {}).get("capabilities", {}).get("stripe_balance", {})
    requested = wanted.get("stripe_transfers", {}).get("requested")
    active = {"stripe_transfers": {"status": "active", "status_details": []}}
    capabilities = {"stripe_balance": active if requested else None}
    shown = {"applied": True, "capabilities": capabilities}
    body = {
        "id": new_id("acct"),
        "object": KIND,
        "applied_configurations": ["recipient"] if recipient is not None else [],
        "closed": False,
        "configuration": {"recipient": None if recipient is None else shown},
        "contact_email": params.get("contact_email"),
        "created": datetime.fromtimestamp(store.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "dashboard": params.get("dashboard"),
        "defaults": params.get("defaults"),
        "display_name": params.get("display_name"),
        "identity": params.get("identity"),
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "requirements": None,
    }
    store.save(account, body)
    return _included(body, params)


def retrieve(store, account, params, id):
    return _included(store.find(KIND, account, id), params)


def listing(store, account, params):
    limit = params.get("limit", 20)
    cursor = {"starting_after": params["page"]} if "page" in params else {}
    found = store.page(KIND, account, cursor | {"limit": limit})
    data = [_included(body, {}) for body in found["data"]]
    following = f"/v2/core/accounts?limit={limit}&page={data[-1]['id']}" if data else None
    following = following if found["has_more"] else None
    return {"data": data, "next_page_url": following, "previous_page_url": None}


def can_receive(body) -> bool:
    recipient = body["configuration"]["recipient"] or {"capabilities": {}}
    balance = recipient["capabilities"].get("stripe_balance") or {"stripe_transfers": {}}
    return balance["stripe_transfers"].get("status") == "active"


def set_status(store, account, id, status):
    """Make the transfers capability `active`, `pending`, `restricted` and so on."""
    body = store.find(KIND, account, id)
    balance = body["configuration"]["recipient"]["capabilities"]["stripe_balance"]
    balance["stripe_transfers"]["status"] = status
    store.save(account, body)


def _demand(params, *path):
    for name in path:
        params = params.get(name) or {}
    if not params:
        param = ".".join(path)
        raise Refusal(f"Missing required param: {param}", code="parameter_missing", param=param)


def _included(body, params):
    include = params.get("include", [])
    hidden = {name: None for name in ("identity", "defaults") if name not in include}
    if "configuration.recipient" not in include:
        hidden["configuration"] = None
    return body | hidden
