"""What each measure brought: confirmed money by the measure that came before it, and by stage."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from portfolios.models.loans import DAYS_PAST_DUE_EDGES
from portfolios.selectors.keeping import GRACE_DAYS, PLAN_DAYS
from portfolios.selectors.observed import PAYMENTS, SPELLS, Observed, rate_ppm

DAYS_BEFORE = 30
"""How long before a payment a contact may have been to be what it followed."""


class Means(TextChoices):
    """The measures of `Contact`, the plan of payments, and nothing at all."""

    NOTICE = "notice", _("Notice")
    NEGOTIATION = "negotiation", _("Negotiation")
    REPAYMENT_PLAN = "repayment_plan", _("Repayment plan")
    VISIT = "visit", _("Visit")
    ASSET_PRESERVATION = "asset_preservation", _("Asset preservation")
    LITIGATION = "litigation", _("Litigation")
    COLLATERAL_DISPOSAL = "collateral_disposal", _("Collateral disposal")
    NONE = "none", _("None within 30 days")


@dataclasses.dataclass(frozen=True, slots=True)
class Brought:
    """What a measure was tried on and brought: loans and what was owed on them at placement,
    those of them that paid on it, and how much. Of payments by themselves nothing was tried."""

    tried_count: int = 0
    tried_minor: int = 0
    paid_count: int = 0
    recovered_minor: int = 0

    def __add__(self, other: "Brought") -> "Brought":
        return Brought(
            self.tried_count + other.tried_count,
            self.tried_minor + other.tried_minor,
            self.paid_count + other.paid_count,
            self.recovered_minor + other.recovered_minor,
        )

    @property
    def rate_ppm(self) -> int | None:
        """Recovered of what was owed on the loans it was tried on; None where on none."""
        return rate_ppm(self.recovered_minor, self.tried_minor)


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """One agency, measure and stage. `stage` is the number of a band of days past due at
    placement, as in `stage_limits`."""

    agency_id: uuid.UUID
    means: Means
    stage: int


def stage_limits(stage: int) -> tuple[int, int | None]:
    """Days past due from (included) and up to (excluded); None without a limit."""
    edges = (0, *DAYS_PAST_DUE_EDGES, None)
    return edges[stage] or 0, edges[stage + 1]


# The plan runs from the day on which its third due day was agreed: who promised twice before had
# none yet. A payment in its time is the plan's, whoever called in between.
FIGURES = """
due as (
    select p.spell_id, p.due_on, min((p.logged_at at time zone %(zone)s)::date) as agreed_on
    from portfolios_promise p
    join spells s on s.id = p.spell_id
    group by p.spell_id, p.due_on
),
numbered as (
    select *, row_number() over (partition by spell_id order by agreed_on, due_on) as number
    from due
),
plans as (
    select spell_id, max(agreed_on) filter (where number = %(plan_days)s) as begins_on,
        max(due_on) + %(grace)s as ends_on
    from numbered
    group by spell_id
    having count(*) >= %(plan_days)s
),
contacts as materialized (
    select c.id, c.spell_id, c.measure, c.happened_at,
        (c.happened_at at time zone %(zone)s)::date as happened_on
    from portfolios_contact c
    join spells s on s.id = c.spell_id
),
before as (
    select distinct on (p.id) p.id, c.measure
    from payments p
    join contacts c on c.spell_id = p.spell_id
        and c.happened_on between p.value_on - %(before)s and p.value_on
    order by p.id, c.happened_at desc, c.id desc
),
used as (
    select spell_id, measure, 0 as net_minor from contacts
    union all
    select spell_id, 'repayment_plan', 0 from plans
    union all
    select p.spell_id,
        case when plans.spell_id is null then coalesce(b.measure, 'none') else 'repayment_plan' end,
        p.net_minor
    from payments p
    left join before b on b.id = p.id
    left join plans on plans.spell_id = p.spell_id
        and p.value_on between plans.begins_on and plans.ends_on
),
by_spell as (
    select spell_id, measure, sum(net_minor)::bigint as net_minor
    from used
    group by spell_id, measure
)
select s.agency_id, u.measure, width_bucket(s.days_past_due, %(edges)s::int[]),
    count(*), sum(s.balance_minor)::bigint,
    count(*) filter (where u.net_minor > 0), sum(u.net_minor)::bigint
from by_spell u
join spells s on s.id = u.spell_id
group by 1, 2, 3
"""


def brought(field: Observed) -> dict[Cell, Brought]:
    """What came in by agency, measure and stage, in minor units; one statement.

    A payment is put down to the last contact on the same spell on its value date or in the 30
    days before, of whatever outcome; without one it came by itself (`NONE`). Days are the bank's
    business days. While a plan runs, from the day on which the third different due day was agreed
    to the last one and 3 days of grace, payments are the plan's: there is no contact for each.
    A loan on which two measures were tried counts for both, its payment for one.
    """
    rows = field.rows(
        [SPELLS, PAYMENTS, FIGURES],
        before=DAYS_BEFORE,
        grace=GRACE_DAYS,
        plan_days=PLAN_DAYS,
        edges=list(DAYS_PAST_DUE_EDGES),
    )
    found = {}
    for agency_id, measure, stage, loans, owed_minor, paid, net_minor in rows:
        means = Means(measure)
        if means is Means.NONE:
            loans, owed_minor = 0, 0
        found[Cell(agency_id, means, stage)] = Brought(loans, owed_minor, paid, net_minor)
    return found


def summed(cells: Mapping[Cell, Brought], by: Callable[[Cell], Any]) -> dict[Any, Brought]:
    """Sums of `brought` by something of the cells."""
    sums: dict[Any, Brought] = {}
    for cell, figures in cells.items():
        sums[by(cell)] = sums.get(by(cell), Brought()) + figures
    return sums
