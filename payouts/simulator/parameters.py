"""Reading a request's parameters and refusing them as Stripe does.

What Stripe accepts and the simulator does not act on is left out of the allow-lists on purpose:
being refused is better than being ignored.
"""

import re
from urllib.parse import parse_qsl

RANGE = {"gt": int, "gte": int, "lt": int, "lte": int}
PAGE = {"limit": int, "starting_after": str}
REQUESTED = {"requested": bool}
MONEY = {"amount": int, "currency": str, "description": str, "metadata": dict}

TRANSFER = MONEY | {"destination": str, "transfer_group": str}
REVERSAL = {"amount": int, "description": str, "metadata": dict}
LIST_TRANSFERS = PAGE | {"destination": str, "transfer_group": str, "created": RANGE}
LIST_EVENTS = PAGE | {"type": str, "created": RANGE}
LIST_ACCOUNTS = {"limit": int, "page": str}
RETRIEVE_ACCOUNT = {"include": list}
CREATE_ACCOUNT = {
    "contact_email": str,
    "display_name": str,
    "dashboard": str,
    "identity": {"country": str, "entity_type": str},
    "defaults": {"responsibilities": {"fees_collector": str, "losses_collector": str}},
    "configuration": {
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": REQUESTED}}}
    },
    "include": list,
    "metadata": dict,
}


class Refusal(Exception):
    """Stripe's error answer; the idempotency layer keeps it when the call was `executed`."""

    def __init__(self, message, *, code=None, param=None, status=400, executed=False, **more):
        super().__init__(message)
        error = {
            "type": "invalid_request_error",
            "message": message,
            "code": code,
            "param": param,
        }
        self.body = {"error": {k: v for k, v in (error | more).items() if v is not None}}
        self.status = status
        self.executed = executed


def decode_form(text: str) -> dict:
    """`a[b][c]=d` as nested dictionaries, `a[0]=b` as lists; values stay strings."""
    tree: dict = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *parents, last = re.findall(r"[^\[\]]+", name) or [name]
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise Refusal(f"Invalid object: {name}", param=parents[0])
        node[last] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value):
    if isinstance(value, dict) and value and all(name.isdigit() for name in value):
        return [value[name] for name in sorted(value, key=int)]
    return value


def check(params: dict, allowed: dict, required=(), prefix="") -> dict:
    """`params` with their integers read; unknown, missing and malformed ones are refused."""
    path = f"{prefix}[%s]" if prefix else "%s"
    for name in params:
        if name not in allowed:
            shown = path % name
            message = f"Received unknown parameter: {shown}"
            raise Refusal(message, code="parameter_unknown", param=shown)
    for name in required:
        if params.get(name) in (None, ""):
            message = f"Missing required param: {name}."
            raise Refusal(message, code="parameter_missing", param=name)
    return {name: _read(value, allowed[name], path % name) for name, value in params.items()}


def _read(value, kind, name):
    if kind is int:
        if not re.fullmatch("[0-9]+", str(value)):
            message = f"Invalid integer: {value}"
            raise Refusal(message, code="parameter_invalid_integer", param=name)
        number = int(value)
        too_small = name in ("amount", "limit") and number < 1
        if too_small or (name == "limit" and number > 100):
            bound = "greater than or equal to 1" if too_small else "less than or equal to 100"
            message = f"This value must be {bound}."
            raise Refusal(message, code="parameter_invalid_integer", param=name)
        return number
    if not isinstance(value, dict if isinstance(kind, dict) else kind):
        raise Refusal(f"Invalid value for {name}", param=name)
    if kind is dict and any(len(k) > 40 or len(str(v)) > 500 for k, v in value.items()):
        raise Refusal("Metadata keys have up to 40 characters, values up to 500.", param=name)
    return check(value, kind, prefix=name) if isinstance(kind, dict) else value
