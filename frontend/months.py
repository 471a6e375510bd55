"""Months that can be stated, and what preparing one would put on statements."""

import datetime

from django.utils.translation import gettext as _

from agencies.actors import Actor
from config import clock
from payouts.selectors import visible_statements
from payouts.services import statements

OFFERED = 12


def over(time_zone: str) -> list[datetime.date]:
    """The first days of the last twelve months that are over there, the latest first."""
    month = clock.business_date(time_zone).replace(day=1)
    found = []
    for _number in range(OFFERED):
        month = (month - datetime.timedelta(days=1)).replace(day=1)
        found.append(month)
    return found


def preview(actor: Actor, month: datetime.date, time_zone: str) -> list[dict]:
    """What preparing the month would do: rows of `carried_forward` with `is_stated` and `why`."""
    made = set(visible_statements(actor).filter(starts_on=month).values_list("agency", "currency"))
    rows = statements.carried_forward(actor, statements.month_end(month, time_zone))
    for row in rows:
        exists = (row["agency"], row["currency"]) in made
        row["is_stated"] = row["total"] > 0 and not exists
        row["why"] = _("gets a draft")
        if exists:
            row["why"] = _("has a statement for this month; this goes on the next one")
        elif not row["is_stated"]:
            row["why"] = _("comes to nothing or less; carried forward")
    return rows
