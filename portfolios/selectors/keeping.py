"""Promises kept and broken, and plans that are still alive: what was paid, not what was signed."""

import dataclasses
import uuid

from portfolios.selectors.observed import PAYMENTS, SPELLS, Observed, rate_ppm

GRACE_DAYS = 3
"""How many days after it was due a promise may still be kept: banks book with a delay."""

PLAN_DAYS = 3
"""How many different due days make the promises of one spell a plan."""


@dataclasses.dataclass(frozen=True, slots=True)
class Keeping:
    """Promises and plans, counted. `lapsed_count` are promises whose spell, with its tail, was
    over before they could be judged; `due_…_count` are plans of which so many months have passed
    in the spell, `alive_…_count` those of them of which nothing was broken until then."""

    kept_count: int = 0
    broken_count: int = 0
    open_count: int = 0
    lapsed_count: int = 0
    plan_count: int = 0
    due_after_three_count: int = 0
    alive_after_three_count: int = 0
    due_after_six_count: int = 0
    alive_after_six_count: int = 0

    def __add__(self, other: "Keeping") -> "Keeping":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Keeping(*(mine + theirs for mine, theirs in pairs))

    @property
    def kept_ppm(self) -> int | None:
        """Kept of the promises that are judged; None while none is."""
        return rate_ppm(self.kept_count, self.kept_count + self.broken_count)

    @property
    def alive_after_three_ppm(self) -> int | None:
        return rate_ppm(self.alive_after_three_count, self.due_after_three_count)

    @property
    def alive_after_six_ppm(self) -> int | None:
        return rate_ppm(self.alive_after_six_count, self.due_after_six_count)


# Money of a spell is a line, from 0 to all that came in, in order of value dates. The promises
# walk along it, the earliest due first: each takes what it promised from where the one before
# stopped, but not from before the day it was logged (`from_minor`) nor beyond its last day
# (`until_minor`). So it stops at
#     stop(n) = min(max(stop(n - 1), from(n)) + amount(n), until(n)).
# Less the sum of the amounts so far this is a value held between two bounds, floor(n) and
# ceiling(n), and unrolled the largest, over all j <= n, of the least of floor(j) and the
# ceilings from j to n: window functions over pairs, without a walk. It is kept if nothing cut it.
FIGURES = """
ordered as (
    select p.spell_id, p.due_on, p.due_on + %(grace)s as until_on, p.amount_minor,
        (p.logged_at at time zone %(zone)s)::date as logged_on,
        row_number() over (o) as number,
        sum(p.amount_minor) over (o rows unbounded preceding) as promised_minor
    from portfolios_promise p
    join spells s on s.id = p.spell_id
    window o as (partition by p.spell_id order by p.due_on, p.logged_at, p.id)
),
bounds as (
    select o.spell_id, o.number, o.due_on, o.until_on,
        coalesce(sum(p.net_minor) filter (where p.value_on < o.logged_on), 0)
            - o.promised_minor + o.amount_minor as floor,
        coalesce(sum(p.net_minor) filter (where p.value_on <= o.until_on), 0)
            - o.promised_minor as ceiling
    from ordered o
    left join payments p on p.spell_id = o.spell_id
    group by o.spell_id, o.number, o.due_on, o.until_on, o.amount_minor, o.promised_minor
),
pairs as (
    select n.spell_id, n.number, least(
        j.floor,
        min(n.ceiling) over (partition by n.spell_id, j.number order by n.number)
    ) as stop
    from bounds n
    join bounds j on j.spell_id = n.spell_id and j.number <= n.number
),
stops as (
    select spell_id, number, max(stop) as stop from pairs group by spell_id, number
),
judged as (
    select b.spell_id, b.due_on, min(b.due_on) over (partition by b.spell_id) as first_on,
        case
            when greatest(
                b.floor, lag(t.stop) over (partition by b.spell_id order by b.number)
            ) <= b.ceiling then 'kept'
            when s.is_over and b.until_on > s.last_on then 'lapsed'
            when b.until_on < %(today)s then 'broken'
            else 'open'
        end as state
    from bounds b
    join stops t on t.spell_id = b.spell_id and t.number = b.number
    join spells s on s.id = b.spell_id
),
marked as (
    select j.*,
        (first_on + interval '3 months')::date as third_on,
        (first_on + interval '6 months')::date as sixth_on
    from judged j
),
by_spell as (
    select spell_id,
        count(*) filter (where state = 'kept') as kept,
        count(*) filter (where state = 'broken') as broken,
        count(*) filter (where state = 'open') as open,
        count(*) filter (where state = 'lapsed') as lapsed,
        count(distinct due_on) >= %(plan_days)s as is_plan,
        third_on, bool_and(state = 'kept') filter (where due_on <= third_on) as lives_third,
        sixth_on, bool_and(state = 'kept') filter (where due_on <= sixth_on) as lives_sixth
    from marked
    group by spell_id, third_on, sixth_on
),
aged as (
    select p.*, s.agency_id,
        p.is_plan and third_on + %(grace)s <= c.judged_on as is_third,
        p.is_plan and sixth_on + %(grace)s <= c.judged_on as is_sixth
    from by_spell p
    join spells s on s.id = p.spell_id
    cross join lateral (
        select least(%(today)s - 1, case when s.is_over then s.last_on end) as judged_on
    ) c
)
select agency_id, sum(kept)::int, sum(broken)::int, sum(open)::int, sum(lapsed)::int,
    count(*) filter (where is_plan),
    count(*) filter (where is_third), count(*) filter (where is_third and lives_third),
    count(*) filter (where is_sixth), count(*) filter (where is_sixth and lives_sixth)
from aged
group by agency_id
"""


def kept(field: Observed) -> dict[uuid.UUID, Keeping]:
    """Promises and plans of each agency; one statement.

    A promise is kept if confirmed money of its spell, valued from the day it was logged to 3 days
    after it was due, reaches its amount; broken if those days are over without; open before.
    Money serves one promise, the earliest due first, and what a promise passed over serves no
    later one. A plan is the promises of one spell with at least three different due days. It is
    alive after three (six) months if every promise due up to three (six) months after the first
    due day was kept; it is asked only once those months and the days of grace have passed in the
    spell. Days are the bank's business days.
    """
    rows = field.rows([SPELLS, PAYMENTS, FIGURES], grace=GRACE_DAYS, plan_days=PLAN_DAYS)
    return {agency_id: Keeping(*counts) for agency_id, *counts in rows}
