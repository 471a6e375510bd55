"""Reporting recoveries and accruing commission, against one INSERT each."""

import datetime
import itertools

from django.db import connections

from agencies.scope import scope
from config import clock, ids
from payouts.services import commissions
from portfolios.models import Confirmation, PlacedLoan, ReceiptFile, ReceiptLine
from portfolios.services import recoveries
from tests import world
from tests.bench.figures import Figure

BATCHES = (50, 500)
ACCRUALS = (200, 2_000)
_numbers = itertools.count(1)


def _placed(loans: int):
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[10_000_00] * loans))
    with scope(bank.actor("auditor")):
        spells = list(PlacedLoan.objects.select_related("loan").order_by("loan__reference"))
    return bank, house, spells


def reporting():
    """One batch of recoveries, idempotent, guarded, audited."""
    for loans in BATCHES:
        yield _reporting(loans)


def _reporting(loans: int) -> Figure:
    _bank, house, spells = _placed(loans)
    today = clock.now().date()

    def ours():
        number = next(_numbers)
        with scope(house.actor("collector")) as actor:
            answers = recoveries.log(
                actor=actor,
                idempotency_key=f"bench-{number}",
                rows=[
                    {
                        "loan_reference": spell.loan.reference,
                        "reference": f"{number}-{place}",
                        "amount_minor": 10_00,
                        "value_on": today,
                        "channel": "card",
                    }
                    for place, spell in enumerate(spells)
                ],
            )
        assert {answer.outcome for answer in answers} == {"recorded"}

    def raw():
        _insert(spells, [f"raw-{next(_numbers)}-{place}" for place in range(len(spells))])

    return Figure("report recoveries in one batch / one INSERT", loans, ours, raw)


def _insert(spells, references) -> list:
    made = [ids.uuid7() for _spell in spells]
    first = spells[0]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into portfolios_recovery (id, spell_id, loan_id, reference,"
            " institution_id, agency_id, placement_id, logged_at, logged_by, currency,"
            " amount_minor, value_on, channel, is_above_balance)"
            " select id, spell, loan, reference, %s, %s, %s, now(), 'bench', 'USD', 1000,"
            " current_date, 'card', false"
            " from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[])"
            " as rows (id, spell, loan, reference)",
            [
                first.institution_id,
                first.agency_id,
                first.placement_id,
                made,
                [spell.pk for spell in spells],
                [spell.loan_id for spell in spells],
                references,
            ],
        )
    return made


def accruing():
    """Commission on confirmed recoveries."""
    for loans in ACCRUALS:
        bank, _house, spells = _placed(loans)
        yield _accruing(bank, spells)


def _accruing(bank, spells):
    def confirmed():
        numbers = [next(_numbers) for _spell in spells]
        made = _insert(spells, [f"acc-{number}" for number in numbers])
        with scope(bank.actor("finance_preparer")) as actor:
            receipt_file = ReceiptFile.objects.create(
                institution=bank.institution,
                file_name="bench.csv",
                sha256=f"{numbers[0]:064d}",
                rows_read=len(made),
                uploaded_at=clock.now(),
                uploaded_by_id=actor.user_id,
            )
            lines = ReceiptLine.objects.bulk_create(
                ReceiptLine(
                    institution=bank.institution,
                    receipt_file=receipt_file,
                    row=number,
                    receipt_reference=f"B-{number}",
                    loan_reference=spell.loan.reference,
                    currency="USD",
                    amount_minor=1000,
                    value_on=datetime.date(2026, 1, 2),
                    state="matched",
                )
                for number, spell in zip(numbers, spells, strict=True)
            )
            Confirmation.objects.bulk_create(
                Confirmation(
                    institution=bank.institution,
                    agency_id=spell.agency_id,
                    placement_id=spell.placement_id,
                    spell=spell,
                    recovery_id=recovery_id,
                    receipt_line=line,
                    confirmed_at=clock.now(),
                    confirmed_by="bench",
                )
                for recovery_id, line, spell in zip(made, lines, spells, strict=True)
            )
        return ()

    def ours():
        with scope(bank.sweep) as actor:
            assert commissions.accrue(actor=actor) == len(spells)

    def raw():
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                "insert into payouts_commissionentry (id, institution_id, agency_id,"
                " placement_id, spell_id, recovery_id, kind, currency, base_minor, rate_ppm,"
                " amount_minor, accrued_at)"
                " select gen_random_uuid(), r.institution_id, r.agency_id, r.placement_id,"
                " r.spell_id, r.id, 'accrual', r.currency, r.amount_minor, p.rate_ppm,"
                " (r.amount_minor::numeric * p.rate_ppm + 500000) / 1000000, now()"
                " from portfolios_recovery r join portfolios_placement p on p.id = r.placement_id"
                " where r.institution_id = %s and exists (select from portfolios_confirmation c"
                " where c.recovery_id = r.id) and not exists (select from"
                " payouts_commissionentry e where e.recovery_id = r.id)",
                [bank.institution.pk],
            )
            assert cursor.rowcount == len(spells)

    ours.before = raw.before = confirmed
    label = "accrue commission on recoveries / one INSERT"
    return Figure(label, len(spells), ours, raw)


CASES = (reporting, accruing)
