"""A small world to test in: two banks, agencies on their panels, loans, a live placement.

Everything is made through the services by the actors who would make it; only loans are written
directly, because reading a file is a test of its own. All of it runs inside the test's
transaction, on the application's own database role.
"""

import dataclasses
import datetime
import itertools

from django.contrib.auth.models import Group

from agencies import actors
from agencies.models import Agency, Institution, PanelMembership, User
from agencies.models.users import AGENCY_ROLES, INSTITUTION_ROLES
from agencies.scope import scope
from agencies.services import panel
from config import clock, encryption, ids
from marketplace.models import Listing
from marketplace.selectors import visible_listings
from marketplace.services import terms
from portfolios.models import (
    Borrower,
    Confirmation,
    Loan,
    LoanImport,
    PlacedLoan,
    Placement,
    Portfolio,
    ReceiptFile,
    ReceiptLine,
    Recovery,
    Reversal,
)
from portfolios.services import placements

PHONE = "+12125550100"
"""Of every borrower that is made here."""
PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


@dataclasses.dataclass
class Bank:
    """An institution and one person per role: `bank.users["auditor"]`, `bank.actor("auditor")`."""

    institution: Institution
    users: dict[str, User]

    def actor(self, role: str) -> actors.Actor:
        return actors.for_user(self.users[role])

    @property
    def sweep(self) -> actors.Actor:
        return actors.sweep(self.institution.pk)


@dataclasses.dataclass
class House:
    """An agency and its people: `house.actor("collector")`."""

    agency: Agency
    users: dict[str, User]

    def actor(self, role: str = "agency_administrator") -> actors.Actor:
        return actors.for_user(self.users[role])


def _people(roles, domain: str, **where) -> dict[str, User]:
    people = {}
    for role in roles:
        user = User(email=f"{role.value}@{domain}", name=str(role.label), role=role.value, **where)
        user.set_password(PASSWORD)
        user.save()
        people[role.value] = user
    return people


def make_bank(name: str = "", *, time_zone: str = "America/New_York") -> Bank:
    """An institution with one person per role; their password is `PASSWORD`."""
    number = next(_numbers)
    institution = Institution(
        name=name or f"Bank {number}", slug=f"bank-{number}", time_zone=time_zone
    )
    with scope(actors.founder_of_institution(institution.pk)):
        institution.save()
        users = _people(INSTITUTION_ROLES, f"bank{number}.example", institution=institution)
    return Bank(institution, users)


def make_agency(name: str = "") -> House:
    """An agency with an administrator and a collector, on nobody's panel yet."""
    number = next(_numbers)
    agency = Agency(
        name=name or f"Agency {number}", country="US", contact_email=f"info@a{number}.example"
    )
    with scope(actors.founder_of_agency(agency.pk)):
        agency.group = Group.objects.create(name=f"agency {agency.pk}")
        agency.save()
        users = _people(AGENCY_ROLES, f"agency{number}.example", agency=agency)
    return House(agency, users)


def join_panel(bank: Bank, house: House, *, capacity_loans: int = 1000) -> PanelMembership:
    """The agency applies and a compliance officer admits it."""
    with scope(house.actor()) as actor:
        membership = panel.apply(
            actor=actor,
            institution_id=bank.institution.pk,
            licence_number="L-1",
            jurisdictions=["US"],
            capacity_loans=capacity_loans,
        )
    with scope(bank.actor("compliance_officer")) as actor:
        return panel.approve(actor=actor, membership_id=membership.pk, reason="Documents in order")


def accept_terms(house: House, listing: Listing, *roles: str) -> None:
    """The agency's people, or those of these roles, accept the listing's terms as they are now."""
    for role in roles or house.users:
        with scope(house.actor(role)) as actor:
            sha256 = visible_listings(actor).get(pk=listing.pk).terms_sha256
            terms.accept(actor=actor, listing_id=listing.pk, sha256=sha256)


def make_portfolio(bank: Bank, *, balances_minor: list[int], currency: str = "USD") -> Portfolio:
    """A portfolio of loans `L-<n>-1`, `L-<n>-2`, … of these balances, each with a borrower."""
    number = next(_numbers)
    with scope(bank.actor("vendor_manager")) as actor:
        portfolio = Portfolio.objects.create(
            institution=bank.institution,
            name=f"Portfolio {number}",
            currency=currency,
            jurisdiction="US",
            product="personal loan",
            created_at=clock.now(),
        )
        loan_import = LoanImport.objects.create(
            institution=bank.institution,
            portfolio=portfolio,
            currency=portfolio.currency,
            file_name="made.csv",
            sha256=f"{number:064d}",
            file_bytes=0,
            mapping_name="standard",
            state=LoanImport.State.IMPORTED,
            rows_read=len(balances_minor),
            rows_good=len(balances_minor),
            good_minor=sum(balances_minor),
            rows_imported=len(balances_minor),
            balance_minor=sum(balances_minor),
            uploaded_at=clock.now(),
            uploaded_by_id=actor.user_id,
            moved_at=clock.now(),
            imported_at=clock.now(),
        )
        for index, balance_minor in enumerate(balances_minor, 1):
            borrower = Borrower.objects.create(
                id=ids.uuid7(),
                institution=bank.institution,
                loan_import=loan_import,
                name=f"Borrower {number}-{index}",
                phone=PHONE,
                phone_index=encryption.blind_index(PHONE, field="phone", owner=bank.institution.pk),
            )
            Loan.objects.create(
                institution=bank.institution,
                portfolio=portfolio,
                loan_import=loan_import,
                borrower=borrower,
                reference=f"L-{number}-{index}",
                currency=currency,
                balance_minor=balance_minor,
                rate_ppm=120_000,
                opened_on=datetime.date(2024, 1, 15),
                last_payment_on=datetime.date(2025, 1, 15),
                days_past_due=300,
                region="NY",
                grade="C",
            )
    return portfolio


def place(bank: Bank, house: House, portfolio: Portfolio, *, rate_ppm: int = 200_000) -> Placement:
    """All free loans of the portfolio placed with the agency for a year."""
    with scope(bank.actor("vendor_manager")) as actor:
        free = Loan.objects.filter(portfolio=portfolio, placement=None)
        return placements.open_placement(
            actor=actor,
            portfolio=portfolio,
            agency=house.agency,
            title=f"{portfolio.name} · {house.agency.name}",
            rate_ppm=rate_ppm,
            ends_at=clock.now() + datetime.timedelta(days=365),
            loan_ids=list(free.values_list("pk", flat=True)),
        )


def recover(
    bank: Bank,
    house: House,
    loan: Loan,
    amount_minor: int,
    *,
    reference: str = "",
    value_on: datetime.date = datetime.date(2026, 3, 10),
    confirmed: bool = True,
) -> Recovery:
    """A recovery reported by the agency and, unless told otherwise, proved by a receipt."""
    (recovery,) = _report(bank, house, [loan], amount_minor, value_on, reference)
    if confirmed:
        confirm(bank, recovery, loan)
    return recovery


def recover_each(bank: Bank, house: House, loans: list[Loan], amount_minor: int) -> None:
    """The same amount from each of these loans, reported and proved."""
    value_on = datetime.date(2026, 3, 10)
    _confirm(bank, _report(bank, house, loans, amount_minor, value_on), loans)


def _report(bank, house, loans, amount_minor, value_on, reference="") -> list[Recovery]:
    """The rows that `recoveries.log` writes, without its batches."""
    with scope(bank.actor("auditor")):
        held = PlacedLoan.objects.filter(loan__in=loans, closed_at=None)
        spells = {spell.loan_id: spell for spell in held}
    if len(spells) != len(loans):
        raise PlacedLoan.DoesNotExist
    with scope(house.actor("collector")) as actor:
        moment = clock.now()
        return Recovery.objects.bulk_create(
            Recovery(
                institution_id=spells[loan.pk].institution_id,
                agency_id=spells[loan.pk].agency_id,
                placement_id=spells[loan.pk].placement_id,
                spell_id=spells[loan.pk].pk,
                loan_id=loan.pk,
                reference=reference or f"R-{next(_numbers)}",
                currency=loan.currency,
                amount_minor=amount_minor,
                value_on=value_on,
                channel=Recovery.Channel.BANK_TRANSFER,
                logged_at=moment,
                logged_by=actor.label,
            )
            for loan in loans
        )


def confirm(bank: Bank, recovery: Recovery, loan: Loan) -> Confirmation:
    """The receipt that proves one recovery."""
    (confirmation,) = _confirm(bank, [recovery], [loan])
    return confirmation


def _confirm(bank: Bank, recoveries: list[Recovery], loans: list[Loan]) -> list[Confirmation]:
    """The rows that `receipts.confirm` writes, for a file of a line for each recovery."""
    number = next(_numbers)
    with scope(bank.actor("finance_preparer")) as actor:
        moment = clock.now()
        receipt_file = ReceiptFile.objects.create(
            institution=bank.institution,
            file_name="receipts.csv",
            sha256=f"{number:064d}",
            rows_read=len(recoveries),
            uploaded_at=moment,
            uploaded_by_id=actor.user_id,
        )
        lines = ReceiptLine.objects.bulk_create(
            ReceiptLine(
                institution=bank.institution,
                receipt_file=receipt_file,
                row=row,
                receipt_reference=f"B-{next(_numbers)}",
                loan_reference=loan.reference,
                currency=recovery.currency,
                amount_minor=recovery.amount_minor,
                value_on=recovery.value_on,
                state=ReceiptLine.State.MATCHED,
            )
            for row, (recovery, loan) in enumerate(zip(recoveries, loans, strict=True), 2)
        )
        return Confirmation.objects.bulk_create(
            Confirmation(
                institution=bank.institution,
                agency_id=recovery.agency_id,
                placement_id=recovery.placement_id,
                spell_id=recovery.spell_id,
                recovery=recovery,
                receipt_line=line,
                confirmed_at=moment,
                confirmed_by=actor.label,
            )
            for recovery, line in zip(recoveries, lines, strict=True)
        )


def reverse(bank: Bank, recovery: Recovery, amount_minor: int) -> Reversal:
    """The bank takes part of a recovery back."""
    with scope(bank.actor("finance_preparer")) as actor:
        return Reversal.objects.create(
            institution=bank.institution,
            agency_id=recovery.agency_id,
            placement_id=recovery.placement_id,
            spell_id=recovery.spell_id,
            recovery=recovery,
            reference=f"V-{next(_numbers)}",
            amount_minor=amount_minor,
            reason="Returned by the borrower's bank",
            logged_at=clock.now(),
            logged_by=actor.label,
        )
