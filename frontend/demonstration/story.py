"""A year of the bank and its agencies, told day by day through the services.

The owner's role sets the one clock to each day and lets it go at the end, so what happens carries
the time at which it would have happened. The same seed and date make the same business figures;
only identifiers and secrets differ.
"""

import contextlib
import dataclasses
import datetime
import random
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from django.db import connections

from agencies.models.users import Role
from agencies.scope import scope
from config import clock
from frontend.demonstration import borrowers, desk, handover, market, office
from frontend.demonstration import cast as people
from frontend.demonstration.cast import Cast, Player
from frontend.demonstration.market import Lot
from marketplace.services import rankings
from portfolios.services import exports, late_receipts, placements

MONTHS = 12
PORTFOLIOS = (  # month of publication, name, prefix, which grades it leans to, players by place
    (0, "Personal loans, vintage 2023 A", "PA", borrowers.EASY, (2, 3, 5, 6)),
    (0, "Personal loans, vintage 2023 B", "PB", borrowers.HARD, (0, 1, 4, 7)),
    (3, "Personal loans, vintage 2024 A", "PC", borrowers.EASY, (2, 3, 4, 6)),
    (5, "Personal loans, vintage 2024 B", "PD", borrowers.HARD, (0, 1, 5, 7)),
)
"""The two best agencies get the hard loans: their raw rate is not the highest."""
RECALLED_IN_MONTH = 9
FIRST_RANKED_MONTH = 10
WORKED_ON, REPORTED_ON = 15, 28
"""The day of a month on which agencies log contacts, and the one on which they report payments and
the bank reads its receipts."""


@dataclasses.dataclass
class Story:
    """What has happened so far."""

    cast: Cast
    seed: int
    loans_per_portfolio: int
    today: datetime.date
    rng: random.Random
    say: Callable[[str], None]
    lots: list[Lot] = dataclasses.field(default_factory=list)
    open_complaints: list = dataclasses.field(default_factory=list)
    recoveries: int = 0


class Time:
    """The clock in the owner's hand: nine in the morning of any day, in the bank's zone."""

    def __init__(self, time_zone: str):
        self.zone = ZoneInfo(time_zone)
        self.moment: datetime.datetime | None = None

    def set(self, day: datetime.date, hour: int = 9) -> datetime.datetime:
        self.moment = datetime.datetime.combine(day, datetime.time(hour), self.zone)
        return self._show()

    def pass_by(self, span: datetime.timedelta) -> datetime.datetime:
        self.moment += span
        return self._show()

    def _show(self) -> datetime.datetime:
        with connections["owner"].cursor() as cursor:
            cursor.execute("select fairplace_clock_set(%s)", [self.moment])
        return self.moment


@contextlib.contextmanager
def time_in_hand(time_zone: str) -> Iterator[Time]:
    """The clock obeys until the end, however that comes."""
    try:
        yield Time(time_zone)
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("select fairplace_clock_release()")


def tell(
    *, seed: int, today: datetime.date, loans_per_portfolio: int = 5000, say=lambda text: None
) -> Story:
    """Build the demonstration that ends on `today`; answers what happened."""
    months = _months_before(today)
    with time_in_hand("America/New_York") as time:
        time.set(months[0])
        cast = people.gather()
        people.join_panel(cast, time.pass_by)
        story = Story(cast, seed, loans_per_portfolio, today, random.Random(seed), say)
        for number, month in enumerate(months):
            _month(story, time, number, month)
        _this_month(story, time, months[-1])
    _rank(story)
    _take_stock()
    return story


def _rank(story: Story) -> None:
    with scope(story.cast.bank(Role.VENDOR_MANAGER)) as actor:
        rankings.compute(actor=actor, currency="USD")


def _months_before(today: datetime.date) -> list[datetime.date]:
    """The first days of the twelve whole months before today's, and of today's own."""
    last = today.year * 12 + today.month - 1
    return [
        datetime.date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS, last + 1)
    ]


def _take_stock() -> None:
    """A year passes faster than PostgreSQL looks at its tables by itself."""
    owner = connections["owner"]
    with owner.cursor() as cursor:
        tables = sorted(owner.introspection.django_table_names(only_existing=True))
        cursor.execute("analyze " + ", ".join(map(owner.ops.quote_name, tables)))


def _month(story: Story, time: Time, number: int, month: datetime.date) -> None:
    story.say(f"{month:%B %Y}")
    if number % 3 == 1:
        _take_stock()
    if number:
        time.set(month.replace(day=2))
        last = month - datetime.timedelta(days=1)
        office.settle_month(
            story.cast, last.replace(day=1), leave_open=month == _months_before(story.today)[-1]
        )
    if number >= FIRST_RANKED_MONTH:
        _rank(story)
    if month > story.today - datetime.timedelta(days=28):
        return
    for published, *portfolio in PORTFOLIOS:
        if published == number:
            _sell(story, time, month, *portfolio)
    if number == RECALLED_IN_MONTH:
        _recall(story, time, month)
    _work(story, time, month.replace(day=WORKED_ON))
    _report(story, time, month.replace(day=REPORTED_ON))
    _confirm(story, month.replace(day=REPORTED_ON), time.moment)
    _complaints(story, time, month)


def _sell(story: Story, time: Time, month, name: str, prefix: str, leaning: str, places) -> None:
    """A portfolio is published on the 3rd, bid on, and awarded a week later."""
    opening = time.set(max(month.replace(day=3), month))
    portfolio = market.publish(
        story.cast, story.rng, name, prefix, story.loans_per_portfolio, opening.date(), leaning
    )
    closes_at = opening + datetime.timedelta(days=5)
    listing = market.list_for_bids(story.cast, portfolio, closes_at, story.rng)
    time.pass_by(datetime.timedelta(days=2))
    bid_ids = market.bid(story.cast, story.rng, listing, story.cast.players)
    awarded = time.pass_by(datetime.timedelta(days=5))
    winners = [story.cast.players[place] for place in places]
    lots = market.award(story.cast, listing, bid_ids, winners, awarded.date())
    for lot in lots:
        lot.plan = desk.plan(lot, story.seed, story.today)
    story.lots.extend(lots)


def _work(story: Story, time: Time, day: datetime.date) -> None:
    """Agencies call, write and take promises."""
    time.set(day, hour=18)
    for player, lots in _by_player(story, day):
        holdings = [holding for lot in lots for holding in lot.holdings]
        plan = [payment for lot in lots for payment in lot.plan]
        desk.work(player, holdings, plan, story.rng, day, f"contacts-{day}")


def _report(story: Story, time: Time, day: datetime.date) -> None:
    """Agencies report what their borrowers have paid since they last did."""
    time.set(day, hour=18)
    for player, lots in _by_player(story, day):
        due = []
        for lot in lots:
            since, lot.reported_until = lot.reported_until, day
            due.extend(payment for payment in lot.plan if since < payment.value_on <= day)
        story.recoveries += desk.report(player, due, f"recoveries-{day}")


def _by_player(story: Story, day: datetime.date) -> list[tuple[Player, list[Lot]]]:
    """The agencies with the lots that they held before that day and have not reported on it."""
    found = []
    for player in story.cast.players:
        lots = [lot for lot in story.lots if lot.player is player and lot.reported_until < day]
        if lots:
            found.append((player, lots))
    return found


def _confirm(story: Story, day: datetime.date, moment: datetime.datetime) -> None:
    """The bank reads its receipts, and some of what they confirmed bounces."""
    office.confirm(story.cast, story.rng, day)
    office.reverse_some(story.cast, story.rng, moment)


def _complaints(story: Story, time: Time, month: datetime.date) -> None:
    """Those of last month are answered and decided, and there are new ones."""
    time.set(month.replace(day=28), hour=20)
    _decide(story, story.open_complaints)
    complained = [lot for lot in story.lots if lot.reported_until > month]
    story.open_complaints = office.complain(
        story.cast, story.rng, complained, month.replace(day=28)
    )


def _decide(story: Story, complaints: list) -> None:
    for lot, complaint in complaints:
        office.answer(lot, complaint)
    for lot, complaint in complaints:
        office.decide(story.cast, story.rng, lot, complaint)


def _recall(story: Story, time: Time, month: datetime.date) -> None:
    """The worst lot is taken back whole; its agency still has one payment to report.

    It had exported the loans, and owes the certificate that its copies are destroyed.
    """
    time.set(month.replace(day=5))
    lot = next(lot for lot in story.lots if lot.player.character.slug == "ironbridge")
    story.lots.remove(lot)
    with scope(lot.player.head) as actor:
        export = exports.ask(actor=actor, placement_id=lot.placement_id)
    for _part in exports.rows(actor=actor, export=export):
        pass
    with scope(story.cast.bank(Role.VENDOR_MANAGER)) as actor:
        placements.recall(
            actor=actor,
            placement_id=lot.placement_id,
            reason="Upheld complaints about calls at night, twice warned.",
        )
    with scope(lot.player.head) as actor:
        late_receipts.submit(
            actor=actor,
            institution_id=story.cast.institution.pk,
            loan_reference=lot.holdings[0].reference,
            reference="IRO-LATE-1",
            amount_minor=125_00,
            currency="USD",
            value_on=month.replace(day=4),
            note="Posted the day before the recall.",
        )


def _this_month(story: Story, time: Time, month: datetime.date) -> None:
    """What waits for the visitor: unconfirmed money, open complaints, a listing that closes."""
    day = story.today - datetime.timedelta(days=1)
    _work(story, time, day)
    _report(story, time, day)
    time.set(day, hour=19)
    _decide(story, story.open_complaints[1:])
    fresh = office.complain(story.cast, story.rng, story.lots[::3], day)
    for lot, complaint in fresh[: len(fresh) // 2]:
        office.answer(lot, complaint)
    lot = next(lot for lot in story.lots if lot.player is story.cast.players[1])
    handover.announce_recall(story.cast, lot)
    handover.hold_some(story.cast, lot, review_on=story.today)
    loans = max(story.loans_per_portfolio // 10, 60)
    waiting = market.publish(
        story.cast, story.rng, "Personal loans, vintage 2025", "PE", loans, day
    )
    closes_at = datetime.datetime.combine(
        story.today + datetime.timedelta(days=4), datetime.time(17), time.zone
    )
    listing = market.list_for_bids(story.cast, waiting, closes_at, story.rng)
    market.discuss(story.cast, listing, story.cast.players[1:4])
    market.bid(story.cast, story.rng, listing, story.cast.players[1:5])
    market.publish(story.cast, story.rng, "Credit cards, autumn", "PF", loans, day)
    story.say(f"{clock.now():%d %B %Y}")
