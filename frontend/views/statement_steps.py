"""What is done to statements: prepare a month, submit, send back, discard, approve and pay."""

import datetime

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from agencies import policies as roles
from agencies import selectors
from config import errors
from frontend import forms, months
from frontend.access import page
from frontend.templatetags import fairplace
from frontend.views.statements import signers
from payouts.models import Statement
from payouts.selectors import shown_statements, visible_payout_accounts
from payouts.services import statements

REFUSALS = (errors.InvalidInput, errors.InvalidState)
State = Statement.State


class PrepareForm(forms.Form):
    """Which month; only those that are over can be chosen."""

    starts_on = django_forms.TypedChoiceField(
        label=gettext_lazy("Month"),
        coerce=datetime.date.fromisoformat,
        help_text=gettext_lazy(
            "Only months that are over. What is older and unstated comes along."
        ),
    )

    def __init__(self, *args, months: list[datetime.date], **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["starts_on"]
        field.choices = [(month.isoformat(), fairplace.month(month)) for month in months]
        field.widget.attrs |= {
            "hx-get": "",
            "hx-trigger": "change",
            "hx-target": "#preview",
            "hx-select": "#preview",
            "hx-swap": "outerHTML",
        }


@page(allow=roles.FINANCE_PREPARERS)
def prepare(request: HttpRequest) -> HttpResponse:
    """Draft the statements of a month, having seen what will be on them."""
    zone = selectors.time_zone_of(request.actor)
    over = months.over(zone)
    form = PrepareForm(forms.sent(request), months=over, initial={"starts_on": over[0]})
    if request.method == "POST" and form.is_valid():
        try:
            made = statements.prepare(actor=request.actor, **form.cleaned_data)
        except REFUSALS as error:
            forms.form_from_error(form, error)
        else:
            return _prepared(request, form.cleaned_data["starts_on"], len(made))
    month = _chosen(request, over)
    rows = months.preview(request.actor, month, zone)
    context = {
        "title": _("Prepare a month"),
        "lead": _("Makes one draft per agency and currency. Nothing is paid by this."),
        "breadcrumbs": [(_("Statements"), reverse("statements"))],
        "form": form,
        "month": month,
        "rows": rows,
        "count": sum(row["is_stated"] for row in rows),
    }
    return forms.render_page(request, "frontend/statements/prepare.html", context)


def _chosen(request: HttpRequest, over: list[datetime.date]) -> datetime.date:
    asked = request.POST.get("starts_on") or request.GET.get("starts_on")
    return next((month for month in over if month.isoformat() == asked), over[0])


def _prepared(request: HttpRequest, month: datetime.date, count: int) -> HttpResponse:
    words = {"count": count, "month": fairplace.month(month)}
    if count:
        sentence = ngettext(
            "%(count)d statement of %(month)s was drafted. Look at it, then submit it.",
            "%(count)d statements of %(month)s were drafted. Look at each, then submit it.",
            count,
        )
        messages.success(request, sentence % words)
    else:
        messages.info(request, _("There was nothing new to state for %(month)s.") % words)
    return redirect(f"{reverse('statements')}?month={month.isoformat()}")


@page(allow=roles.FINANCE_PREPARERS)
@require_POST
def submit(request: HttpRequest, pk) -> HttpResponse:
    """Hand a draft to the approvers."""
    try:
        statements.submit(actor=request.actor, statement_id=pk)
    except errors.InvalidState as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Submitted. Another person has to approve it now."))
    return redirect("statement", pk)


class ReasonForm(forms.Form):
    reason = forms.ReasonField(
        help_text=gettext_lazy("Your colleagues read it, and it stays in the audit trail.")
    )


@page(allow=roles.FINANCE_APPROVERS)
def send_back(request: HttpRequest, pk) -> HttpResponse:
    """Refuse to approve, with a reason for the preparer."""
    return _with_reason(
        request,
        _found(request, pk),
        State.SUBMITTED,
        statements.send_back,
        title=_("Send the statement back"),
        submit=_("Send back"),
        note=_("It becomes a draft again. The preparer reads your reason; nothing is paid."),
        done=_("Sent back: it is a draft again."),
        target=lambda: redirect("statement", pk),
    )


@page(allow=roles.FINANCE_PREPARERS)
def discard(request: HttpRequest, pk) -> HttpResponse:
    """Throw a draft away, to make it anew."""
    return _with_reason(
        request,
        _found(request, pk),
        State.DRAFT,
        statements.discard,
        title=_("Discard the draft"),
        submit=_("Discard the draft"),
        note=_(
            "The draft is gone; its lines belong to no statement again, and preparing the month "
            "makes it anew. Nothing that was earned is lost."
        ),
        done=_("The draft was discarded."),
        target=lambda: redirect("statements"),
    )


def _found(request: HttpRequest, pk) -> Statement:
    return selectors.find(shown_statements(request.actor), pk=pk)


def _crumbs(found: Statement) -> list[tuple]:
    name = f"{fairplace.month(found.starts_on)} · {found.agency.name}"
    return [(_("Statements"), reverse("statements")), (name, reverse("statement", args=[found.pk]))]


def _with_reason(request, found, before, service, *, title, submit, note, done, target):
    if found.state != before:
        messages.error(request, _("The statement has changed meanwhile. Look at it again."))
        return redirect("statement", found.pk)
    form = ReasonForm(forms.sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            service(actor=request.actor, statement_id=found.pk, **form.cleaned_data)
        except REFUSALS as error:
            forms.form_from_error(form, error)
        else:
            messages.success(request, done)
            return target()
    context = {
        "title": title,
        "lead": _("%(month)s, %(agency)s, %(total)s.") % _words(found),
        "breadcrumbs": _crumbs(found),
        "form": form,
        "submit": submit,
        "note": note,
        "back": reverse("statement", args=[found.pk]),
        "tone": "danger",
    }
    return forms.render_page(request, "frontend/statements/step.html", context)


def _words(found: Statement) -> dict[str, str]:
    return {
        "month": fairplace.month(found.starts_on),
        "agency": found.agency.name,
        "total": fairplace.money(found.total_minor, found.currency),
    }


class ApproveForm(forms.Form):
    """Signed by typing the very amount that is paid."""

    amount = forms.MoneyField(currency="USD")

    def __init__(self, *args, statement: Statement, **kwargs):
        super().__init__(*args, **kwargs)
        self.statement = statement
        self.fields["amount"].currency = statement.currency
        self.fields["amount"].label = _("To approve, type the amount: %(amount)s") % {
            "amount": f"{fairplace.major(statement.total_minor, statement.currency):,}"
        }

    def clean_amount(self):
        amount_minor = self.cleaned_data["amount"]
        if amount_minor != self.statement.total_minor:
            raise django_forms.ValidationError(
                _("The total is %(total)s. Type exactly that amount.") % _words(self.statement)
            )
        return amount_minor


@page(allow=roles.FINANCE_APPROVERS)
def approve(request: HttpRequest, pk) -> HttpResponse:
    """Sign what another person prepared; from then on it is paid, once."""
    found = _found(request, pk)
    if found.state != State.SUBMITTED:
        return _already(request, found)
    form = ApproveForm(forms.sent(request), statement=found)
    if request.method == "POST" and form.is_valid():
        try:
            statements.approve(actor=request.actor, statement_id=pk)
        except errors.InvalidState as error:
            found.refresh_from_db()
            if found.state == State.APPROVED:
                return _already(request, found)
            forms.form_from_error(form, error)
        else:
            paid = _("Approved: %(total)s goes to %(agency)s with the next run.")
            messages.success(request, paid % _words(found))
            return redirect("statement", pk)
    may_not = request.actor.user_id in signers(found)
    context = {
        "title": _("Approve and pay %(total)s") % _words(found),
        "lead": _("%(month)s, %(agency)s. Prepared by %(preparer)s.")
        % {**_words(found), "preparer": found.prepared_by.name},
        "breadcrumbs": _crumbs(found),
        "form": form,
        "statement": found,
        "may_not": may_not,
        "consequences": _consequences(request, found),
        "back": reverse("statement", args=[pk]),
    }
    return forms.render_page(request, "frontend/statements/approve.html", context)


def _already(request: HttpRequest, found: Statement) -> HttpResponse:
    """The second of two clicks, or a page that was open for long."""
    if found.state == State.APPROVED:
        messages.info(request, _("This statement is approved already. It is paid once."))
    else:
        messages.error(request, _("The statement has changed meanwhile. Look at it again."))
    return redirect("statement", found.pk)


def _consequences(request: HttpRequest, found: Statement) -> list[str]:
    accounts = visible_payout_accounts(request.actor).filter(membership=found.membership_id)
    can_receive = accounts.filter(state="active").exists()
    sentences = [
        _("%(total)s leaves the bank for %(agency)s with the next run.") % _words(found),
        _("The agency reads the statement and all its lines."),
        _("Neither can be changed afterwards; a mistake is put right on a later statement."),
    ]
    if not can_receive:
        sentences.append(
            _("The agency has no payout account yet: the payment waits until it has one.")
        )
    return sentences
