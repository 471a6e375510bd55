"""A file imported in one go, as a command does it: every step, and the worker's part too."""

import contextlib
import functools
import time
from typing import IO

from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from agencies.scope import scope
from config import errors
from portfolios.mappings import Mapping
from portfolios.models import LoanImport
from portfolios.selectors import visible_imports
from portfolios.services import control_totals, file_parts, import_runs, import_uploads, imports
from portfolios.services.import_chunks import Watcher


def run(
    *,
    actor: Actor,
    portfolio_id=None,
    currency: str = "",
    file_name: str,
    file: IO[bytes],
    mapping: Mapping | None = None,
    policy: str,
    totals: control_totals.Totals | None = None,
    watch: Watcher = lambda _import: None,
) -> LoanImport:
    """All steps at once, for a command; each has transactions of its own. Without a `mapping` the
    guessed one is taken.

    A file of loans has a `portfolio_id`, a maintenance file the `currency` of its amounts. Goes on
    with the same file where an earlier call was killed. Raises what the steps raise, and what a
    worker found (`failure_code`); then nothing of a file of loans is left.
    """
    begun = _begun(actor, portfolio_id, file)
    if begun is None:
        receive = (
            functools.partial(import_uploads.receive_maintenance, currency=currency)
            if portfolio_id is None
            else functools.partial(import_uploads.receive, portfolio_id=portfolio_id)
        )
        with scope(actor):
            begun = receive(actor=actor, file_name=file_name, file=file, totals=totals)
    try:
        if begun.state == imports.State.RECEIVED:
            with scope(actor):
                chosen = mapping or Mapping.from_dict(begun.mapping)
                imports.choose_mapping(actor=actor, import_id=begun.pk, mapping=chosen)
        checked = _moved(actor, begun, watch)
        if checked.state == imports.State.CHECKED:
            with scope(actor):
                imports.decide(actor=actor, import_id=begun.pk, policy=policy)
            checked = _moved(actor, begun, watch)
    except errors.DomainError:
        with contextlib.suppress(errors.InvalidState), scope(actor):
            imports.cancel(actor=actor, import_id=begun.pk)
        import_runs.move_on(actor=actor, import_id=begun.pk)
        raise
    if checked.state != imports.State.IMPORTED:
        code, sentence = checked.failure_code or "CANCELLED", checked.failure
        raise errors.InvalidInput(code, sentence or _("This import was cancelled."), field="file")
    return checked


def _begun(actor: Actor, portfolio_id, file: IO[bytes]) -> LoanImport | None:
    """An import of the same file into the same portfolio that has not ended."""
    sha256, _length = file_parts.sha256_of(file)
    with scope(actor):
        return (
            visible_imports(actor)
            .filter(portfolio=portfolio_id, sha256=sha256, state__in=imports.UNFINISHED)
            .first()
        )


def _moved(actor: Actor, begun: LoanImport, watch: Watcher) -> LoanImport:
    """The import when it waits for a person or has ended, by our work or another process's."""
    while True:
        import_runs.move_on(actor=actor, import_id=begun.pk, watch=watch)
        with scope(actor):
            found = selectors.find(visible_imports(actor), pk=begun.pk)
        if found.state not in import_runs.MOVING:
            return found
        watch(found)
        time.sleep(1)
