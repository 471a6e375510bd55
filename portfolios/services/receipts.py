"""Receipts: what the bank says came in confirms what agencies reported."""

import dataclasses
import hashlib
import io
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors
from portfolios import file_messages, file_sentences, matching, receipt_files
from portfolios.models import Confirmation, ReceiptFile, ReceiptLine, Recovery
from portfolios.selectors import (
    reported_recoveries,
    visible_receipt_files,
    visible_receipt_lines,
)
from portfolios.services import idempotency

LARGEST_FILE_BYTES = 20 * 1024 * 1024
ROWS_MAX = 50_000
MAY_REMATCH = policies.FINANCE_PREPARERS | policies.SWEEPS
BATCH = 2000

State = ReceiptLine.State
OPEN = (State.UNMATCHED, State.AMBIGUOUS)


@dataclasses.dataclass(frozen=True)
class Read:
    """What came of one file: how many of its receipts ended in which state, and its bad rows.

    `receipt_file` is None where no row could be taken: nothing was kept, the file may come again.
    `matched_before` counts receipts of earlier files that found their report now.
    """

    receipt_file: ReceiptFile | None
    matched: int
    unmatched: int
    ambiguous: int
    matched_before: int
    problems: list[file_messages.RowError]


def confirm(*, actor: Actor, file_name: str, content: bytes) -> Read:
    """Read a file of the bank's receipts and confirm the reports that they prove.

    The columns are those of `receipt_files`. Bad rows are answered and left out, the good ones
    are taken. Receipts and reports of the same loan, amount and currency pair up by
    `matching.pair`; what does not is left for a person.

    Raises `InvalidInput`: `SAME_FILE`, `TOO_LARGE`, `TOO_MANY_ROWS`, and what
    `receipt_files.read` raises.
    """
    policies.demand(actor, policies.FINANCE_PREPARERS)
    institution = selectors.visible_institutions(actor).get()
    preparer: Any = actor.user_id
    if len(content) > LARGEST_FILE_BYTES:
        raise errors.InvalidInput(
            "TOO_LARGE", _("A file of receipts has at most 20 MB."), field="file"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        idempotency.lock("receipts", institution.pk)
        _refuse_same_file(actor, sha256, institution)
        good, problems = _rows(actor, content, clock.business_date(institution.time_zone))
        if not good:
            return Read(None, 0, 0, 0, 0, problems)
        receipt_file = ReceiptFile.objects.create(
            institution=institution,
            file_name=file_name[:200],
            sha256=sha256,
            rows_read=len(good) + len({problem.row for problem in problems}),
            problems=[
                dataclasses.asdict(problem) | {"message": str(problem.message)}
                for problem in problems
            ],
            uploaded_at=clock.now(),
            uploaded_by_id=preparer,
        )
        lines = _insert(receipt_file, good)
        states = _match(actor)
        read = _counted(receipt_file, lines, states, problems)
        audit.record(
            actor,
            "receipts.confirm",
            receipt_file,
            changes={
                "receipts": len(lines),
                "matched": read.matched,
                "unmatched": read.unmatched,
                "ambiguous": read.ambiguous,
                "problems": len(problems),
            },
        )
    return read


def _refuse_same_file(actor: Actor, sha256: str, institution) -> None:
    first = visible_receipt_files(actor).filter(sha256=sha256).first()
    if first is not None:
        day = first.uploaded_at.astimezone(ZoneInfo(institution.time_zone))
        raise errors.InvalidInput(
            "SAME_FILE",
            _("This file was read already, as %(name)s on %(day)s.")
            % {"name": first.file_name, "day": day.date().isoformat()},
            field="file",
        )


def _rows(actor: Actor, content: bytes, today) -> tuple[list, list[file_messages.RowError]]:
    """The receipts of the file that are new, and what is wrong with the other rows."""
    good: list[receipt_files.ReceiptRow] = []
    problems: list[file_messages.RowError] = []
    try:
        for row in receipt_files.read(io.BytesIO(content), as_of=today):
            if isinstance(row, file_messages.RowError):
                problems.append(file_sentences.translated(row))
            else:
                good.append(row)
    except file_messages.FileRefused as error:
        file_sentences.translate(error, field="file")
        raise
    if len(good) > ROWS_MAX:
        raise errors.InvalidInput(
            "TOO_MANY_ROWS", _("Send at most 50,000 receipts in one file."), field="file"
        )
    names = [row.receipt_reference for row in good]
    known = set(
        visible_receipt_lines(actor)
        .filter(receipt_reference__in=names)
        .values_list("receipt_reference", flat=True)
    )
    message = str(_("This receipt came in an earlier file."))
    problems += [
        file_messages.RowError(
            one.row, "receipt_reference", one.receipt_reference, "RECEIPT_KNOWN", message
        )
        for one in good
        if one.receipt_reference in known
    ]
    new = [one for one in good if one.receipt_reference not in known]
    return new, sorted(problems, key=lambda problem: problem.row)


def _insert(receipt_file: ReceiptFile, rows: list) -> list[ReceiptLine]:
    return ReceiptLine.objects.bulk_create(
        (
            ReceiptLine(
                institution_id=receipt_file.institution_id,
                receipt_file=receipt_file,
                row=row.row,
                receipt_reference=row.receipt_reference,
                loan_reference=row.loan_reference,
                currency=row.currency,
                amount_minor=row.amount_minor,
                value_on=row.value_on,
            )
            for row in rows
        ),
        batch_size=BATCH,
    )


def _counted(receipt_file, lines, states: dict, problems) -> Read:
    """What came of the file's lines, out of the states of all that was open."""
    mine = [states[line.pk] for line in lines]
    matched = list(states.values()).count(State.MATCHED)
    return Read(
        receipt_file=receipt_file,
        matched=mine.count(State.MATCHED),
        unmatched=mine.count(State.UNMATCHED),
        ambiguous=mine.count(State.AMBIGUOUS),
        matched_before=matched - mine.count(State.MATCHED),
        problems=problems,
    )


def rematch(*, actor: Actor) -> int:
    """Pair receipts that are still open with reports that came since; answers how many paired."""
    policies.demand(actor, MAY_REMATCH)
    with transaction.atomic():
        idempotency.lock("receipts", actor.institution_id)
        return list(_match(actor).values()).count(State.MATCHED)


def _match(actor: Actor) -> dict:
    """Pair everything that is open now; answers the new state of each open receipt, by id."""
    lines = visible_receipt_lines(actor).filter(state__in=OPEN)
    receipts = {line.pk: line for line in lines}
    # A list in place of a sub-select: nobody has statistics of rows that were just written.
    loans = {line.loan_reference for line in receipts.values()}
    waiting = reported_recoveries(actor).filter(loan__reference__in=loans)
    reports = {recovery.pk: recovery for recovery in waiting}
    outcome = matching.pair(
        [
            matching.Money(one.pk, one.loan_reference, one.currency, one.amount_minor, one.value_on)
            for one in receipts.values()
        ],
        [
            matching.Money(one.pk, one.loan.reference, one.currency, one.amount_minor, one.value_on)
            for one in reports.values()
        ],
    )
    for state in State:
        changed = [
            pk for pk, new in outcome.states.items() if new == state and receipts[pk].state != state
        ]
        ReceiptLine.objects.filter(pk__in=changed).update(state=state)
    confirm_pairs(actor, [(receipts[line], reports[recovery]) for line, recovery in outcome.pairs])
    return outcome.states


def confirm_pairs(
    actor: Actor, pairs: list[tuple[ReceiptLine, Recovery]], reason: str = ""
) -> None:
    """Write that these receipts prove these reports."""
    moment = clock.now()
    Confirmation.objects.bulk_create(
        (
            Confirmation(
                institution_id=recovery.institution_id,
                agency_id=recovery.agency_id,
                placement_id=recovery.placement_id,
                spell_id=recovery.spell_id,
                recovery=recovery,
                receipt_line=line,
                confirmed_at=moment,
                confirmed_by=actor.label,
            )
            for line, recovery in pairs
        ),
        batch_size=BATCH,
    )
    audit.record_many(
        [
            audit.entry(
                actor,
                "recovery.confirm",
                recovery,
                reason=reason,
                changes={"amount_minor": recovery.amount_minor, "currency": recovery.currency},
                agency_id=recovery.agency_id,
                placement_id=recovery.placement_id,
                at=moment,
            )
            for _line, recovery in pairs
        ]
    )
