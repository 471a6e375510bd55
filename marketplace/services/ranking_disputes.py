"""Disputes about rankings: an agency objects to a data point, the bank answers.

A correction is an event of its own (a reversal, a receipt, a decision about a complaint) that the
next run sees; no score is ever edited, neither here nor by hand.
"""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, dberrors, errors
from marketplace.models import RankingDispute
from marketplace.models.ranking_disputes import LONGEST_CORRECTION
from marketplace.selectors import disputable_scores, visible_ranking_disputes
from portfolios.services import idempotency, work

Subject = RankingDispute.Subject
State = RankingDispute.State
Outcome = RankingDispute.Outcome

MAY_RAISE = policies.AGENCY_ADMINISTRATORS | policies.MACHINE_CLIENTS
"""Those to whom scores and their cells are shown: whoever compares them finds what is wrong."""
MAY_ANSWER = policies.VENDOR_MANAGERS | policies.COMPLIANCE_OFFICERS
MOST_OPEN = 20
NAMING_A_LOAN = (Subject.PAYMENT, Subject.EXPOSURE, Subject.STRATUM)


@dberrors.translated()
def raise_one(
    *,
    actor: Actor,
    score_id,
    subject: str,
    statement: str,
    loan_reference: str = "",
    payment_reference: str = "",
) -> RankingDispute:
    """Object to a data point behind one of the agency's own scores, of this run or an earlier one.

    Nothing is looked up by the references: any is taken, and the answer is the same for each. A
    payment needs both, the time and the kind of a loan that of the loan. The same content gives the
    first dispute again while it is open.

    Raises `NotFound` for a score that is another's or of a panel that the agency is not in good
    standing on; `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`, `TOO_LONG`, `CARD_NUMBER`,
    `INVALID_REFERENCE`; `InvalidState`: `TOO_MANY` with 20 open at one bank, `BUSY`.
    """
    policies.demand(actor, MAY_RAISE)
    statement = texts.checked(statement, field="statement")
    if subject not in Subject.values:
        raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the list."), field="subject")
    if loan_reference or subject in NAMING_A_LOAN:
        work.check_reference(loan_reference, field="loan_reference")
    if payment_reference or subject == Subject.PAYMENT:
        work.check_reference(payment_reference, field="payment_reference")
    score = selectors.find(disputable_scores(actor), pk=score_id)
    content = {
        "score_id": score.pk,
        "subject": subject,
        "statement": statement,
        "loan_reference": loan_reference,
        "payment_reference": payment_reference,
    }
    with transaction.atomic():
        idempotency.lock("ranking_disputes", actor.agency_id)
        waiting = visible_ranking_disputes(actor).filter(
            institution=score.institution_id, state=State.OPEN
        )
        known = waiting.filter(**content).first()
        if known is not None:
            return known
        if waiting.count() >= MOST_OPEN:
            raise errors.InvalidState(
                "TOO_MANY",
                _("Twenty of your objections wait for this bank. Wait until it has answered some."),
            )
        dispute = RankingDispute.objects.create(
            institution_id=score.institution_id,
            agency_id=score.agency_id,
            run_id=score.run_id,
            raised_at=clock.now(),
            raised_by=actor.label,
            **content,
        )
        audit.record(
            actor,
            "ranking_dispute.raise",
            dispute,
            changes={"subject": subject},
            agency_id=dispute.agency_id,
        )
    return dispute


@dberrors.translated()
def answer(
    *, actor: Actor, dispute_id, outcome: str, answer: str, correction: str = ""
) -> RankingDispute:
    """Answer a dispute, once. `correction` says by which event the data were put right.

    Raises `NotFound`; `InvalidInput`: `UNKNOWN_CHOICE`, `REQUIRED`, `TOO_LONG`, `CARD_NUMBER`,
    `NOT_CORRECTED` for a correction with the other outcome; `InvalidState`: `ANSWERED`.
    """
    policies.demand(actor, MAY_ANSWER)
    if outcome not in Outcome.values:
        raise errors.InvalidInput("UNKNOWN_CHOICE", _("Choose one of the list."), field="outcome")
    answer = texts.checked(answer, field="answer", missing=_("Write the answer."))
    correction = _checked_correction(outcome, correction)
    dispute = selectors.find(visible_ranking_disputes(actor), pk=dispute_id)
    with transaction.atomic():
        answered = RankingDispute.objects.filter(pk=dispute.pk, state=State.OPEN).update(
            state=State.ANSWERED,
            outcome=outcome,
            answer=answer,
            correction=correction,
            answered_at=clock.now(),
            answered_by=actor.label,
        )
        if not answered:
            raise errors.InvalidState("ANSWERED", _("This has been answered already."))
        audit.record(
            actor,
            "ranking_dispute.answer",
            dispute,
            changes={"outcome": outcome},
            agency_id=dispute.agency_id,
        )
    dispute.refresh_from_db()
    return dispute


def _checked_correction(outcome: str, correction: str) -> str:
    correction = texts.checked(
        correction,
        field="correction",
        longest=LONGEST_CORRECTION,
        shortest=int(outcome == Outcome.CORRECTED),
        missing=_("Say which event was recorded, and when."),
    )
    if correction and outcome != Outcome.CORRECTED:
        raise errors.InvalidInput(
            "NOT_CORRECTED",
            _("Leave this empty, or say that it was corrected."),
            field="correction",
        )
    return correction
