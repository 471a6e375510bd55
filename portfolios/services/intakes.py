"""What people leave in an institution's public form, until a compliance officer settles it."""

import dataclasses
import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, encryption, errors
from portfolios.models import Complaint, ComplaintIntake
from portfolios.selectors import visible_intakes

MAY_HANDLE = policies.COMPLIANCE_OFFICERS

LONGEST_ACCOUNT = 4000
LONGEST_CONTACT = 200
LONGEST_REFERENCE = 60
OLDEST_DAYS = 20 * 366


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """What the complainant wrote, and how to reach them; both empty where they gave nothing."""

    account: str
    contact: str


def receive(
    *,
    actor: Actor,
    loan_reference: str,
    category: str,
    happened_on: datetime.date,
    account: str,
    contact: str = "",
    time_zone: str,
) -> None:
    """Keep what somebody unknown left in an institution's public form.

    No loan is looked for: neither the answer nor the time it takes can say whether one exists.
    `time_zone` is the institution's. Raises `InvalidInput` for an unknown category, a day that
    cannot be, or a text that is missing, too long or holds a card number.
    """
    policies.demand(actor, policies.PUBLIC)
    if actor.institution_id is None:
        raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    check_choice(category, Complaint.Category, "category")
    check_day(happened_on, time_zone)
    intake = ComplaintIntake.objects.create(
        institution_id=actor.institution_id,
        loan_reference=texts.checked(
            loan_reference, field="loan_reference", longest=LONGEST_REFERENCE
        ),
        category=category,
        happened_on=happened_on,
        account=texts.checked(account, field="account", longest=LONGEST_ACCOUNT),
        contact=texts.checked(contact, field="contact", longest=LONGEST_CONTACT, shortest=0),
        received_at=clock.now(),
    )
    audit.record(actor, "complaint.receive", intake, changes={"category": category})


def read(*, actor: Actor, intake_id) -> Words:
    """What somebody left in the public form; that it was read stays in the audit trail."""
    policies.demand(actor, MAY_HANDLE)
    intake = selectors.find(visible_intakes(actor), pk=intake_id)
    audit.record(actor, "intake.read", intake)
    return Words(
        account=encryption.reveal(intake, "account"), contact=encryption.reveal(intake, "contact")
    )


def dismiss(*, actor: Actor, intake_id, reason: str) -> ComplaintIntake:
    """Settle what came through the public form without a complaint.

    Raises `NotFound`, `InvalidInput` without a reason, `InvalidState` when it was settled already.
    """
    policies.demand(actor, MAY_HANDLE)
    reason = texts.reason(reason)
    intake = selectors.find(visible_intakes(actor), pk=intake_id)
    with transaction.atomic():
        settle(intake, ComplaintIntake.State.DISMISSED, reason=reason)
        audit.record(
            actor,
            "intake.dismiss",
            intake,
            reason=reason,
            changes={"state": ComplaintIntake.State.DISMISSED},
        )
    intake.refresh_from_db()
    return intake


def settle(intake: ComplaintIntake, state: str, **outcome) -> None:
    """Take the intake out of the queue; `InvalidState` when somebody did already."""
    waiting = ComplaintIntake.objects.filter(pk=intake.pk, state=ComplaintIntake.State.RECEIVED)
    if not waiting.update(state=state, **outcome):
        raise errors.InvalidState("SETTLED", _("Somebody has settled this already."))


def check_day(day: datetime.date, time_zone: str) -> None:
    """Raise `InvalidInput` for a day that is still to come or lies more than 20 years back."""
    today = clock.business_date(time_zone)
    if day > today:
        raise errors.InvalidInput(
            "FUTURE_DATE", _("This day is in the future."), field="happened_on"
        )
    if (today - day).days > OLDEST_DAYS:
        raise errors.InvalidInput(
            "TOO_LONG_AGO",
            _("This is more than 20 years ago. Check the year."),
            field="happened_on",
        )


def check_choice(value: str, choices, field: str) -> None:
    """Raise `InvalidInput` unless the value is one of a `TextChoices`."""
    if value not in choices.values:
        raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the list."), field=field)
