"""What a bank types to award a listing, and what it would place, told before it is done."""

import dataclasses

from django import forms as django_forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agencies import texts
from config import errors, money
from frontend import comparisons, forms, lot_balances
from frontend.templatetags import fairplace
from marketplace import allocation
from marketplace.models import Bid, Listing
from marketplace.services import awards
from portfolios.services import limits


class AwardForm(forms.ConfirmForm):
    """A share in per cent for each bid that may win, a reason, and the title typed; optionally a
    part for comparison, a hold-out, and why unlike lots are accepted."""

    reason = forms.ReasonField(
        help_text=gettext_lazy("Kept in the audit trail. No agency reads it.")
    )
    comparison_ppm = forms.RateField(
        label=gettext_lazy("Part for comparison"),
        required=False,
        help_text=gettext_lazy(
            "Of all loans; every winner gets an equal lot of it, within its share."
        ),
    )
    hold_out_ppm = forms.RateField(
        label=gettext_lazy("Part to hold out"),
        required=False,
        highest_ppm=999_999,
        help_text=gettext_lazy("Of all loans; drawn like the others and placed with nobody."),
    )
    hold_out_until = forms.DayField(label=gettext_lazy("Held out until"), required=False)
    hold_out_reason = django_forms.CharField(
        label=gettext_lazy("Why they are held out"),
        required=False,
        max_length=texts.LONGEST,
    )
    imbalance_reason = forms.ReasonField(
        label=gettext_lazy("Why these lots are good enough"),
        required=False,
        help_text=gettext_lazy("Kept with the award and in the audit trail."),
    )

    def __init__(self, data=None, *, listing: Listing, bids: list[Bid]):
        super().__init__(data, expected=listing.title)
        self.bids = [bid for bid in bids if comparisons.may_win(bid)]
        for bid in self.bids:
            self.fields[_field(bid)] = forms.RateField(
                label=bid.agency.name,
                required=False,
                help_text=_("%(rate)s, up to %(loans)s")
                % {
                    "rate": fairplace.rate(bid.rate_ppm),
                    "loans": fairplace.loans(bid.capacity_loans),
                },
            )
        forms.dress(self)

    @property
    def share_fields(self) -> list:
        return [self[_field(bid)] for bid in self.bids]

    @property
    def sets_parts(self) -> bool:
        """Whether anything is typed, or wrong, in what stands folded away."""
        names = ("comparison_ppm", "hold_out_ppm", "hold_out_until", "hold_out_reason")
        return any(self[name].value() or self[name].errors for name in names)

    def shares(self) -> list[awards.Share]:
        """The shares above nothing that can be read, in the order of the bids."""
        given = [(bid, self.cleaned_data.get(_field(bid))) for bid in self.bids]
        return [awards.Share(bid.pk, share_ppm) for bid, share_ppm in given if share_ppm]

    def parts(self) -> dict[str, int]:
        """What is drawn besides the shares, as far as it can be read."""
        return {
            name: self.cleaned_data.get(name) or 0 for name in ("comparison_ppm", "hold_out_ppm")
        }

    def decision(self) -> dict:
        """What `awards.award` takes, of a valid form."""
        given, parts = self.cleaned_data, self.parts()
        return {
            "shares": self.shares(),
            "reason": given["reason"],
            "comparison_ppm": parts["comparison_ppm"],
            "hold_out": awards.HoldOut(
                parts["hold_out_ppm"], given["hold_out_until"], given["hold_out_reason"]
            ),
            "imbalance_reason": given["imbalance_reason"],
        }

    def refuse(self, error: errors.DomainError) -> None:
        """Put a refusal beside the share that it is about."""
        if error.row is None:
            forms.form_from_error(self, error)
        else:
            self.add_error(f"share-{self.shares()[error.row - 1].bid_id}", error.message)


def _field(bid: Bid) -> str:
    return f"share-{bid.pk}"


def plan_of(
    actor, listing: Listing, form: AwardForm, rehearse_up_to: int | None = None
) -> dict | None:
    """The plan of the form's shares with names and sentences, for the preview."""
    shares = form.shares()
    if not shares:
        return None
    found = awards.preview(
        actor=actor,
        listing_id=listing.pk,
        shares=shares,
        rehearse_up_to=rehearse_up_to,
        **form.parts(),
    )
    plan, rehearsal = found.plan, found.rehearsal
    bids = {bid.pk: bid for bid in form.bids}
    return {
        "chart": _rehearsed(rehearsal, [bids[share.bid_id].agency.name for share in shares]),
        "is_postponed": found.is_postponed,
        "needs_acceptance": bool(rehearsal and rehearsal.needs_acceptance),
        "is_refused": bool(rehearsal and rehearsal.is_refused),
        "held_out_ppm": form.parts()["hold_out_ppm"],
        "held_out_loans": plan.held_out_loans,
        "held_out_minor": plan.held_out_minor,
        "rows": [
            {
                "agency": bids[share.bid_id].agency.name,
                "share_ppm": share.share_ppm,
                "rate_ppm": bids[share.bid_id].rate_ppm,
                "lot": lot,
                "problem": awards.REFUSALS.get(lot.problem, ""),
            }
            for share, lot in zip(shares, plan.lots, strict=True)
        ],
        "share_ppm": plan.share_ppm,
        "unplaced_ppm": money.PPM - plan.share_ppm,
        "unplaced_loans": plan.unplaced_loans,
        "unplaced_minor": plan.unplaced_minor,
        "left_out": [
            {
                "words": limits.WORDS[row.code],
                "loans": row.loan_count,
                "balance_minor": row.balance_minor,
            }
            for row in plan.left_out
        ],
        "problem": awards.REFUSALS["SHARES_ABOVE_WHOLE"] if plan.is_above_whole else "",
        "has_problem": plan.is_above_whole or any(lot.problem for lot in plan.lots),
    }


def _rehearsed(drawn: allocation.Drawn | None, names: list[str]) -> dict | None:
    """The love plot of a rehearsal; the lots come in the order of the names."""
    if drawn is None:
        return None
    told = list(zip(names, map(dataclasses.asdict, drawn.lots), strict=True))
    for name, comparison in zip(names, drawn.comparisons, strict=False):
        told.append((compared(name), dataclasses.asdict(comparison)))
    if drawn.hold_out:
        told.append((_("Held out"), dataclasses.asdict(drawn.hold_out)))
    return lot_balances.chart(told, rehearsed=True)


def compared(name: str) -> str:
    return _("%(agency)s, for comparison") % {"agency": name}
