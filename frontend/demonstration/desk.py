"""The desks of the agencies: who pays what and when, and what is said to the borrowers."""

import dataclasses
import datetime
import random
from zoneinfo import ZoneInfo

from agencies.scope import scope
from frontend.demonstration.cast import Player
from frontend.demonstration.market import Holding, Lot
from portfolios.models import Contact, Recovery
from portfolios.services import contacts, promises, recoveries

BATCH = 500
PAYS = {"A": 0.45, "B": 0.38, "C": 0.30, "D": 0.22, "E": 0.16, "F": 0.11, "G": 0.08}
"""How likely a borrower of each grade pays something to an agency of ordinary skill."""
CHANNELS = (Recovery.Channel.BANK_TRANSFER, Recovery.Channel.CARD, Recovery.Channel.DIRECT_DEBIT)
CONTACTS_PER_ROUND = 0.025
"""Of the loans; as many again of those that are about to pay, who were spoken with before."""
SOON = datetime.timedelta(days=24)
PROMISED_OF_SPOKEN = 0.2
KEPT = 0.7
"""How often somebody who promises is one who is about to pay."""
EASTERN = ZoneInfo("America/New_York")


@dataclasses.dataclass(frozen=True, order=True)
class Payment:
    """One payment that a borrower will make."""

    value_on: datetime.date
    loan_reference: str
    reference: str
    amount_minor: int
    channel: str


def plan(lot: Lot, seed: int, last_day: datetime.date) -> list[Payment]:
    """What the borrowers of a lot will pay until `last_day`, in the order of the days.

    Each loan has a generator of its own, so that what one borrower does changes nobody else.
    """
    payments = []
    for holding in lot.holdings:
        rng = random.Random(f"{seed}:{holding.reference}")
        chance = min(PAYS[holding.grade] * lot.player.character.skill, 0.9)
        if rng.random() < chance:
            payments.extend(_payments(lot, holding, rng, last_day))
    return sorted(payments)


def _payments(lot: Lot, holding, rng: random.Random, last_day) -> list[Payment]:
    """Instalments about a month apart until the borrower stops, or has paid more than is owed."""
    instalments = rng.choice((1, 2, 3, 4, 6, 8, 10, 12))
    part_minor = max(int(holding.balance_minor * rng.uniform(0.015, 0.09)), 20_00)
    if instalments == 1:
        part_minor = int(holding.balance_minor * rng.uniform(0.1, 0.5))
    if rng.random() < 0.003:
        part_minor = holding.balance_minor + rng.randint(1_00, 90_00)
    day = lot.reported_until + datetime.timedelta(days=rng.randint(3, 90))
    found = []
    for number in range(1, instalments + 1):
        if day > last_day:
            break
        found.append(
            Payment(
                value_on=day,
                loan_reference=holding.reference,
                reference=f"{lot.player.character.slug[:3].upper()}-{holding.reference}-{number}",
                amount_minor=part_minor,
                channel=rng.choice(CHANNELS).value,
            )
        )
        day += datetime.timedelta(days=rng.randint(25, 36))
    return found


def report(player: Player, payments: list[Payment], label: str) -> int:
    """The agency reports payments in batches; answers how many the bank's portal recorded."""
    recorded = 0
    for start in range(0, len(payments), BATCH):
        with scope(player.actor) as actor:
            answers = recoveries.log(
                actor=actor,
                idempotency_key=f"{label}-{start}",
                rows=[
                    {
                        "loan_reference": payment.loan_reference,
                        "reference": payment.reference,
                        "amount_minor": payment.amount_minor,
                        "currency": "USD",
                        "value_on": payment.value_on,
                        "channel": payment.channel,
                    }
                    for payment in payments[start : start + BATCH]
                ],
            )
        recorded += sum(answer.outcome == "recorded" for answer in answers)
    return recorded


def work(
    player: Player,
    holdings: list[Holding],
    plan: list[Payment],
    rng: random.Random,
    today: datetime.date,
    label: str,
) -> None:
    """A round of calls and letters, and what is promised; a careless agency also calls when people
    are asleep."""
    count = max(int(len(holdings) * CONTACTS_PER_ROUND), 1)
    soon = {
        payment.loan_reference: payment
        for payment in reversed(plan)
        if today < payment.value_on <= today + SOON
    }
    spoken = rng.sample(holdings, min(count, len(holdings)))
    about_to_pay = [holding for holding in holdings if holding.reference in soon]
    spoken += rng.sample(about_to_pay, min(count, len(about_to_pay)))
    called = list(dict.fromkeys(spoken))
    rows = [_contact(player, holding.reference, rng, today) for holding in called]
    for start in range(0, len(rows), BATCH):
        with scope(player.actor) as actor:
            contacts.log_many(
                actor=actor, idempotency_key=f"{label}-{start}", rows=rows[start : start + BATCH]
            )
    for holding in called:
        payment = soon.get(holding.reference)
        likely = PROMISED_OF_SPOKEN * (KEPT if payment else 1 - KEPT)
        if rng.random() < likely:
            _promise(player, holding, payment, rng, today)


def _promise(
    player: Player,
    holding: Holding,
    payment: Payment | None,
    rng: random.Random,
    today: datetime.date,
) -> None:
    """What somebody promises who is about to pay, or who will not."""
    amount_minor = max(holding.balance_minor // 20, 25_00)
    due_on = today + datetime.timedelta(days=rng.randint(7, 28))
    if payment:
        amount_minor, due_on = payment.amount_minor, payment.value_on + datetime.timedelta(days=2)
    with scope(player.actor) as actor:
        promises.log(
            actor=actor, reference=holding.reference, amount_minor=amount_minor, due_on=due_on
        )


def _contact(player: Player, reference: str, rng: random.Random, today: datetime.date) -> dict:
    yesterday = today - datetime.timedelta(days=1)
    careless = rng.random() > player.character.care
    # Noon to six in New York is between nine and six everywhere in the mainland's zones.
    hour = rng.choice((5, 23)) if careless else rng.randint(12, 17)
    moment = datetime.time(hour, rng.randint(0, 59))
    measure, channel, outcome = rng.choice(
        (
            (Contact.Measure.NOTICE, Contact.Channel.LETTER, Contact.Outcome.DONE),
            (Contact.Measure.NEGOTIATION, Contact.Channel.PHONE, Contact.Outcome.NO_ANSWER),
            (Contact.Measure.NEGOTIATION, Contact.Channel.PHONE, Contact.Outcome.CONVERSATION),
            (Contact.Measure.NEGOTIATION, Contact.Channel.PHONE, Contact.Outcome.LEFT_MESSAGE),
            (Contact.Measure.NEGOTIATION, Contact.Channel.EMAIL, Contact.Outcome.DONE),
        )
    )
    return {
        "loan_reference": reference,
        "measure": measure.value,
        "channel": channel.value,
        "direction": Contact.Direction.OUTBOUND.value,
        "outcome": outcome.value,
        "happened_at": datetime.datetime.combine(yesterday, moment, EASTERN),
        "note": "",
    }
