"""Rankings as the bank sees them, and as an agency sees itself among others."""

import dataclasses
import datetime
import gzip
import uuid

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import errors
from marketplace.models import (
    WHOLE,
    CurrentRanking,
    RankingBacktest,
    RankingCut,
    RankingPack,
    RankingPolicy,
    RankingRun,
    RankingScore,
    SuccessCell,
    SuccessSheet,
)
from marketplace.selectors.scoping import is_bank

MADE_OF_EXPECTED = (
    "expected_minor",
    "raw_index",
    "exposure_factor",
    "mix_factor",
    "count_factor",
    "tilt_factor",
    "size_factor",
)
DECIMALS = 2
FOUR_WEEKS = datetime.timedelta(days=28)


def _of_panels(model, actor: Actor) -> QuerySet:
    """The bank's own, or those of the panels that the agency is in good standing on."""
    if is_bank(actor):
        return model.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return model.objects.none()
    panels = visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    return model.objects.filter(institution__in=panels.values("institution"))


def visible_ranking_policies(actor: Actor) -> QuerySet[RankingPolicy]:
    """Every version for the bank; an agency sees those that were adopted: the rule is published."""
    found = _of_panels(RankingPolicy, actor)
    return found if is_bank(actor) else found.filter(state=RankingPolicy.State.ADOPTED)


def visible_backtests(actor: Actor) -> QuerySet[RankingBacktest]:
    """The bank's own; an agency learns of a policy when it is adopted."""
    found = RankingBacktest.objects
    return found.filter(institution=actor.institution_id) if is_bank(actor) else found.none()


def visible_runs(actor: Actor) -> QuerySet[RankingRun]:
    """An agency sees those without a cut: two of nearly the same loans could be subtracted."""
    found = _of_panels(RankingRun, actor)
    return found if is_bank(actor) else found.filter(**WHOLE.columns)


def visible_current_rankings(actor: Actor) -> QuerySet[CurrentRanking]:
    """Which runs are shown; an agency sees those without a cut alone."""
    found = _of_panels(CurrentRanking, actor)
    return found if is_bank(actor) else found.filter(**WHOLE.columns)


def _own(model, actor: Actor) -> QuerySet:
    """The whole panel for the bank; for an agency itself, in runs without a cut."""
    if is_bank(actor):
        return model.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return model.objects.none()
    whole = {f"run__{name}": value for name, value in WHOLE.columns.items()}
    return model.objects.filter(agency=actor.agency_id, **whole)


def visible_scores(actor: Actor) -> QuerySet[RankingScore]:
    return _own(RankingScore, actor)


def visible_packs(actor: Actor) -> QuerySet[RankingPack]:
    return _own(RankingPack, actor)


def visible_sheets(actor: Actor) -> QuerySet[SuccessSheet]:
    found = SuccessSheet.objects
    return found.filter(institution=actor.institution_id) if is_bank(actor) else found.none()


def visible_cells(actor: Actor) -> QuerySet[SuccessCell]:
    found = SuccessCell.objects
    return found.filter(institution=actor.institution_id) if is_bank(actor) else found.none()


@dataclasses.dataclass(frozen=True, slots=True)
class ShownRanking:
    """A run as somebody may see it: the bank every score, an agency its own.

    `scores` are the best first, with their agency; `earlier` is agency → its score in the run
    before, at least four weeks older where there is one. `field` is the panel without names.
    """

    run: RankingRun
    scores: list[RankingScore]
    earlier: dict[uuid.UUID, RankingScore]

    @property
    def field(self) -> list[dict]:
        return self.run.field


def shown_ranking(
    actor: Actor, *, currency: str, institution_id=None, cut: RankingCut = WHOLE
) -> ShownRanking | None:
    """The current ranking in a currency as the actor may see it; None where there is none.

    An agency on several panels names the institution, or gets the newest of any.
    """
    pointers = visible_current_rankings(actor).filter(currency=currency, **cut.columns)
    if institution_id:
        pointers = pointers.filter(institution=institution_id)
    pointer = (
        pointers.select_related("run__institution", "run__policy", "run__portfolio")
        if is_bank(actor)
        else pointers.select_related("run__institution", "run__policy")
    )
    newest = pointer.order_by("-run__watermark", "-run").first()
    if newest is None:
        return None
    run = newest.run
    scores = visible_scores(actor).select_related("agency", "run").order_by("order")
    before = _before(actor, run)
    shown = list(scores.filter(run=run))
    if not is_bank(actor):
        for score in shown:
            _withhold(run, score)
    return ShownRanking(
        run=run,
        scores=shown,
        earlier={score.agency_id: score for score in scores.filter(run=before)} if before else {},
    )


def _withhold(run: RankingRun, score: RankingScore) -> None:
    """Leave out what would tell an agency of a rival. The score is not saved.

    Among a few, a place says who the others are, and what was expected, less what came in, is what
    the other did.
    """
    score.segments = [segment for segment in score.segments if segment["is_told"]]
    if not run.field or not score.is_told:
        score.segments, score.curve = [], []
        for name in MADE_OF_EXPECTED:
            setattr(score, name, None)
        for name in ("index", "low", "high"):
            setattr(score, name, round(getattr(score, name), DECIMALS))
    if run.field:
        return
    score.position = score.tier = score.expected_rank = score.rank_low = score.rank_high = None
    score.probability_top_quarter = None
    score.is_tied = False


def shown_score(actor: Actor, score_id) -> ShownRanking:
    """The run of one agency's score with that score alone. Raises `NotFound`."""
    runs = visible_runs(actor).select_related("institution", "policy")
    scores = visible_scores(actor).select_related("agency", "run")
    score = selectors.find(scores, pk=score_id)
    run = selectors.find(runs, pk=score.run_id)
    before = _before(actor, run)
    earlier = scores.filter(run=before, agency=score.agency_id).first() if before else None
    if not is_bank(actor):
        _withhold(run, score)
    return ShownRanking(
        run=run, scores=[score], earlier={score.agency_id: earlier} if earlier else {}
    )


def pack_text(actor: Actor, score_id) -> str:
    """The cells behind one agency's score, as CSV.

    Raises `NotFound`, for an agency also where it is not told what was expected.
    """
    found = shown_score(actor, score_id)
    (score,) = found.scores
    if score.expected_minor is None:
        raise errors.NotFound("NOT_FOUND", _("There is no such thing."))
    pack = selectors.find(visible_packs(actor), run=score.run_id, agency=score.agency_id)
    return gzip.decompress(bytes(pack.content)).decode()


def _before(actor: Actor, run: RankingRun) -> RankingRun | None:
    """The newest run of the same kind from four weeks before, else the first of them."""
    same = visible_runs(actor).filter(
        institution=run.institution_id,
        currency=run.currency,
        **run.cut.columns,
        watermark__lt=run.watermark,
    )
    older = same.filter(watermark__lte=run.watermark - FOUR_WEEKS)
    return older.order_by("-watermark").first() or same.order_by("watermark").first()


def ranked(actor: Actor) -> list[tuple[uuid.UUID, str, str]]:
    """(institution, its name, currency) of every current ranking that the actor may see, by
    name."""
    found = visible_current_rankings(actor).values_list(
        "institution", "institution__name", "currency"
    )
    return sorted(set(found), key=lambda one: (one[1], one[2]))
