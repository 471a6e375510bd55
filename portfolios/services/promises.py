"""Promises to pay: an amount by a day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from agencies import audit, policies
from agencies.actors import Actor
from config import clock, errors
from portfolios.models import PlacedLoan, Promise
from portfolios.services import work

FURTHEST = timedelta(days=3660)


def log(
    *,
    actor: Actor,
    amount_minor: int,
    due_on: date,
    loan_id=None,
    reference: str | None = None,
    institution: str | None = None,
    currency: str | None = None,
) -> Promise:
    """Record what a borrower promised to pay by a day, in the loan's currency.

    Raises `NotFound` for a loan that the actor may not work on; `InvalidInput`: `NOT_POSITIVE`,
    `AMOUNT_TOO_LARGE`, `WRONG_CURRENCY`, `PAST_DATE`, `TOO_FAR`.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    work.check_amount(amount_minor)

    def attempt() -> Promise:
        spell = work.find_spell(
            actor, loan_id=loan_id, reference=reference, institution=institution
        )
        moment = clock.now()
        _check_day(due_on, moment, spell)
        promise = Promise(
            institution_id=spell.institution_id,
            agency_id=spell.agency_id,
            placement_id=spell.placement_id,
            spell=spell,
            loan_id=spell.loan_id,
            logged_at=moment,
            logged_by=actor.label,
            currency=work.checked_currency(currency, spell),
            amount_minor=amount_minor,
            due_on=due_on,
        )
        promise.save(force_insert=True)
        _record(actor, promise)
        return promise

    return work.until_live(attempt)


def _record(actor: Actor, promise: Promise) -> None:
    audit.record(
        actor,
        "promise.log",
        promise,
        changes={
            "amount_minor": promise.amount_minor,
            "currency": promise.currency,
            "due_on": promise.due_on.isoformat(),
        },
        agency_id=promise.agency_id,
        placement_id=promise.placement_id,
    )


def _check_day(due_on: date, moment, spell: PlacedLoan) -> None:
    today = moment.astimezone(ZoneInfo(spell.institution.time_zone)).date()
    if due_on < today:
        raise errors.InvalidInput("PAST_DATE", _("This day is over already."), field="due_on")
    if due_on > today + FURTHEST:
        raise errors.InvalidInput(
            "TOO_FAR", _("A promise is for the next ten years."), field="due_on"
        )
