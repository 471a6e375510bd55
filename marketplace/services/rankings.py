"""Rankings: computed from what was known at a moment, kept as they were, shown by a pointer."""

import contextlib
import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.selectors import visible_institutions
from config import clock, errors, watermarks
from marketplace.models import (
    WHOLE,
    CurrentRanking,
    RankingCut,
    RankingPack,
    RankingRun,
    RankingScore,
)
from marketplace.selectors import visible_runs
from marketplace.services import (
    ranking_answers,
    ranking_policies,
    ranking_results,
    success_cells,
)
from marketplace.services.exposures import Question
from marketplace.services.ranking_answers import Answer
from marketplace.success import table
from portfolios.selectors import visible_placements, visible_portfolios

MAY_COMPUTE = policies.VENDOR_MANAGERS | policies.SWEEPS
MAY_VERIFY = policies.VENDOR_MANAGERS | policies.AUDITORS | policies.SWEEPS


def compute(*, actor: Actor, currency: str, cut: RankingCut = WHOLE) -> RankingRun:
    """Rank the agencies of the actor's institution in one currency as of now, and keep it.

    With a cut the loans and days of it alone count. Raises `NotFound` for a portfolio that is not
    there; `InvalidInput` for a period: `REQUIRED` where half of it is missing,
    `ENDS_BEFORE_IT_STARTS`, `FUTURE_DATE`; `InvalidState` `NOTHING_PLACED` where no loan was
    exposed to anybody, `BUSY`.
    """
    policies.demand(actor, MAY_COMPUTE)
    institution = selectors.find(visible_institutions(actor), pk=actor.institution_id)
    if cut.portfolio_id:
        selectors.find(visible_portfolios(actor), pk=cut.portfolio_id)
    _check_period(cut, clock.business_date(institution.time_zone))
    with transaction.atomic():
        policy = ranking_policies.in_force(actor=actor)
        question = Question(
            policy=policy,
            time_zone=institution.time_zone,
            currency=currency,
            at=watermarks.take(),
            **_of_cut(actor, cut),
        )
        success_cells.refresh(actor=actor, question=question)
        is_kept = not cut.product and cut.ends_on is None
        found = ranking_answers.find(actor=actor, question=question, is_kept=is_kept)
        if found is None:
            raise errors.InvalidState(
                "NOTHING_PLACED", _("No loan was with an agency long enough to be compared.")
            )
        run = _keep(question, found, cut)
        audit.record(
            actor,
            "ranking.compute",
            run,
            changes={
                "currency": currency,
                "agencies": len(found.book.agencies),
                "loans": len(found.book.book.agency),
                "policy": policy.version,
            },
        )
    return run


def _check_period(cut: RankingCut, today: datetime.date) -> None:
    if cut.starts_on is None and cut.ends_on is None:
        return
    if cut.starts_on is None or cut.ends_on is None:
        missing = "starts_on" if cut.starts_on is None else "ends_on"
        raise errors.InvalidInput(
            "REQUIRED", _("Say both days of the period, or neither."), field=missing
        )
    if cut.starts_on > cut.ends_on:
        raise errors.InvalidInput(
            "ENDS_BEFORE_IT_STARTS", _("The period ends before it starts."), field="ends_on"
        )
    if cut.ends_on >= today:
        raise errors.InvalidInput(
            "FUTURE_DATE", _("The period has not ended yet."), field="ends_on"
        )


def compute_due(*, actor: Actor) -> int:
    """Compute what was not computed yet on this day of the institution; answers how many."""
    policies.demand(actor, policies.SWEEPS)
    institution = selectors.find(visible_institutions(actor), pk=actor.institution_id)
    today = clock.business_date(institution.time_zone)
    midnight = datetime.datetime.combine(today, datetime.time.min, ZoneInfo(institution.time_zone))
    # On its first day a loan has no day of exposure yet, and there is nothing to compare.
    placed = visible_placements(actor).filter(opened_at__lt=midnight)
    fresh = visible_runs(actor).filter(watermark__gte=midnight, **WHOLE.columns)
    done = 0
    for currency in sorted(placed.order_by().values_list("currency", flat=True).distinct()):
        with contextlib.suppress(errors.InvalidState), transaction.atomic():
            if fresh.filter(currency=currency).exists():
                continue
            # Another sweep may have done it while this one waited.
            ranking_policies.in_force(actor=actor)
            if not fresh.filter(currency=currency).exists():
                compute(actor=actor, currency=currency)
                done += 1
    return done


def verify(*, actor: Actor, run_id) -> dict[str, bool]:
    """Whether a run comes out again from what is recorded: `{inputs, results, code}`.

    Cells are counted anew from the rows of before its watermark. `code` says whether the code is
    that of the run; another one may compute other results from the same inputs.
    """
    policies.demand(actor, MAY_VERIFY)
    run = selectors.find(visible_runs(actor).select_related("policy", "institution"), pk=run_id)
    question = Question(
        policy=run.policy,
        time_zone=run.institution.time_zone,
        currency=run.currency,
        at=run.watermark,
        **_of_cut(actor, run.cut),
    )
    with transaction.atomic():
        found = ranking_answers.find(actor=actor, question=question, is_kept=False)
    return {
        "inputs": found is not None and found.book.sha256 == run.inputs_sha256,
        "results": found is not None and found.results_sha256 == run.results_sha256,
        "code": ranking_answers.code_version() == run.code_version,
    }


def _of_cut(actor: Actor, cut: RankingCut) -> dict[str, Any]:
    """A cut as what a question asks for."""
    placement_ids = None
    if cut.portfolio_id:
        placements = visible_placements(actor).filter(portfolio=cut.portfolio_id)
        placement_ids = list(placements.order_by("pk").values_list("pk", flat=True))
    return {
        "placement_ids": placement_ids,
        "product": cut.product,
        "starts_on": cut.starts_on,
        "ends_on": cut.ends_on,
    }


def _keep(question: Question, found: Answer, cut: RankingCut) -> RankingRun:
    """The run and its rows, and the pointer to it."""
    result = found.result
    run = RankingRun(
        institution_id=question.policy.institution_id,
        policy=question.policy,
        currency=question.currency,
        **cut.columns,
        watermark=question.at,
        computed_at=clock.now(),
        code_version=ranking_answers.code_version(),
        inputs_sha256=found.book.sha256,
        results_sha256=found.results_sha256,
        fit=table.diagnostics(result),
    )
    run.field = ranking_results.field(run, result, found.conduct)
    run.save(force_insert=True)
    RankingScore.objects.bulk_create(ranking_results.scores(run, found.book, result, found.conduct))
    RankingPack.objects.bulk_create(ranking_results.packs(run, found.book, result))
    CurrentRanking.objects.update_or_create(
        institution_id=run.institution_id,
        currency=run.currency,
        **cut.columns,
        defaults={"run": run},
    )
    return run
