"""Uploads: files of loans that were checked and wait, encrypted as a whole, for a decision.

`keep` checks a file and keeps it until `run` imports it or `discard` throws it away; what nobody
decided about in a day is thrown away by a sweep.
"""

import datetime

from django.db import transaction

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, encryption
from portfolios.models import LoanImport, LoanUpload, Portfolio
from portfolios.selectors import visible_portfolios, visible_uploads
from portfolios.services import imports
from portfolios.services.imports import Report

LIFETIME = datetime.timedelta(days=1)


def keep(
    *, actor: Actor, portfolio_id, file_name: str, content: bytes, mapping: str
) -> tuple[LoanUpload, Report]:
    """Check a file and keep it until somebody decides. Raises as `imports.check`."""
    report = imports.check(actor=actor, portfolio_id=portfolio_id, content=content, mapping=mapping)
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_id)
    moment = clock.now()
    with transaction.atomic():
        upload = LoanUpload.objects.create(
            institution_id=portfolio.institution_id,
            portfolio=portfolio,
            file_name=imports.short_name(file_name),
            mapping=mapping,
            content=content.decode(),
            uploaded_at=moment,
            uploaded_by_id=imports.person(actor),
        )
        audit.record(
            actor,
            "loans.check",
            portfolio,
            changes={"rows_read": report.rows_read, "rows_rejected": report.rows_rejected},
        )
    return upload, report


def recheck(*, actor: Actor, upload_id) -> tuple[LoanUpload, Report]:
    """A kept file and what it holds as things are now. Raises as `imports.check`."""
    upload = selectors.find(visible_uploads(actor), pk=upload_id)
    content = encryption.reveal(upload, "content").encode()
    return upload, imports.check(
        actor=actor, portfolio_id=upload.portfolio_id, content=content, mapping=upload.mapping
    )


def run(*, actor: Actor, upload_id, policy: str) -> LoanImport:
    """Import a kept file and let go of it. Raises as `imports.run`."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    upload = selectors.find(visible_uploads(actor), pk=upload_id)
    with transaction.atomic():
        loan_import = imports.run(
            actor=actor,
            portfolio_id=upload.portfolio_id,
            file_name=upload.file_name,
            content=encryption.reveal(upload, "content").encode(),
            mapping=upload.mapping,
            policy=policy,
        )
        upload.delete()
    return loan_import


def discard(*, actor: Actor, upload_id) -> Portfolio:
    """Throw a kept file away; answers the portfolio that it was for."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    upload = selectors.find(visible_uploads(actor), pk=upload_id)
    portfolio = upload.portfolio
    with transaction.atomic():
        upload.delete()
        audit.record(actor, "loans.discard", portfolio)
    return portfolio


def discard_old(*, actor: Actor) -> int:
    """Throw away the files of one bank that nobody decided about in a day; answers how many."""
    policies.demand(actor, policies.SWEEPS)
    old = visible_uploads(actor).filter(uploaded_at__lte=clock.now() - LIFETIME)
    with transaction.atomic():
        uploads = list(old.select_related("portfolio").defer("content"))
        for upload in uploads:
            audit.record(actor, "loans.discard", upload.portfolio)
        LoanUpload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    return len(uploads)


def rejected(*, actor: Actor, upload_id) -> str:
    """The bad rows of a kept file as CSV text with an `error` column."""
    upload, report = recheck(actor=actor, upload_id=upload_id)
    return imports.rejected(encryption.reveal(upload, "content"), report, upload.mapping)
