"""Cells kept in the database: counted by PostgreSQL, brought up to date from what changed."""

import dataclasses
from typing import Any

from django.db import connection, transaction

from agencies import policies
from agencies.actors import Actor
from config import plans
from marketplace.models import RankingPolicy
from marketplace.selectors import visible_cells, visible_sheets
from marketplace.services import exposures
from marketplace.services.exposures import Question

MAY_COUNT = policies.VENDOR_MANAGERS | policies.SWEEPS
COLUMNS = (
    "placement_id, stratum, is_random, month, loan_days, balance_days, payers,"
    " payer_balance_minor, cash_minor"
)
# What is known of a placement at a moment besides the days that pass: rows that are only added.
KNOWN = f"""
    with placement as ({exposures.PLACEMENTS}), confirmed as (
        select placement_id, count(*) as count from portfolios_confirmation
        where institution_id = %(institution)s and confirmed_at < %(at)s group by 1
    ), reversed as (
        select placement_id, count(*) as count from portfolios_reversal
        where institution_id = %(institution)s and logged_at < %(at)s group by 1
    )
    select p.id as placement_id, coalesce(c.count, 0) as confirmations,
        coalesce(r.count, 0) as reversals,
        p.end_on + p.tail_days <= %(until)s and p.closed_at is not null
            -- The bank may still say that something was not settled after all.
            and %(floor)s = 0 as is_final
    from placement p
    left join confirmed c on c.placement_id = p.id left join reversed r on r.placement_id = p.id
"""
# The counts are kept from before the money is read: what commits in between is counted again.
STALE = f"""
    create temporary table success_stale on commit drop as
    with known as ({KNOWN})
    select k.* from known k
    left join marketplace_successsheet s
        on s.placement_id = k.placement_id and s.policy_id = %(policy)s
    where s.placement_id is null or not s.is_final
        or s.counted_at > %(at)s
        or (s.confirmations, s.reversals) <> (k.confirmations, k.reversals)
"""
FORGET = """
    delete from marketplace_successcell
    where policy_id = %(policy)s and placement_id = any (%(placements)s::uuid[])
"""
KEEP = f"""
    insert into marketplace_successcell (institution_id, policy_id, {COLUMNS})
    select %(institution)s::uuid, %(policy)s::uuid, {COLUMNS} from ({exposures.CELLS}) as counted
"""
NOTE = """
    insert into marketplace_successsheet (
        institution_id, policy_id, placement_id, counted_at, confirmations, reversals, is_final)
    select %(institution)s::uuid, %(policy)s::uuid, placement_id, %(at)s, confirmations, reversals,
        is_final
    from success_stale
    on conflict (policy_id, placement_id) do update
    set counted_at = excluded.counted_at, confirmations = excluded.confirmations,
        reversals = excluded.reversals, is_final = excluded.is_final
"""


def refresh(*, actor: Actor, question: Question) -> int:
    """Bring the kept cells of a question's placements up to its moment; answers how many
    placements were counted again. Of a question for one product or some days, everything is.

    A placement is counted whole or not at all: those to which days were added, and those about
    whose money something was learned. So what is kept is what counting everything gives. The
    caller holds the policy's lock.
    """
    policies.demand(actor, MAY_COUNT)
    question = dataclasses.replace(question, product="", starts_on=None, ends_on=None)
    with transaction.atomic(), connection.cursor() as cursor, plans.without_nested_loops():
        cursor.execute("drop table if exists success_stale")
        cursor.execute(STALE, {**question.parameters(), "policy": question.policy.pk})
        cursor.execute("select placement_id from success_stale order by 1")
        stale = [placement_id for (placement_id,) in cursor.fetchall()]
        if stale:
            _count(dataclasses.replace(question, placement_ids=stale))
    return len(stale)


def _count(question: Question) -> None:
    """Count the placements of a question and keep what comes of it."""
    exposures.find(question)
    given: dict[str, Any] = {**question.parameters(), "policy": question.policy.pk}
    with connection.cursor() as cursor:
        for statement in (FORGET, KEEP, NOTE):
            cursor.execute(statement, given)


def forget(*, actor: Actor, policy: RankingPolicy) -> None:
    """Throw the kept cells of a policy away; the next refresh counts everything anew."""
    policies.demand(actor, MAY_COUNT)
    visible_cells(actor).filter(policy=policy).delete()
    visible_sheets(actor).filter(policy=policy).delete()
