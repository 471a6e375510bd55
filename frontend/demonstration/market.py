"""The market of the demonstration: portfolios imported, published, bid on and awarded."""

import dataclasses
import datetime
import io
import random

from agencies.models.users import Role
from agencies.scope import scope
from frontend.demonstration import borrowers
from frontend.demonstration.cast import Cast, Player, one_page
from marketplace.selectors import visible_award_shares
from marketplace.services import awards, bids, listings, questions, terms
from portfolios.mappings import MAPPINGS
from portfolios.models import Portfolio
from portfolios.selectors import visible_spells
from portfolios.services import import_files, imports, portfolios

HIGHEST_RATE_PPM = 300_000
TERM_DAYS = 540
COMPARISON_PPM = 150_000
"""Of each portfolio goes to its winners in equal lots, so that the ranking sees past what is
recorded."""
MILLION = 1_000_000


@dataclasses.dataclass(frozen=True)
class Holding:
    """A loan in a player's hands: what the story needs to know of it."""

    reference: str
    balance_minor: int
    grade: str


@dataclasses.dataclass
class Lot:
    """One placement, its loans, and what their borrowers will pay (`desk.Payment`s)."""

    player: Player
    placement_id: object
    reported_until: datetime.date
    holdings: list[Holding]
    plan: list = dataclasses.field(default_factory=list)


def publish(
    cast: Cast,
    rng: random.Random,
    name: str,
    prefix: str,
    loans: int,
    today: datetime.date,
    leaning: str = "",
) -> Portfolio:
    """A draft portfolio of made-up loans, read from a file like any bank's."""
    with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
        portfolio = portfolios.create(
            actor=actor, name=name, currency="USD", jurisdiction="US", product="personal loan"
        )
    import_files.run(
        actor=cast.bank(Role.VENDOR_MANAGER),
        portfolio_id=portfolio.pk,
        file_name=f"{prefix.lower()}.csv",
        file=io.BytesIO(borrowers.loan_file(rng, prefix, loans, today, leaning)),
        mapping=MAPPINGS["standard"],
        policy=imports.Policy.ALL_OR_NOTHING,
    )
    return portfolio


def list_for_bids(
    cast: Cast, portfolio: Portfolio, closes_at: datetime.datetime, rng: random.Random
):
    """The portfolio open for bids, with two documents for those who have accepted the terms."""
    with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
        return listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=closes_at,
            highest_rate_ppm=HIGHEST_RATE_PPM,
            term_days=TERM_DAYS,
            seed=f"{rng.getrandbits(128):032x}",
            files=[
                ("Servicing agreement.pdf", one_page(f"Servicing agreement: {portfolio.name}")),
                ("Columns of the tape.csv", GLOSSARY.encode()),
            ],
        )


GLOSSARY = """column,meaning
balance,what was owed on the day of publication
days_past_due,days since the oldest unpaid instalment
grade,the grade at origination
expected_recovery,what the bank expects to come in of the balance
"""

QUESTIONS = (
    (
        "How many of the borrowers have a telephone number that was reached in the last year? "
        "We at Blue Heron have dialled for you before.",
        "How many of the borrowers have a telephone number that was reached in the last year?",
        "About two thirds. Numbers that bounced are marked in the loan file that winners get.",
    ),
    (
        "Are settlements below the balance allowed, and who approves them?",
        None,
        "Yes: down to 70 % on your own authority, below that with the bank's consent in two days.",
    ),
    ("Are there loans with a payment plan in force?", None, ""),
)
"""What bidders ask, as all read it where that differs, and the answer where there is one."""


def discuss(cast: Cast, listing, players: list[Player]) -> None:
    """Each of the players asks something; the bank publishes the answers that it has."""
    for player, (asked, shown, told) in zip(players, QUESTIONS, strict=False):
        with scope(player.head) as actor:
            terms.accept(actor=actor, listing_id=listing.pk, sha256=listing.terms_sha256)
            question = questions.ask(actor=actor, listing_id=listing.pk, text=asked)
        if told:
            with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
                questions.answer(
                    actor=actor, question_id=question.pk, text=told, shown_question=shown
                )
    with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
        questions.publish(actor=actor, listing_id=listing.pk)


def bid(cast: Cast, rng: random.Random, listing, players: list[Player]) -> dict[str, object]:
    """Each of the players bids around its usual rate; answers bid ids by agency slug."""
    made = {}
    for player in players:
        rate_ppm = player.character.rate_ppm + 2_500 * rng.randint(-6, 6)
        with scope(player.head) as actor:
            terms.accept(actor=actor, listing_id=listing.pk, sha256=listing.terms_sha256)
            bid = bids.submit(
                actor=actor,
                listing_id=listing.pk,
                rate_ppm=min(rate_ppm, HIGHEST_RATE_PPM),
                capacity_loans=max(listing.loan_count // 2, 10),
                note="Settled by negotiation first; visits only with the borrower's consent.",
            )
        made[player.character.slug] = bid.pk
    return made


def award(
    cast: Cast, listing, bid_ids: dict[str, object], players: list[Player], today
) -> list[Lot]:
    """Equal shares of the listing for the players; answers their lots."""
    share_ppm = MILLION // len(players)
    with scope(cast.bank(Role.VENDOR_MANAGER)) as actor:
        made = awards.award(
            actor=actor,
            listing_id=listing.pk,
            shares=[awards.Share(bid_ids[p.character.slug], share_ppm) for p in players],
            reason="Equal shares, so that the four can be compared on like loans.",
            comparison_ppm=COMPARISON_PPM,
        )
        shares = visible_award_shares(actor).filter(award=made)
        placements = {share.agency_id: share.placement_id for share in shares}
        lots = []
        for player in players:
            placement_id = placements[player.agency.pk]
            spells = visible_spells(actor).filter(placement=placement_id).select_related("loan")
            holdings = [
                Holding(spell.loan.reference, spell.balance_minor, spell.loan.grade)
                for spell in spells.order_by("loan__reference")
            ]
            lots.append(Lot(player, placement_id, today, holdings))
    return lots
