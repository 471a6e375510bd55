"""Draws: the seed that is committed before the bids, loans as they are drawn, and the proof."""

import dataclasses
import hashlib
import itertools
import secrets
import uuid
from collections.abc import Iterator

import numpy as np
from django.contrib.postgres.aggregates import StringAgg
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Collate
from django.utils.translation import gettext as _

from agencies import selectors
from agencies.actors import Actor
from config.encryption import reveal
from marketplace import allocation
from marketplace.models import Award, AwardShare, DrawnLoan, Listing
from marketplace.selectors import visible_award_shares, visible_awards, visible_drawn_loans
from portfolios import lot_covariates
from portfolios.lot_balance import LotBalance
from portfolios.lot_covariates import Loans
from portfolios.selectors import visible_loans, visible_spells

SEED_BYTES = 16
CHUNK_ROWS = 50_000
FACTS = (
    "balance_minor",
    "days_past_due",
    "score",
    "expected_recovery_ppm",
    "earlier_placements",
    "product",
    "region",
)
RECORD = """
    insert into marketplace_drawnloan (
        institution_id, award_id, loan_id, borrower_number, balance_minor, days_past_due, score,
        expected_recovery_ppm, earlier_placements, product, region, part, lot)
    select l.institution_id, %s, l.id, d.borrower_number, l.balance_minor, l.days_past_due, l.score,
        l.expected_recovery_ppm, l.earlier_placements, l.product, l.region, d.part, d.lot
    from unnest(%s::uuid[], %s::int[], %s::text[], %s::int[])
        as d (loan_id, borrower_number, part, lot)
    join portfolios_loan l on l.id = d.loan_id
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Tape:
    """Loans to be drawn, and their primary keys in the same order."""

    loan_ids: list[uuid.UUID]
    loans: Loans

    def parted(self, part_of: np.ndarray, *parts: int) -> list[uuid.UUID]:
        """The loans that were drawn into one of these parts."""
        return [self.loan_ids[place] for place in np.flatnonzero(np.isin(part_of, parts))]


def commitment(actor: Actor, portfolio_id, seed: str = "") -> dict[str, str]:
    """What a listing keeps of its draw from the publication on; the seed is new if not given.

    SHA-256 over the bytes of the seed and of the digest of the portfolio's loan references: who
    learns both at the award can see that neither was chosen later.
    """
    seed = seed or secrets.token_hex(SEED_BYTES)
    digest = _digest(actor, portfolio_id)
    return {
        "sealed_seed": seed,
        "portfolio_digest": digest,
        "draw_commitment": committed(seed, digest),
    }


def committed(seed: str, digest: str) -> str:
    """SHA-256 over the bytes of two hexadecimal texts, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(seed) + bytes.fromhex(digest)).hexdigest()


def _digest(actor: Actor, portfolio_id) -> str:
    """SHA-256 over the portfolio's loan references, sorted by code point, one a line."""
    joined = visible_loans(actor).filter(portfolio=portfolio_id)
    texts = joined.aggregate(
        all=StringAgg("reference", "\n", order_by=Collate("reference", "C"), default="")
    )
    return hashlib.sha256(texts["all"].encode()).hexdigest()


def seed_of(listing: Listing) -> str:
    """The sealed seed: for the draw alone, never to be shown before the award.

    Raises ValueError where it is not the one that was committed to.
    """
    seed = reveal(listing, "sealed_seed")
    if committed(seed, listing.portfolio_digest) != listing.draw_commitment:
        raise ValueError("the sealed seed is not the committed one")
    return seed


def tape(loans: QuerySet) -> Tape:
    """The facts of loans, as they are compared."""
    return _read(loans, "pk", "borrower_id")


def _read(rows: QuerySet, key: str, borrower: str) -> Tape:
    loan_ids: list[uuid.UUID] = []
    borrowers: list = []
    columns: list[list] = [[] for _fact in FACTS]
    for chunk in _chunks(rows.order_by(key).values_list(key, borrower, *FACTS)):
        keys, owners, *facts = zip(*chunk, strict=True)
        loan_ids += keys
        borrowers += (
            loan if owner is None else owner for loan, owner in zip(keys, owners, strict=True)
        )
        for column, values in zip(columns, facts, strict=True):
            column += values
    numbers = (
        np.array(borrowers, np.int64)
        if borrower == "borrower_number"
        else lot_covariates.numbered(lot_covariates.halves(borrowers))
    )
    balance, overdue, score, expected, earlier, products, regions = columns
    loans = Loans(
        ids=lot_covariates.halves(loan_ids),
        borrowers=numbers,
        balance_minor=np.array(balance, np.int64),
        days_past_due=np.array(overdue, np.int64),
        score=np.array(score, np.float64),
        expected_recovery_ppm=np.array(expected, np.float64),
        earlier_placements=np.array(earlier, np.int64),
        products=lot_covariates.levels(products),
        regions=lot_covariates.levels(regions),
    )
    return Tape(loan_ids, loans)


def _chunks(rows: QuerySet) -> Iterator[list[tuple]]:
    chunk: list[tuple] = []
    for row in rows.iterator(chunk_size=CHUNK_ROWS):
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def record(
    award: Award, drawn_from: Tape, drawn: allocation.Drawn, split: allocation.Split
) -> None:
    """Keep every loan of a draw as it was and where it went; the loans must be locked."""
    parts, lots = _described(drawn.part_of, split)
    numbers = drawn_from.loans.borrowers.tolist()
    with connection.cursor() as cursor:
        for start in range(0, len(parts), CHUNK_ROWS):
            some = slice(start, start + CHUNK_ROWS)
            cursor.execute(
                RECORD,
                [award.pk, drawn_from.loan_ids[some], numbers[some], parts[some], lots[some]],
            )


def _described(part_of: np.ndarray, split: allocation.Split) -> tuple[list[str], list[int | None]]:
    """`DrawnLoan.part` and `.lot` of each loan."""
    winners = len(split.shares_ppm)
    kinds = DrawnLoan.Part
    names = [kinds.SHARE] * winners + [kinds.COMPARISON] * winners
    names += [kinds.HOLD_OUT, kinds.LEFT_OVER]
    numbers = [*range(winners), *range(winners), None, None]
    places = np.where(part_of == allocation.LEFT_OVER, split.hold_out + 1, part_of).tolist()
    return [names[place].value for place in places], [numbers[place] for place in places]


def split_of(award: Award, shares: list[AwardShare]) -> allocation.Split:
    """What an award was drawn by; `shares` in the order of their lots."""
    return allocation.Split(
        tuple(share.share_ppm for share in shares), award.comparison_ppm, award.hold_out_ppm
    )


def verify(*, actor: Actor, award_id) -> list[str]:
    """What is wrong with an award's draw, in sentences; nothing if it is as it was committed.

    Draws again from the revealed seed and the loans as they were kept, and compares the lots with
    what was kept and with what was placed.
    """
    award = selectors.find(visible_awards(actor), pk=award_id)
    listing = award.listing
    wrong = []
    if committed(listing.seed, listing.portfolio_digest) != listing.draw_commitment:
        wrong.append(_("The seed is not the one that was committed at the publication."))
    if _digest(actor, listing.portfolio_id) != listing.portfolio_digest:
        wrong.append(_("The portfolio's loans are not those of the publication."))
    shares = list(visible_award_shares(actor).filter(award=award).order_by("lot"))
    kept = visible_drawn_loans(actor).filter(award=award)
    again = _read(kept, "loan_id", "borrower_number")
    split = split_of(award, shares)
    drawn = allocation.draw(again.loans, split, listing.seed)
    parts, lots = _described(drawn.part_of, split)
    stored = kept.order_by("loan_id").values_list("part", "lot")
    drawn_again = zip(parts, lots, strict=True)
    if any(one != other for one, other in zip(stored, drawn_again, strict=True)):
        wrong.append(_("Some loans are not in the lot that chance put them in."))
    if _misplaced(actor, award, shares):
        wrong.append(_("The placements are not the lots that were drawn."))
    told = [(share.balance, share.comparison_balance) for share in shares]
    if (told, award.hold_out_balance) != (balances(drawn), as_kept(drawn.hold_out)):
        wrong.append(_("The balance report is not that of these lots."))
    return wrong


def balances(drawn: allocation.Drawn) -> list[tuple[dict | None, dict | None]]:
    """The balance of every winner's lot, and of the comparison lot in it, as plain data."""
    pairs = itertools.zip_longest(drawn.lots, drawn.comparisons)
    return [(as_kept(lot), as_kept(comparison)) for lot, comparison in pairs]


def as_kept(lot: LotBalance | None) -> dict | None:
    """The balance of a lot as plain data."""
    return dataclasses.asdict(lot) if lot else None


def _misplaced(actor: Actor, award: Award, shares: list[AwardShare]) -> bool:
    """Whether a loan is placed otherwise than drawn, or drawn and not placed."""
    placements: dict[int | None, uuid.UUID] = {share.lot: share.placement_id for share in shares}
    drawn = visible_drawn_loans(actor).filter(award=award, lot__isnull=False)
    placed = visible_spells(actor).filter(placement__in=placements.values())
    wanted = (
        (loan_id, placements[lot], part == DrawnLoan.Part.COMPARISON)
        for loan_id, lot, part in drawn.order_by("loan_id").values_list("loan_id", "lot", "part")
    )
    found = placed.order_by("loan_id").values_list("loan_id", "placement_id", "is_comparison")
    return any(one != other for one, other in itertools.zip_longest(wanted, found))
