"""What a question about success comes to: one way for runs, their proof and back-tests."""

import dataclasses
import functools
import hashlib
from pathlib import Path

import numpy as np

from agencies.actors import Actor
from config import plans
from marketplace.services import conduct_gates, ranking_policies, ranking_results, success_books
from marketplace.services.conduct_gates import Conduct
from marketplace.services.exposures import Question
from marketplace.services.success_books import SuccessBook
from marketplace.success import scores
from marketplace.success.gate import Light
from marketplace.success.scores import Result

DECIDING = (
    "conduct_gates",
    "exposures",
    "ranking_answers",
    "ranking_policies",
    "ranking_results",
    "success_books",
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a question comes to; `conduct` is by the book's numbers of agencies."""

    book: SuccessBook
    result: Result
    conduct: list[Conduct]
    results_sha256: str


def find(*, actor: Actor, question: Question, is_kept: bool) -> Answer | None:
    """The answer; None where no loan was exposed to anybody within the policy's window.

    With `is_kept` cells are taken from those kept, which must be up to date; else they are counted
    from the rows. Nothing is kept. The caller has a transaction open.
    """
    with plans.without_nested_loops():
        book = success_books.read(question, is_kept=is_kept)
    if book is None:
        return None
    conduct = conduct_gates.judge(
        actor=actor,
        question=question,
        agencies=book.agencies,
        loan_months=book.cells.in_pairs().loan_months.sum(axis=(1, 2)),
    )
    result = scores.score(
        book.book,
        ranking_policies.engine_policy(question.policy, question.currency),
        counted=book.cells,
        barred=np.array([one.gate.light is Light.RED for one in conduct]),
    )
    return Answer(book, result, conduct, ranking_results.digest(book.agencies, result))


@functools.cache
def code_version() -> str:
    """SHA-256 of the code that decides what a ranking says: the engine and what feeds it."""
    here = Path(__file__).parent
    engine = sorted(here.parent.joinpath("success").glob("*.py"))
    digest = hashlib.sha256()
    for path in [*engine, *(here / f"{name}.py" for name in DECIDING)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
