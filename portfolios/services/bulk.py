"""What every action on many loans has in common: a plan that is shown first and then carried out.

The plan names the loans it takes, and each one it leaves out with a code. Its digest goes back
with the order to carry it out, which is refused when the plan would be another one by then.
"""

import dataclasses
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from config import errors

REFERENCES_MAX = 5_000

WORDS = {
    "UNKNOWN_LOAN": _("You have no loan with this reference"),
    "NOT_IN_PLACEMENT": _("Not in this placement now"),
    "RECALL_PENDING": _("In a recall that is announced already"),
    "ALREADY_HELD": _("On a hold of this kind already"),
    "NOT_HELD": _("Not on a hold that can be released"),
    "COMPLAINT_OPEN": _("Its complaint is not decided"),
    "PROMISE_OPEN": _("A promise is open"),
    "RECENT_PAYMENT": _("A payment came in lately"),
}
"""Why a loan is left out of an action, or stays where it is, by code."""


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """One loan that an action does not take, and the code of why."""

    reference: str
    code: str

    @property
    def words(self) -> str:
        return str(WORDS[self.code])


@dataclasses.dataclass(frozen=True)
class Plan:
    """The loans that an action takes; those in `kept` among them stay where they are for now.

    `digest` is the same for the same plan and no other.
    """

    loan_ids: Sequence[uuid.UUID]
    balance_minor: int
    currency: str
    skipped: Sequence[LeftOut]
    kept: Sequence[LeftOut] = ()

    @property
    def loan_count(self) -> int:
        return len(self.loan_ids)

    @property
    def digest(self) -> str:
        parts = sorted(f"takes {loan_id}" for loan_id in self.loan_ids)
        parts += sorted(f"keeps {one.code} {one.reference}" for one in self.kept)
        skipped = Counter(one.code for one in self.skipped)
        parts += sorted(f"skips {code} {count}" for code, count in skipped.items())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def counted(left_out: Iterable[LeftOut]) -> list[tuple[str, int]]:
    """(why in words, how many) of what is left out, the most frequent first."""
    return [(str(WORDS[code]), n) for code, n in Counter(o.code for o in left_out).most_common()]


def named(references: Iterable[str]) -> list[str]:
    """The references, each once. Raises `InvalidInput`: `REQUIRED`, `TOO_MANY`."""
    found = list(dict.fromkeys(one.strip() for one in references if one.strip()))
    if not found:
        raise errors.InvalidInput("REQUIRED", _("Name at least one loan."), field="references")
    if len(found) > REFERENCES_MAX:
        raise errors.InvalidInput(
            "TOO_MANY", _("Name at most 5,000 loans at a time."), field="references"
        )
    return found


def demand(plan: Plan, expected: str) -> None:
    """Raise `InvalidState` unless this is the plan that was shown and it takes a loan."""
    if plan.digest != expected:
        raise errors.InvalidState(
            "PLAN_CHANGED", _("Things have changed since you looked. Look at the preview again.")
        )
    if not plan.loan_ids:
        raise errors.InvalidState("NOTHING_TO_DO", _("No loan is left to do this with."))
