"""What an actor may see of what is owed: the only way from an id to an object of this chapter.

A bank sees its own. An agency sees what belongs to placements that are live for it at this
statement (`portfolios.access`), and of those only loans whose spell is open.
"""

import uuid
from collections.abc import Iterable
from datetime import date

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from portfolios import access
from portfolios.models import (
    Borrower,
    Certificate,
    Complaint,
    ComplaintIntake,
    Confirmation,
    Contact,
    DirectPayment,
    Export,
    Hold,
    ImportProblem,
    LateReceipt,
    Loan,
    LoanFilePart,
    LoanImport,
    LoanMapping,
    Objection,
    PlacedLoan,
    Placement,
    PlacementChange,
    PlacementRules,
    Portfolio,
    Promise,
    Recall,
    RecalledLoan,
    ReceiptFile,
    ReceiptLine,
    Recovery,
    Reversal,
    Tally,
)


def _institution_only(model, actor: Actor) -> QuerySet:
    if actor.kind in ("institution", "sweep"):
        return model.objects.filter(institution=actor.institution_id)
    return model.objects.none()


def visible_portfolios(actor: Actor) -> QuerySet[Portfolio]:
    return _institution_only(Portfolio, actor)


def visible_tallies(actor: Actor) -> QuerySet[Tally]:
    return _institution_only(Tally, actor)


def visible_imports(actor: Actor) -> QuerySet[LoanImport]:
    return _institution_only(LoanImport, actor)


def visible_file_parts(actor: Actor) -> QuerySet[LoanFilePart]:
    return _institution_only(LoanFilePart, actor)


def visible_mappings(actor: Actor) -> QuerySet[LoanMapping]:
    return _institution_only(LoanMapping, actor)


def visible_import_problems(actor: Actor) -> QuerySet[ImportProblem]:
    return _institution_only(ImportProblem, actor)


def visible_receipt_files(actor: Actor) -> QuerySet[ReceiptFile]:
    return _institution_only(ReceiptFile, actor)


def visible_receipt_lines(actor: Actor) -> QuerySet[ReceiptLine]:
    return _institution_only(ReceiptLine, actor)


def visible_holds(actor: Actor) -> QuerySet[Hold]:
    return _institution_only(Hold, actor)


def shown_holds(actor: Actor, today: date) -> QuerySet[Hold]:
    """`visible_holds` with the loan and its holder, and `hold_state`: `to_review` from the day of
    review on, `held`, or `lifted`."""
    return (
        visible_holds(actor)
        .select_related("loan__agency")
        .annotate(
            hold_state=Case(
                When(released_at__isnull=False, then=Value("lifted")),
                When(review_on__lte=today, then=Value("to_review")),
                default=Value("held"),
            )
        )
    )


def visible_direct_payments(actor: Actor) -> QuerySet[DirectPayment]:
    return _institution_only(DirectPayment, actor)


def visible_rules(actor: Actor) -> QuerySet[PlacementRules]:
    return _institution_only(PlacementRules, actor)


def visible_intakes(actor: Actor) -> QuerySet[ComplaintIntake]:
    return _institution_only(ComplaintIntake, actor)


def visible_placements(actor: Actor) -> QuerySet[Placement]:
    if actor.kind == "agency":
        return access.live_placements(actor)
    return _institution_only(Placement, actor)


def visible_loans(actor: Actor) -> QuerySet[Loan]:
    """Ordered by `loan_order(actor)` it is read in pages however many loans others have."""
    if actor.kind == "agency":
        return Loan.objects.filter(
            # Two bounds in place of an equality: see `loan_order`.
            agency__gte=actor.agency_id,
            agency__lte=actor.agency_id,
        ).filter(_placed_with(actor))
    return _institution_only(Loan, actor)


def _placed_with(actor: Actor) -> Func:
    """The condition that a row's placement is live for the agency.

    As a list that is made once in the statement: as a join it would be asked again for each row.
    """
    live = access.live_placements(actor).values("pk")
    return Func(
        F("placement"),
        Subquery(live, template="array(%(subquery)s)"),
        template="%(expressions)s)",
        arg_joiner=" = any (",
        output_field=BooleanField(),
    )


def loan_order(actor: Actor) -> tuple[str, ...]:
    """What to order visible loans by before their key, so that a page of them is found by index.

    An agency's loans lie between millions of others. PostgreSQL would walk down the primary key
    and throw those away, because it takes an order by a column that is equal everywhere for none.
    Where the agency is bounded on both sides it does not know that, and walks its part of the
    index that begins with the agency.
    """
    return ("agency_id",) if actor.kind == "agency" else ()


def visible_borrowers(actor: Actor) -> QuerySet[Borrower]:
    if actor.kind == "agency":
        return Borrower.objects.filter(pk__in=visible_loans(actor).values("borrower"))
    return _institution_only(Borrower, actor)


def visible_spells(actor: Actor) -> QuerySet[PlacedLoan]:
    if actor.kind == "agency":
        return PlacedLoan.objects.filter(
            _placed_with(actor), agency=actor.agency_id, closed_at__isnull=True
        )
    return _institution_only(PlacedLoan, actor)


def _events(model, actor: Actor) -> QuerySet:
    """Events of spells that the actor may see."""
    if actor.kind == "agency":
        return model.objects.filter(
            _placed_with(actor), agency=actor.agency_id, spell__closed_at__isnull=True
        )
    return _institution_only(model, actor)


def visible_recalls(actor: Actor) -> QuerySet[Recall]:
    """An agency sees what is announced about placements that it holds."""
    if actor.kind == "agency":
        live = access.live_placements(actor).values("pk")
        return Recall.objects.filter(agency=actor.agency_id, placement__in=live)
    return _institution_only(Recall, actor)


def visible_recalled_loans(actor: Actor) -> QuerySet[RecalledLoan]:
    return _events(RecalledLoan, actor)


def visible_objections(actor: Actor) -> QuerySet[Objection]:
    return _events(Objection, actor)


def shown_recalls(actor: Actor) -> QuerySet[Recall]:
    """`visible_recalls` with their placement and bank, and how many objections are `open_count`,
    to be shown."""
    waiting = visible_objections(actor).filter(
        recalled_loan__recall=OuterRef("pk"), state=Objection.State.OPEN
    )
    counts = waiting.order_by().values("recalled_loan__recall").annotate(count=Count("pk"))
    return (
        visible_recalls(actor)
        .select_related("placement", "institution")
        .annotate(open_count=Coalesce(Subquery(counts.values("count")), 0))
    )


def shown_recalled_loans(actor: Actor) -> QuerySet[RecalledLoan]:
    """`visible_recalled_loans` with the loan, its objection and `recall_state`, to be shown."""
    rows = visible_recalled_loans(actor).select_related("loan", "objection")
    return rows.annotate(
        recall_state=Case(
            When(is_kept=True, then=Value("stays")),
            When(spell__closed_at__isnull=False, then=Value("gone")),
            When(recall__state=Recall.State.WITHDRAWN, then=Value("stays")),
            When(objection__state=Objection.State.OPEN, then=Value("objected")),
            default=Value("goes"),
        )
    )


def shown_objections(actor: Actor) -> QuerySet[Objection]:
    """`visible_objections` with the loan and the recall, to be shown."""
    return visible_objections(actor).select_related("loan", "recalled_loan__recall")


def visible_changes(actor: Actor) -> QuerySet[PlacementChange]:
    """An agency reads those of what it holds, and of what it held the one that says it ended."""
    if actor.kind != "agency":
        return _institution_only(PlacementChange, actor)
    held = Q(placement__in=access.live_placements(actor).values("pk"))
    is_open = Q(spell__isnull=True) | Q(spell__in=visible_spells(actor).values("pk"))
    ended = Q(kind__in=PlacementChange.ENDS)
    return PlacementChange.objects.filter(ended | held & is_open, agency=actor.agency_id)


def visible_contacts(actor: Actor) -> QuerySet[Contact]:
    return _events(Contact, actor)


def visible_promises(actor: Actor) -> QuerySet[Promise]:
    return _events(Promise, actor)


def visible_recoveries(actor: Actor) -> QuerySet[Recovery]:
    return _events(Recovery, actor)


def visible_reversals(actor: Actor) -> QuerySet[Reversal]:
    return _events(Reversal, actor)


def visible_confirmations(actor: Actor) -> QuerySet[Confirmation]:
    return _events(Confirmation, actor)


def visible_late_receipts(actor: Actor) -> QuerySet[LateReceipt]:
    """Also after a recall: an agency keeps what it submitted itself."""
    if actor.kind == "agency":
        return LateReceipt.objects.filter(agency=actor.agency_id)
    return _institution_only(LateReceipt, actor)


def visible_exports(actor: Actor) -> QuerySet[Export]:
    """Also after a recall: both sides know what left the portal."""
    if actor.kind == "agency":
        return Export.objects.filter(agency=actor.agency_id)
    return _institution_only(Export, actor)


def shown_exports(actor: Actor) -> QuerySet[Export]:
    """`visible_exports` with `row_count`, how many rows were sent."""
    return visible_exports(actor).annotate(row_count=Sum("parts__row_count", default=0))


def visible_certificates(actor: Actor) -> QuerySet[Certificate]:
    if actor.kind == "agency":
        return Certificate.objects.filter(agency=actor.agency_id)
    return _institution_only(Certificate, actor)


def visible_complaints(actor: Actor) -> QuerySet[Complaint]:
    """Also after a recall: an agency answers for its conduct."""
    if actor.kind == "agency":
        return Complaint.objects.filter(agency=actor.agency_id)
    return _institution_only(Complaint, actor)


def shown_complaints(actor: Actor) -> QuerySet[Complaint]:
    """`visible_complaints` to be shown: without the complainant's words, which are revealed alone.

    An agency cannot be shown the loan or the placement: a join would hide what was taken back.
    """
    return visible_complaints(actor).defer("account").select_related("institution", "agency")


def narrow_complaints(
    complaints: QuerySet[Complaint],
    *,
    state: str | None = None,
    severity: str | None = None,
    agency_id=None,
    loan_reference: str | None = None,
) -> QuerySet[Complaint]:
    """Fewer of `shown_complaints`."""
    exact = {
        "state": state,
        "severity": severity,
        "agency": agency_id,
        "loan_reference": loan_reference,
    }
    return complaints.filter(**{name: value for name, value in exact.items() if value is not None})


def complaints_at(complaints: QuerySet[Complaint], stage: str, today: date) -> QuerySet[Complaint]:
    """Those at a stage: `to_answer` by an agency, `to_decide` by the bank, either of the two
    (`undecided`), either of them late on this day (`overdue`), or `decided`."""
    if stage == "decided":
        return complaints.filter(state=Complaint.State.DECIDED)
    undecided = complaints.exclude(state=Complaint.State.DECIDED)
    asked = Q(state=Complaint.State.OPEN, agency__isnull=False)
    return {
        "undecided": undecided,
        "overdue": undecided.filter(due_on__lt=today),
        "to_answer": undecided.filter(asked),
        "to_decide": undecided.exclude(asked),
    }[stage]


def shown_intakes(actor: Actor) -> QuerySet[ComplaintIntake]:
    """`visible_intakes` without what was written, and with `is_known`: a loan has the reference."""
    named = visible_loans(actor).filter(reference=OuterRef("loan_reference"))
    return visible_intakes(actor).defer("account", "contact").annotate(is_known=Exists(named))


def _total(model, amount: str, **of):
    totals = model.objects.filter(**of).order_by().values(*of).annotate(total=Sum(amount))
    return Coalesce(Subquery(totals.values("total")), 0)


def with_reversed(recoveries: QuerySet[Recovery]) -> QuerySet[Recovery]:
    """Adds `reversed_minor`: what was taken back of each recovery."""
    return recoveries.annotate(
        reversed_minor=_total(Reversal, "amount_minor", recovery=OuterRef("pk"))
    )


def confirmed_net_minor(spells: Q) -> int:
    """Confirmed money less reversals over the recoveries that match `spells`."""
    recoveries = with_reversed(Recovery.objects.filter(spells, confirmation__isnull=False))
    totals = recoveries.aggregate(whole=Sum("amount_minor"), back=Sum("reversed_minor"))
    return (totals["whole"] or 0) - (totals["back"] or 0)


def shown_contacts(actor: Actor) -> QuerySet[Contact]:
    """`visible_contacts` with the loan, to be shown."""
    return visible_contacts(actor).select_related("loan")


def narrow_contacts(
    contacts: QuerySet[Contact],
    *,
    loan_reference: str | None = None,
    is_flagged: bool | None = None,
    flag: str | None = None,
) -> QuerySet[Contact]:
    """Fewer of `shown_contacts`; `flag` is a code of `portfolios.conduct`."""
    if loan_reference:
        contacts = contacts.filter(loan__reference=loan_reference)
    if flag:
        contacts = contacts.filter(flags__contains=[flag])
    if is_flagged is not None:
        contacts = contacts.exclude(flags=[]) if is_flagged else contacts.filter(flags=[])
    return contacts


def shown_promises(actor: Actor) -> QuerySet[Promise]:
    """`visible_promises` with the loan, to be shown."""
    return visible_promises(actor).select_related("loan")


def shown_recoveries(actor: Actor) -> QuerySet:
    """`visible_recoveries` with `reversed_minor`, `confirmed_at` and the loan, to be shown."""
    recoveries = with_reversed(visible_recoveries(actor)).select_related("loan")
    return recoveries.annotate(confirmed_at=F("confirmation__confirmed_at"))


def reported_recoveries(actor: Actor) -> QuerySet:
    """Recoveries that no receipt has confirmed yet and that were not taken back whole."""
    waiting = shown_recoveries(actor).filter(confirmed_at__isnull=True)
    return waiting.filter(reversed_minor__lt=F("amount_minor"))


def recovery_totals(recoveries: QuerySet) -> list[dict]:
    """Sums of `shown_recoveries` by currency, the largest first.

    Each is {currency, count, net_minor, waiting_count, waiting_minor, oldest_at}: net of
    reversals, `waiting` for confirmation, `oldest_at` the oldest report among those.
    """
    net = F("amount_minor") - F("reversed_minor")
    waiting = Q(confirmed_at__isnull=True, reversed_minor__lt=F("amount_minor"))
    totals = (
        recoveries.order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            net_minor=Coalesce(Sum(net), 0, output_field=BigIntegerField()),
            waiting_count=Count("pk", filter=waiting),
            waiting_minor=Coalesce(Sum(net, filter=waiting), 0, output_field=BigIntegerField()),
            oldest_at=Min("logged_at", filter=waiting),
        )
    )
    return sorted(totals, key=lambda total: -total["net_minor"])


def narrow_recoveries(
    recoveries: QuerySet,
    *,
    state: str | None = None,
    loan_reference: str | None = None,
    reference: str | None = None,
    is_above_balance: bool | None = None,
    agency_id=None,
) -> QuerySet:
    """Fewer of `shown_recoveries`; `state` is `reported` or `confirmed`."""
    if agency_id is not None:
        recoveries = recoveries.filter(agency=agency_id)
    if state:
        recoveries = recoveries.filter(confirmed_at__isnull=state == "reported")
    if loan_reference:
        recoveries = recoveries.filter(loan__reference=loan_reference)
    if reference:
        recoveries = recoveries.filter(reference=reference)
    if is_above_balance is not None:
        recoveries = recoveries.filter(is_above_balance=is_above_balance)
    return recoveries


def shown_portfolios(actor: Actor) -> QuerySet[Portfolio]:
    """`visible_portfolios` with `loan_count`, `balance_minor` and `free_minor`, to be shown.

    `free_minor` is the balance of the loans that nobody holds.
    """
    all_of = Tally.objects.filter(portfolio=OuterRef("pk"), cut="all")
    whole = all_of.order_by().values("portfolio")
    free_minor = Sum(F("balance_minor") - F("placed_minor"))
    return visible_portfolios(actor).annotate(
        loan_count=_tallied(whole, Sum("loan_count")),
        balance_minor=_tallied(whole, Sum("balance_minor")),
        free_minor=_tallied(whole, free_minor),
    )


def _tallied(tallies: QuerySet, total: Sum):
    sums = tallies.annotate(total=total).values("total")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())


def placed_count(actor: Actor) -> int:
    """How many loans of the bank are placed with somebody."""
    whole = visible_tallies(actor).filter(cut="all")
    return whole.aggregate(total=Sum("placed_count", default=0))["total"]


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


def shown_placements(actor: Actor) -> QuerySet[Placement]:
    """`visible_placements` with what came in and the other side's name, to be shown.

    An agency cannot be shown the portfolio: a join with it would hide the placement.
    """
    placements = with_collected(visible_placements(actor))
    if actor.kind == "agency":
        return placements.select_related("institution")
    return placements.select_related("agency", "portfolio", "institution")


def with_collected(placements: QuerySet[Placement]) -> QuerySet[Placement]:
    """Adds what came in and what is left, as far as the reader may see it.

    `reported_minor` and `confirmed_minor` are net of reversals; `open_count` and `open_minor`
    are the loans still in the placement and their balance when it opened.
    """
    confirmed = Q(recovery__confirmation__isnull=False)
    own = {"placement": OuterRef("pk")}
    return placements.annotate(
        reported_minor=_sum(Recovery.objects.filter(**own)) - _sum(Reversal.objects.filter(**own)),
        confirmed_minor=_sum(Recovery.objects.filter(confirmation__isnull=False, **own))
        - _sum(Reversal.objects.filter(confirmed, **own)),
        open_minor=_sum(PlacedLoan.objects.filter(closed_at=None, **own), "balance_minor"),
        open_count=_count(PlacedLoan.objects.filter(closed_at=None, **own)),
    )


def recovered_by_spell(spells: QuerySet[PlacedLoan]) -> Iterable[tuple[uuid.UUID, int, int]]:
    """(agency, balance at placement, confirmed money less what was taken back) of each spell."""
    own = {"spell": OuterRef("pk")}
    confirmed = Recovery.objects.filter(confirmation__isnull=False, **own)
    reversed_of = Reversal.objects.filter(recovery__confirmation__isnull=False, **own)
    recovered = _sum(confirmed, by="spell") - _sum(reversed_of, by="spell")
    return spells.annotate(recovered_minor=recovered).values_list(
        "agency_id", "balance_minor", "recovered_minor"
    )


def _sum(rows: QuerySet, amount: str = "amount_minor", by: str = "placement"):
    totals = rows.order_by().values(by).annotate(total=Sum(amount))
    return Coalesce(Subquery(totals.values("total")), 0, output_field=BigIntegerField())


def _count(rows: QuerySet):
    counts = rows.order_by().values("placement").annotate(count=Count("pk"))
    return Coalesce(Subquery(counts.values("count")), 0)
