"""Loans and who owes them."""

from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce, Left, NullIf

from agencies.actors import Actor
from portfolios.models import Borrower, Loan
from portfolios.selectors.scoping import institution_only, placed_with


def visible_loans(actor: Actor) -> QuerySet[Loan]:
    """Ordered by `loan_order(actor)` it is read in pages however many loans others have."""
    if actor.kind == "agency":
        return Loan.objects.filter(
            # Two bounds in place of an equality: see `loan_order`.
            agency__gte=actor.agency_id,
            agency__lte=actor.agency_id,
        ).filter(placed_with(actor))
    return institution_only(Loan, actor)


def loan_order(actor: Actor) -> tuple[str, ...]:
    """What to order visible loans by before their key, so that a page of them is found by index.

    An agency's loans lie between millions of others. PostgreSQL would walk down the primary key
    and throw those away, because it takes an order by a column that is equal everywhere for none.
    Where the agency is bounded on both sides it does not know that, and walks its part of the
    index that begins with the agency.
    """
    return ("agency_id",) if actor.kind == "agency" else ()


def with_law(loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """With `where`, the jurisdiction of each loan, else its portfolio's, and its `country`."""
    where = Coalesce(NullIf("jurisdiction", Value("")), "portfolio__jurisdiction")
    return loans.annotate(where=where, country=Left(where, 2))


def visible_borrowers(actor: Actor) -> QuerySet[Borrower]:
    if actor.kind == "agency":
        return Borrower.objects.filter(pk__in=visible_loans(actor).values("borrower"))
    return institution_only(Borrower, actor)


def shown_loans(actor: Actor) -> QuerySet[Loan]:
    """`visible_loans` with who holds them, to be shown; looked up apart, once for a page.

    A join would be made for all loans of the agency before the page is cut out of them.
    """
    return visible_loans(actor).prefetch_related("placement", "agency", "institution")


def narrow_loans(
    loans: QuerySet[Loan],
    *,
    portfolio_id=None,
    placement_id=None,
    reference: str | None = None,
    region: str | None = None,
    grade: str | None = None,
    is_placed: bool | None = None,
    is_on_hold: bool | None = None,
) -> QuerySet[Loan]:
    """Fewer of `visible_loans`."""
    exact = {
        "portfolio": portfolio_id,
        "placement": placement_id,
        "reference": reference,
        "region": region,
        "grade": grade,
        "is_on_hold": is_on_hold,
    }
    loans = loans.filter(**{name: value for name, value in exact.items() if value is not None})
    return loans if is_placed is None else loans.filter(placement__isnull=not is_placed)
