"""A file of payments, reported in batches; a payment that comes again is known by its reference."""

import dataclasses
import io
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agencies import policies
from agencies.actors import Actor
from config import clock, errors
from portfolios import file_sentences, recovery_files
from portfolios.file_messages import FileRefused, RowError
from portfolios.models import Recovery
from portfolios.services import recoveries, work

LARGEST_FILE_BYTES = 5 * 1024 * 1024
ROWS_MAX = 10_000


@dataclasses.dataclass(frozen=True)
class Logged:
    """What came of a file: how many rows were recorded or known, odd or refused."""

    recorded: int
    already_recorded: int
    above_balance: int
    problems: list[RowError]


def log(*, actor: Actor, idempotency_key: str, content: bytes) -> Logged:
    """Report the payments of a CSV file; the columns are those of `portfolios.recovery_files`.

    Each row is answered on its own. Raises `InvalidInput`: `TOO_LARGE`, `TOO_MANY_ROWS`, and what
    the reading of the file raises.
    """
    policies.demand(actor, policies.AGENCY_WORKERS)
    if len(content) > LARGEST_FILE_BYTES:
        raise errors.InvalidInput(
            "TOO_LARGE", _("A file of payments has at most 5 MB."), field="file"
        )
    payments, problems = _read(content)
    answers = []
    with transaction.atomic():
        for start in range(0, len(payments), work.ROWS_MAX):
            some = payments[start : start + work.ROWS_MAX]
            answers += recoveries.log(
                actor=actor,
                idempotency_key=f"{idempotency_key}/{start}",
                rows=[_row(payment) for payment in some],
            )
    refused = [
        _problem(payment, answer)
        for payment, answer in zip(payments, answers, strict=True)
        if answer.outcome == work.REFUSED
    ]
    outcomes = [answer.outcome for answer in answers]
    return Logged(
        recorded=outcomes.count(work.RECORDED),
        already_recorded=outcomes.count(work.ALREADY_RECORDED),
        above_balance=sum(bool(answer.warnings) for answer in answers),
        problems=sorted(problems + refused, key=lambda problem: problem.row),
    )


def _read(content: bytes) -> tuple[list[recovery_files.RecoveryRow], list[RowError]]:
    """The rows of the file that can be read, and what is wrong with the others."""
    payments: list[recovery_files.RecoveryRow] = []
    problems: list[RowError] = []
    # Whether a day is in the future depends on the bank; nowhere is it two days ahead of UTC.
    latest = clock.now().date() + timedelta(days=1)
    channels = frozenset(Recovery.Channel.values)
    try:
        rows = recovery_files.read(io.BytesIO(content), channels=channels, as_of=latest)
        for row in rows:
            if isinstance(row, RowError):
                problems.append(file_sentences.translated(row))
            else:
                payments.append(row)
    except FileRefused as error:
        file_sentences.translate(error, field="file")
        raise
    if len(payments) > ROWS_MAX:
        raise errors.InvalidInput(
            "TOO_MANY_ROWS", _("Send at most 10,000 payments in one file."), field="file"
        )
    return payments, problems


def _row(payment: recovery_files.RecoveryRow) -> dict:
    row = dataclasses.asdict(payment)
    del row["row"]
    return row


COLUMN_OF = {
    "reference": "payment_reference",
    "amount_minor": "amount",
    "value_on": "value_date",
}


def _problem(payment: recovery_files.RecoveryRow, answer: work.Answer) -> RowError:
    """The refusal of a row by the number and the column that it has in the file."""
    value = getattr(payment, answer.field, "")
    return RowError(
        payment.row,
        COLUMN_OF.get(answer.field, answer.field),
        str(value)[:80],
        answer.code,
        answer.message,
    )
