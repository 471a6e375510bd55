"""An institution's own rules about placements: read with their defaults, changed with a reason."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, texts
from agencies.actors import Actor
from config import clock, errors, money
from portfolios.models import PlacementRules
from portfolios.selectors import visible_rules
from portfolios.services import idempotency

MAY_CHANGE = policies.ADMINISTRATORS | policies.VENDOR_MANAGERS
DAYS = {
    "recall_notice_days": (1, 365),
    "recent_payment_days": (0, 365),
    "tail_days": (0, 365),
    "untouched_days": (1, 365),
}
SHARES = ("balance_share_max_ppm", "loan_share_max_ppm")
SWITCHES = ("is_never_twice", "is_one_agency_per_borrower")


def current(*, actor: Actor) -> PlacementRules:
    """The rules of the actor's institution; the defaults, not saved, where it has set none."""
    own: Any = actor.institution_id
    return visible_rules(actor).first() or PlacementRules(institution_id=own)


def change(*, actor: Actor, reason: str, **rules: Any) -> PlacementRules:
    """Set the rules named; the others stay. Placements that are open keep their frozen terms.

    `rules` are columns of `PlacementRules`: days, shares in parts per million or None for no
    limit, and switches. Raises `InvalidInput`: `REQUIRED`, `OUT_OF_RANGE`.
    """
    policies.demand(actor, MAY_CHANGE)
    reason = texts.reason(reason)
    for name, value in rules.items():
        _check(name, value)
    with transaction.atomic():
        idempotency.lock("placement rules", actor.institution_id)
        made = current(actor=actor)
        changed = {name: value for name, value in rules.items() if getattr(made, name) != value}
        for name, value in changed.items():
            setattr(made, name, value)
        made.changed_at, made.reason = clock.now(), reason
        made.save()
        audit.record(actor, "placement_rules.change", made, reason=reason, changes=changed)
    return made


def _check(name: str, value: Any) -> None:
    if name in DAYS:
        lowest, highest = DAYS[name]
        if not lowest <= value <= highest:
            raise errors.InvalidInput(
                "OUT_OF_RANGE",
                _("Give between %(lowest)s and %(highest)s days.")
                % {"lowest": lowest, "highest": highest},
                field=name,
            )
    elif name in SHARES:
        if value is not None and not 0 < value <= money.PPM:
            raise errors.InvalidInput(
                "OUT_OF_RANGE", _("A share is above 0 % and at most 100 %."), field=name
            )
    elif name not in SWITCHES:
        raise ValueError(name)
