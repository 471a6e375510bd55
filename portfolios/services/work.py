"""What every entry of work on a loan has in common: the spell it is on, amounts, dates."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import Error, transaction
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from config import dberrors, errors
from portfolios.models import PlacedLoan
from portfolios.selectors import visible_spells

LARGEST_AMOUNT_MINOR = 10**13
LONGEST_REFERENCE = 60
ROWS_MAX = 500
ATTEMPTS = 5
ROW_SECURITY = "42501"
"""SQLSTATE insufficient_privilege: also that a new row violates row-level security."""

RECORDED = "recorded"
ALREADY_RECORDED = "already_recorded"
REFUSED = "refused"

Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row of a batch; `id` names what was recorded.

    `warnings` are codes of what is odd about it though it was recorded. A refused row has `code`,
    `message` and `field`. `spell_id` is the spell that the answer says something about.
    """

    row: int
    outcome: str
    id: str = ""
    spell_id: str = ""
    warnings: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    field: str = ""

    def stored(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"warnings": list(self.warnings)}

    @classmethod
    def restored(cls, answer: dict[str, Any]) -> "Answer":
        return cls(**answer | {"warnings": tuple(answer["warnings"])})


def refused(row: int, error: errors.DomainError, spell: PlacedLoan | None = None) -> Answer:
    """The answer to a row that cannot be recorded."""
    return Answer(
        row=row,
        outcome=REFUSED,
        spell_id=str(spell.pk) if spell else "",
        code=error.code,
        message=str(error.message),
        field=error.field or "",
    )


def check_batch(rows: list) -> None:
    """Raise `InvalidInput` unless there are 1 to 500 rows."""
    if not rows:
        raise errors.InvalidInput("REQUIRED", _("Send at least one row."), field="rows")
    if len(rows) > ROWS_MAX:
        raise errors.InvalidInput(
            "TOO_MANY_ROWS", _("Send at most 500 rows in one batch."), field="rows"
        )


def seen_now(actor: Actor, answers: list[dict]) -> list[Answer]:
    """A first answer as the actor may read it now.

    Where the loan has been taken back meanwhile, the row reads as one about an unknown loan.
    """
    first = [Answer.restored(answer) for answer in answers]
    told = {answer.spell_id for answer in first if answer.spell_id}
    visible = {
        str(pk) for pk in visible_spells(actor).filter(pk__in=told).values_list("pk", flat=True)
    }
    return [
        answer if answer.spell_id in visible | {""} else refused(answer.row, unknown_loan())
        for answer in first
    ]


def unknown_loan() -> errors.NotFound:
    """The refusal for a loan that does not exist, or not for this actor: the two read the same."""
    return errors.NotFound(
        "NOT_FOUND", _("There is no such loan in your placements."), field="loan_reference"
    )


def open_spells(
    actor: Actor, references: Iterable[str], loan_ids: Iterable = ()
) -> dict[str, list[PlacedLoan]]:
    """The open spells that the actor may work on, by the loan's reference and by its id."""
    visible = visible_spells(actor).select_related("loan", "placement", "institution")
    by_name = defaultdict(list)
    for spell in visible.filter(loan__reference__in=set(references)):
        by_name[spell.loan.reference].append(spell)
    if loan_ids:
        for spell in visible.filter(loan__in=set(loan_ids)):
            by_name[str(spell.loan_id)].append(spell)
    return by_name


def spell_of(spells: list[PlacedLoan], institution: str | None = None) -> PlacedLoan:
    """The one spell among those found for a name; `institution` is the short name of a bank.

    Raises `NotFound`, or `InvalidInput` with `AMBIGUOUS_LOAN` where two banks use one reference.
    """
    if institution:
        spells = [spell for spell in spells if spell.institution.slug == institution]
    if not spells:
        raise unknown_loan()
    if len(spells) > 1:
        raise errors.InvalidInput(
            "AMBIGUOUS_LOAN",
            _("Two institutions use this loan reference. Name the institution too."),
            field="institution",
        )
    return spells[0]


def find_spell(
    actor: Actor, *, loan_id=None, reference: str | None = None, institution: str | None = None
) -> PlacedLoan:
    """The open spell of one loan, named by its id or by its reference."""
    if loan_id is not None:
        visible = visible_spells(actor).select_related("loan", "placement", "institution")
        return spell_of(list(visible.filter(loan=loan_id)))
    found = open_spells(actor, [reference or ""])
    return spell_of(found[reference or ""], institution)


def check_amount(amount_minor: int, *, field: str = "amount_minor") -> None:
    """Raise `InvalidInput` unless the amount is above zero and at most 10^13 minor units."""
    if amount_minor <= 0:
        raise errors.InvalidInput("NOT_POSITIVE", _("Give an amount above zero."), field=field)
    if amount_minor > LARGEST_AMOUNT_MINOR:
        raise errors.InvalidInput(
            "AMOUNT_TOO_LARGE", _("This is more than any loan can owe."), field=field
        )


def check_reference(reference: str, *, field: str = "reference") -> None:
    """Raise `InvalidInput` unless the reference has 1 to 60 characters and no blank ends."""
    if not reference.strip():
        raise errors.InvalidInput("REQUIRED", _("Give a reference."), field=field)
    if len(reference) > LONGEST_REFERENCE:
        raise errors.InvalidInput(
            "TOO_LONG", _("A reference has at most 60 characters."), field=field
        )
    if reference != reference.strip() or "\x00" in reference:
        raise errors.InvalidInput(
            "INVALID_REFERENCE", _("Take the blanks around the reference away."), field=field
        )


def check_value_date(value_on: date, spell: PlacedLoan, moment: datetime) -> None:
    """Raise `InvalidInput` for a value date in the future or before the loan was placed."""
    zone = ZoneInfo(spell.institution.time_zone)
    if value_on > moment.astimezone(zone).date():
        raise errors.InvalidInput(
            "FUTURE_DATE", _("The value date is in the future."), field="value_on"
        )
    if value_on < spell.opened_at.astimezone(zone).date():
        raise errors.InvalidInput(
            "BEFORE_PLACEMENT",
            _("The value date is before the loan was placed with you."),
            field="value_on",
        )


def checked_currency(currency: str | None, spell: PlacedLoan) -> str:
    """The loan's currency; `WRONG_CURRENCY` if another one was named."""
    if currency and currency != spell.loan.currency:
        raise errors.InvalidInput(
            "WRONG_CURRENCY",
            _("This loan is in %(currency)s.") % {"currency": spell.loan.currency},
            field="currency",
        )
    return spell.loan.currency


def until_live(attempt: Callable[[], Result]) -> Result:
    """What `attempt` answers, in a savepoint; made again when a placement ended in the middle.

    The next attempt reads what is live once more and finds the loan gone. The end may be noticed
    by the guard of the table or, where it came before the statement, by row-level security; what
    row-level security refuses every time is a fault of ours.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            with transaction.atomic():
                return attempt()
        except Error as error:
            is_refused = getattr(error.__cause__, "sqlstate", "") == ROW_SECURITY
            if not (
                isinstance(dberrors.translate(error), errors.NotFound) or (is_refused and left)
            ):
                raise
    raise unknown_loan()
