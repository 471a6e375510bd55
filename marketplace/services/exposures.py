"""Exposures: which loans were with whom for how long, and what they paid, as known at a moment.

Everything comes from rows that are only ever added, with the moment at which they were, so the same
question about a past moment has the same answer for ever. The rules, from the contract between bank
and agency:

* A loan is exposed from the day on which it was placed. A recall by the bank ends that with its
  day. A return by the agency does not, and neither does a settlement: both run to the end of the
  term, or returning the hard loans and keeping the paid ones would pay.
* A loan with a promise still open when it was recalled, or when its term ended, has its tail: as
  many days more, in which payments count.
* Money counts once it is confirmed, less what was taken back, in the month of the payment; what was
  paid at the bank itself from a number of days after placement on, because it may have been on its
  way before. Of loans that the bank holds as settled, below its floor, none counts.
* Strata are facts of the first day, frozen in the spell.
"""

import dataclasses
import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from config import money
from marketplace.models import RankingPolicy

MONTH_DAYS = 30
"""Days of a month on book: months of equal length can be compared and counted in whole days."""
SEPARATOR = "|"
BANDED = {
    "days_past_due": "s.days_past_due",
    "balance": "s.balance_minor",
    "earlier_placements": "s.earlier_placements",
    "score": "s.score",
}
PLAIN = {"product": "s.product", "grade": "s.grade", "region": "s.region"}


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked: loans of one institution in one currency, as known at `at`.

    `placement_ids` None means all; `product` "" means any. Without `starts_on` and `ends_on`, the
    first and the last day that count, it is the policy's window up to `at`.
    """

    policy: RankingPolicy
    time_zone: str
    currency: str
    at: datetime.datetime
    placement_ids: list | None = None
    product: str = ""
    starts_on: datetime.date | None = None
    ends_on: datetime.date | None = None

    @property
    def asked_on(self) -> datetime.date:
        """The business day on which it is asked, which is not over."""
        return self.at.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def until_on(self) -> datetime.date:
        """The day before which days count."""
        if self.ends_on is None:
            return self.asked_on
        return min(self.asked_on, self.ends_on + datetime.timedelta(days=1))

    @property
    def from_on(self) -> datetime.date:
        """The day from which months count that begin on it or later."""
        days = self.policy.window_months * MONTH_DAYS
        return self.starts_on or self.until_on - datetime.timedelta(days=days)

    def parameters(self) -> dict[str, Any]:
        unit = 10 ** money.exponent(self.currency)
        edges = {
            f"edges_{name}": [edge * unit if name == "balance" else edge for edge in bands]
            for name, bands in self.policy.strata
            if bands is not None
        }
        return {
            **edges,
            "institution": self.policy.institution_id,
            "currency": self.currency,
            "zone": self.time_zone,
            "at": self.at,
            "until": self.until_on,
            "from": self.from_on,
            "placements": self.placement_ids,
            "product": self.product,
            "month": MONTH_DAYS,
            "lead": self.policy.lead_days,
            "floor": self.policy.settlement_floor_ppm,
            "least": self.policy.least_payment * unit,
            "least_ppm": self.policy.least_share_ppm,
        }


# A day is over at the midnight after it; what ends exactly at midnight had the day before as last.
DAY_AFTER = "(({moment} - interval '1 microsecond') at time zone %(zone)s)::date + 1"
# What is the same for all spells of a placement is found here, once: `end_on` is the day after the
# last one of the term, or of the recall; `ended_at` the moment in which nothing was left of it.
PLACEMENTS = f"""
    select id, agency_id, tail_days, first_on, closed_at, least(closed_at, ends_at) as ended_at,
        least(term_on, {DAY_AFTER.format(moment="recalled_at")}) as end_on
    from (
        select p.id, p.agency_id, p.tail_days, p.ends_at,
            (p.opened_at at time zone %(zone)s)::date as first_on,
            {DAY_AFTER.format(moment="p.ends_at")} as term_on,
            case when p.closed_at < %(at)s then p.closed_at end as closed_at,
            case when p.closed_at < %(at)s and p.state = 'recalled' then p.closed_at end
                as recalled_at
        from portfolios_placement p
        where p.institution_id = %(institution)s and p.currency = %(currency)s
            and p.opened_at < %(at)s
            and (%(placements)s::uuid[] is null or p.id = any (%(placements)s::uuid[]))
    ) as known
"""
# Most spells end with their placement: only of the others a day is found for each.
SPELLS = f"""
    select s.id, s.placement_id, p.agency_id, p.first_on, p.tail_days, s.balance_minor,
        s.is_comparison as is_random, {{stratum}} as stratum, s.loan_id, s.opened_at, s.closed_at,
        case when s.closed_at < %(at)s then least(s.closed_at, p.ended_at) else p.ended_at end
            as ended_at,
        case when s.close_kind = 'recalled' and s.closed_at < %(at)s
                and s.closed_at is distinct from p.closed_at
            then least(p.end_on, {DAY_AFTER.format(moment="s.closed_at")}) else p.end_on end
            as end_on
    from portfolios_placedloan s join placement p on p.id = s.placement_id
    where %(product)s = '' or s.product = %(product)s
"""
PROMISES = """
    select spell_id, max(due_on) as due_on from portfolios_promise
    where institution_id = %(institution)s and logged_at < %(at)s group by spell_id
"""
EXPOSED = f"""
    create temporary table success_spell on commit drop as
    with placement as materialized ({PLACEMENTS}), spell as ({SPELLS}), promised as ({PROMISES}),
    ended as (
        select s.*, s.end_on + case
            -- A return and a settlement end nothing, so no tail comes after them.
            when d.due_on is not null and s.ended_at <= %(at)s
                and s.end_on = {DAY_AFTER.format(moment="s.ended_at")}
                and d.due_on >= (s.ended_at at time zone %(zone)s)::date
            then s.tail_days else 0 end as last_on
        from spell s left join promised d on d.spell_id = s.id
    )
    select id, placement_id, agency_id, first_on, balance_minor, is_random, stratum, loan_id,
        opened_at, closed_at,
        least(last_on, %(until)s) as until_on, least(last_on, %(until)s) - first_on as days
    from ended
    where least(last_on, %(until)s) > first_on
        -- What was owed nothing can bring nothing, and has no rate.
        and balance_minor > 0
"""
PAID = """
    create temporary table success_month on commit drop as
    with reversed as (
        select recovery_id, sum(amount_minor) as amount_minor from portfolios_reversal
        where institution_id = %(institution)s and logged_at < %(at)s group by recovery_id
    )
    select s.id as spell_id, ((r.value_on - s.first_on) / %(month)s)::int as month,
        sum(r.amount_minor - coalesce(v.amount_minor, 0))::bigint as cash_minor
    from success_spell s
    join portfolios_recovery r on r.spell_id = s.id
    join portfolios_confirmation c on c.recovery_id = r.id and c.confirmed_at < %(at)s
    left join reversed v on v.recovery_id = r.id
    left join portfolios_directpayment d on d.recovery_id = r.id
    where r.value_on < s.until_on
        and r.value_on >= s.first_on + case when d.id is null then 0 else %(lead)s end
    group by 1, 2
"""
BELOW_FLOOR = """
    delete from success_month where spell_id in (
        select s.id from success_spell s join success_month m on m.spell_id = s.id
        where exists (
            select from portfolios_hold h
            where h.loan_id = s.loan_id and h.kind = 'settled' and h.opened_at < %(at)s
                and h.opened_at >= s.opened_at
                and (s.closed_at is null or s.closed_at >= %(at)s or h.opened_at <= s.closed_at)
                and (h.released_at is null or h.released_at >= %(at)s)
        )
        group by s.id, s.balance_minor
        having sum(m.cash_minor) * 1000000 < %(floor)s * s.balance_minor::numeric
    )
"""
IS_PAYING = (
    "m.cash_minor > 0 and m.cash_minor >= %(least)s"
    " and m.cash_minor * 1000000::numeric >= %(least_ppm)s * s.balance_minor::numeric"
)
CELLS = f"""
    with alike as (
        select placement_id, stratum, is_random, days, count(*) as loans,
            sum(balance_minor) as balance_minor
        from success_spell group by 1, 2, 3, 4
    ), exposed as (
        select placement_id, stratum, is_random, month,
            sum(loans * least(%(month)s, days - month * %(month)s))::bigint as loan_days,
            sum(balance_minor * least(%(month)s, days - month * %(month)s))::bigint as balance_days
        from alike, generate_series(0, (days - 1) / %(month)s) as month
        group by 1, 2, 3, 4
    ), paid as (
        select s.placement_id, s.stratum, s.is_random, m.month,
            count(*) filter (where {IS_PAYING}) as payers,
            coalesce(sum(s.balance_minor) filter (where {IS_PAYING}), 0)::bigint
                as payer_balance_minor,
            sum(m.cash_minor)::bigint as cash_minor
        from success_month m join success_spell s on s.id = m.spell_id
        group by 1, 2, 3, 4
    )
    select e.placement_id, e.stratum, e.is_random, e.month::smallint as month, e.loan_days,
        e.balance_days, coalesce(p.payers, 0) as payers,
        coalesce(p.payer_balance_minor, 0) as payer_balance_minor,
        coalesce(p.cash_minor, 0) as cash_minor
    from exposed e left join paid p using (placement_id, stratum, is_random, month)
"""
"""Money comes only on days of exposure, so no cell has money alone."""


def find(question: Question) -> None:
    """Fill the temporary tables `success_spell` and `success_month` with what the question asks.

    They live until the transaction ends, or the next question. `success_spell` has a row per
    exposed spell: id, placement_id, agency_id, first_on, until_on, days, balance_minor, is_random,
    stratum. `success_month` has spell_id, month (on book, from 0 on) and cash_minor.
    """
    parameters = question.parameters()
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists success_spell, success_month")
        cursor.execute(EXPOSED.replace("{stratum}", stratum(question.policy)), parameters)
        cursor.execute("analyze success_spell")
        for statement in (PAID, BELOW_FLOOR):
            cursor.execute(statement, parameters)
        cursor.execute("analyze success_month")


def stratum(policy: RankingPolicy) -> str:
    """The text of a loan's stratum in SQL: its bands, one after another."""
    parts = []
    for name, bands in policy.strata:
        if bands is None:
            parts.append(f"replace({PLAIN[name]}, '{SEPARATOR}', '/')")
        else:
            band = f"width_bucket({BANDED[name]}::bigint, %(edges_{name})s::bigint[])"
            parts.append(f"coalesce({band}::text, '')")
    return f" || '{SEPARATOR}' || ".join(parts) or "''"
