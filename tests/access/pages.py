"""Every page of ours as an attacker finds it: its address, who may open it, what it takes."""

import dataclasses
import re
from collections.abc import Iterator

from django.urls import get_resolver, reverse

NOT_OURS = {
    "graphql": "each of its fields has a rule of its own",
    "account": "allauth's: about the own session, password and address alone",
    "mfa": "allauth's: about one's own second factor alone",
    "token": "allauth's: answers to a machine client's secret",
    "revoke": "allauth's: answers to a machine client's secret",
}
"""Pages without `allow`, by the beginning of their name, and why."""

KINDS = {
    "people/": "user",
    "panel/documents/": "document",
    "panel/": "membership",
    "institutions/": "institution",
    "clients/": "client",
    "portfolios/": "portfolio",
    "imports/": "import",
    "loans/": "loan",
    "holds/": "hold",
    "placements/": "placement",
    "exports/": "export",
    "certificates/": "ended",
    "recalls/": "recall",
    "objections/": "objection",
    "complaints/intakes/": "intake",
    "complaints/": "complaint",
    "recoveries/": "recovery",
    "receipts/files/": "receipt_file",
    "receipts/": "receipt_line",
    "late-receipts/": "late_receipt",
    "listings/documents/": "listing_document",
    "listings/questions/": "question",
    "listings/": "listing",
    "ranking/policy/": "policy",
    "ranking/scores/": "score",
    "ranking/disputes/": "ranking_dispute",
    "statements/": "statement",
    "excesses/": "excess",
    "payouts/accounts/": "membership",
    "payouts/": "payout",
}
"""What the identifier below an address names; a page that is new below another fails here."""

WORDS = {
    "decision": "suspend",
    "action": "disable",
    "field": "phone",
    "slug": "no-bank",
    "secret": "x" * 43,
}
"""What the other parts of an address may be."""

FORM = {
    "reason": "Because it can be tried",
    "confirmation": "yes",
    "decision": "accept",
    "accept": "yes",
    "name": "Somebody Else",
    "email": "somebody@else.example",
    "role": "auditor",
    "currency": "USD",
    "jurisdiction": "US",
    "product": "personal loan",
    "kind": "dispute",
    "answer": "It was not us who called",
    "outcome": "upheld",
    "category": "harassment",
    "severity": "high",
    "happened_on": "2026-03-10",
    "summary": "What happened?",
    "account": "They called at night",
    "measure": "notice",
    "channel": "phone",
    "direction": "outbound",
    "happened_at": "2026-03-20T12:00",
    "amount": "10.00",
    "due_on": "2026-06-01",
    "value_on": "2026-03-10",
    "reference": "TRIED-1",
    "references": "TRIED-1",
    "loan_reference": "TRIED-1",
    "payment_reference": "TRIED-1",
    "subject": "payment",
    "correction": "",
    "closes_at": "2026-06-01T12:00",
    "highest_rate_ppm": "30",
    "rate_ppm": "20",
    "term_days": "300",
    "audience": "all",
    "capacity_loans": "5",
    "licence_number": "L-2",
    "jurisdictions": "US",
    "policy": "good_rows_only",
    "mapping": "standard",
    "starts_on": "2026-04-01",
    "statement": "Deleted everywhere",
    "is_destroyed": "on",
    "step": "announce",
    "notice_days": "14",
    "review_on": "2026-06-01",
    "expires_on": "2026-07-01",
    "recall_notice_days": "14",
    "recent_payment_days": "30",
    "tail_days": "30",
    "untouched_days": "14",
    "terms": "Look, and tell nobody",
    "sha256": "0" * 64,
    "text": "How many have a phone?",
    "shown_question": "How many have a phone?",
}
"""What forms ask for, so that no refusal can be mistaken for an empty form's."""

CHANGING = re.compile(r'[A-Za-z0-9]{64}|nonce-[^\'" ]+|nonce="[^"]+"')


@dataclasses.dataclass(frozen=True)
class Page:
    """An address of ours; `allow` is None where nobody declared a rule."""

    name: str
    route: str
    allow: frozenset[str] | None
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> str | None:
        """What the identifier in the address names, None without one."""
        if not any(part.endswith("pk") for part in self.parts):
            return None
        return KINDS[max((k for k in KINDS if self.route.startswith(k)), key=len)]

    def path(self, pk=None, **words: str) -> str:
        """The address with this identifier in it, and `words` in place of those of `WORDS`."""
        told = WORDS | words
        parts = {part: pk if part.endswith("pk") else told[part] for part in self.parts}
        return reverse(self.name, kwargs=parts)


def _walk(resolver, prefix: str = "") -> Iterator[Page]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern, route)
        else:
            allow = getattr(pattern.callback, "allow", None)
            yield Page(pattern.name or "", route, allow, tuple(pattern.pattern.converters))


def every() -> list[Page]:
    """All addresses, also those that are not ours."""
    return list(_walk(get_resolver()))


def ours() -> list[Page]:
    """All addresses with a rule."""
    return [page for page in every() if page.allow]


def seen(answer, *told: object) -> tuple[int, str]:
    """Status and text of an answer without tokens of the session and without what was `told`."""
    text = CHANGING.sub("", answer.getvalue().decode())
    return answer.status_code, without(text, *told)


def without(text: str, *told: object) -> str:
    """The text without what the attacker said in the first place."""
    for word in sorted({str(one) for one in told}, key=len, reverse=True):
        text = text.replace(word, "…")
    return text
