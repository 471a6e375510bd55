"""What bank and bidders do in a room, for tests of its parts."""

import pytest

from agencies.scope import scope
from config import errors
from marketplace.models import ListingDocument, ListingQuestion
from marketplace.services import documents, questions

PDF = b"%PDF-1.4 the agreement"


def codes(payload) -> list[str]:
    return [error["code"] for error in payload["errors"]]


def add_document(stall, name="agreement.pdf", content=PDF) -> ListingDocument:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        (made,) = documents.add(actor=actor, listing_id=stall.listing.pk, files=[(name, content)])
    return made


def ask_question(stall, house, text="Is it insured?") -> ListingQuestion:
    with scope(house.actor()) as actor:
        return questions.ask(actor=actor, listing_id=stall.listing.pk, text=text)


def answer(stall, question, text="Yes.", **given) -> None:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        questions.answer(actor=actor, question_id=question.pk, text=text, **given)


def publish(stall) -> int:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        return questions.publish(actor=actor, listing_id=stall.listing.pk)


def refused(call, **given) -> str:
    with pytest.raises(errors.DomainError) as refusal:
        call(**given)
    return refusal.value.code


def page_text(answered) -> str:
    """What is on a page below the name of who has logged in."""
    return answered.content.decode().split("<main", 1)[1]
