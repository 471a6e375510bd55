"""One bank and one agency with a market between them, each text marked by who may read it.

A mark is a word that occurs nowhere else, so that a leak can be found in any answer by looking
for it. All is made through the services, by those who would make it.
"""

import dataclasses
import datetime
import io
import itertools
import uuid

from agencies.scope import scope
from agencies.services import clients, panel, people
from marketplace.models import Bid, Listing
from marketplace.services import awards, bids, documents, listings, questions
from portfolios.mappings import MAPPINGS
from portfolios.models import Loan, Placement
from portfolios.services import import_files, import_uploads, imports, portfolios
from tests import world

DAY = datetime.timedelta(days=1)
FOUNDED_AT = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
AWARDED_AT = FOUNDED_AT + 2 * DAY
JUNE = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
LOANS_HEADER = "loan_reference,borrower_name,phone,email,balance,rate,opened_on,region,grade"
_numbers = itertools.count(1)


@dataclasses.dataclass
class Estate:
    """A bank and the agency that works for it; `ids[kind]` are rows of theirs, the typical first.

    The marks, as `estate.mark("live")`, and who may read what holds them:
    `market` the panel · `private` the bank · `live` the bank and the agency that holds the loans ·
    `gone` the bank, since the recall · `lasting` the bank and, in spite of the recall, the agency ·
    `offer` the same, since bidding closed · `sealed` the agency, until bidding closes ·
    `inside` the agency · `title` the bank and the agency.
    """

    word: str
    bank: world.Bank
    house: world.House
    membership: object = None
    ids: dict[str, list[uuid.UUID]] = dataclasses.field(default_factory=dict)
    references: dict[str, str] = dataclasses.field(default_factory=dict)

    def mark(self, kind: str) -> str:
        return f"{self.word}{kind}"

    def keep(self, kind: str, *rows) -> None:
        self.ids.setdefault(kind, []).extend(getattr(row, "pk", row) for row in rows)


def found(word: str) -> Estate:
    """The bank and the agency, on its panel with a document."""
    bank, house = world.make_bank(f"{word} Savings"), world.make_agency(f"{word}title House")
    made = Estate(word, bank, house)
    # Without a mark: those who try it out say it themselves.
    made.references |= {"loan": f"{word}-1", "slug": bank.institution.slug}
    made.membership = join(made, house, document=made.mark("lasting"))
    made.keep("institution", bank.institution)
    made.keep("agency", house.agency)
    made.keep("membership", made.membership)
    made.keep("user", bank.users["auditor"], house.users["collector"])
    with scope(bank.actor("auditor")):
        made.keep("document", *made.membership.documents.all())
    with scope(house.actor()) as actor:
        made.keep("client", clients.create(actor=actor, name=made.mark("inside")).machine)
        people.invite(
            actor=actor,
            email=f"{made.mark('inside')}@new.example".lower(),
            name=made.mark("inside"),
            role="collector",
        )
    return made


def join(estate: Estate, house: world.House, *, document: str = "licence"):
    """The house on the panel of the estate's bank."""
    with scope(house.actor()) as actor:
        membership = panel.apply(
            actor=actor,
            institution_id=estate.bank.institution.pk,
            licence_number="L-1",
            jurisdictions=["US"],
            capacity_loans=1000,
            documents=[(f"{document}.pdf", "application/pdf", b"%PDF-1.4 evidence")],
        )
    with scope(estate.bank.actor("compliance_officer")) as actor:
        return panel.approve(actor=actor, membership_id=membership.pk, reason="All in order")


def portfolio(estate: Estate, mark: str, *references: str, bad: bool = False):
    """A draft with a loan of 1,000.00 per reference, read from a file; a bad row if asked for."""
    name = estate.mark(mark)
    rows = [
        f"{reference},{reference},+12125550100,,1000.00,18.5,2024-03-01,NY,B"
        for reference in references
    ]
    rows += [f"{name}-bad,{name},,,-5.00,18.5,2024-03-01,NY,B"] * bad
    with scope(estate.bank.actor("vendor_manager")) as actor:
        made = portfolios.create(
            actor=actor,
            name=f"{name} {next(_numbers)}",
            currency="USD",
            jurisdiction="US",
            product="personal loan",
        )
        estate.keep(
            "import",
            import_files.run(
                actor=actor,
                portfolio_id=made.pk,
                file_name=f"{name}.csv",
                file=io.BytesIO("\n".join([LOANS_HEADER, *rows]).encode()),
                mapping=MAPPINGS["standard"],
                policy=imports.Policy.GOOD_ROWS_ONLY,
            ),
        )
    return made


def publish(estate: Estate, mark: str, *references: str, closes_at) -> Listing:
    """A listing of a new portfolio of these loans, open until then."""
    made = portfolio(estate, mark, *references)
    with scope(estate.bank.actor("vendor_manager")) as actor:
        return listings.publish(
            actor=actor,
            portfolio_id=made.pk,
            closes_at=closes_at,
            highest_rate_ppm=300_000,
            term_days=300,
        )


def bid(house: world.House, listing: Listing, note: str) -> Bid:
    """The agency's people accept the terms, and its administrator bids."""
    world.accept_terms(house, listing)
    with scope(house.actor()) as actor:
        return bids.submit(
            actor=actor, listing_id=listing.pk, rate_ppm=200_000, capacity_loans=10, note=note
        )


def furnish(estate: Estate, listing: Listing) -> None:
    """A document of the bank's, and what the agency asks: an answer that is not published yet."""
    with scope(estate.house.actor("collector")) as actor:
        asked = questions.ask(actor=actor, listing_id=listing.pk, text=estate.mark("offer"))
    with scope(estate.bank.actor("vendor_manager")) as actor:
        name, content = f"{estate.mark('offer')}.txt", f"{estate.mark('offer')} {listing.pk}"
        estate.keep(
            "listing_document",
            *documents.add(actor=actor, listing_id=listing.pk, files=[(name, content.encode())]),
        )
        questions.answer(actor=actor, question_id=asked.pk, text=estate.mark("private"))
    estate.keep("question", asked)


def trade(estate: Estate) -> dict[str, Listing]:
    """Three listings with the agency's bids: one to be awarded, one to close, one that stays."""
    soon = FOUNDED_AT + DAY
    live = [estate.references["loan"], *(f"{estate.mark('live')}-{number}" for number in (2, 3))]
    sold = publish(estate, "market", *live, closes_at=soon)
    closed = publish(estate, "market", f"{estate.mark('private')}-closed", closes_at=soon)
    still = publish(estate, "market", f"{estate.mark('private')}-open", closes_at=JUNE)
    estate.keep("bid", bid(estate.house, closed, estate.mark("offer")))
    estate.keep("bid", bid(estate.house, sold, estate.mark("offer")))
    bid(estate.house, still, estate.mark("sealed"))
    for listing in (closed, sold):
        furnish(estate, listing)
    estate.keep("listing", closed, still, sold)
    draft = portfolio(estate, "private", f"{estate.mark('private')}-draft", bad=True)
    estate.ids["import"].reverse()
    estate.keep("portfolio", draft, sold.portfolio_id)
    with scope(estate.bank.actor("vendor_manager")) as actor:
        rows = f"{LOANS_HEADER}\n{estate.mark('private')}-2,,,,-1,1,2024-03-01,,"
        waiting = import_uploads.receive(
            actor=actor,
            portfolio_id=draft.pk,
            file_name=f"{estate.mark('private')}-next.csv",
            file=io.BytesIO(rows.encode()),
        )
        estate.ids["import"].insert(0, waiting.pk)
    return {"sold": sold, "still": still}


def place(estate: Estate, sold: Listing) -> None:
    """The award of the listing, and a second placement that will be recalled."""
    with scope(estate.bank.actor("vendor_manager")) as actor:
        offer = estate.ids["bid"][1]
        awards.award(
            actor=actor,
            listing_id=sold.pk,
            shares=[awards.Share(offer, 1_000_000)],
            reason="Best offer",
        )
        estate.keep("placement", Placement.objects.get(portfolio=sold.portfolio_id))
    lasting, gone = f"{estate.mark('lasting')}-1", f"{estate.mark('gone')}-1"
    # Of a placement that was recalled the agency keeps the title, in the entry that says so.
    placed = portfolio(estate, "lasting", lasting, gone)
    estate.keep("placement", world.place(estate.bank, estate.house, placed))
    with scope(estate.bank.actor("auditor")):
        for reference in (estate.references["loan"], gone):
            estate.keep("loan", Loan.objects.get(reference=reference))
    estate.references |= {"lasting": lasting, "gone": gone}
