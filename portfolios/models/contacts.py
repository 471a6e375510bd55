"""What an agency did to collect: contacts and promises. Nothing here is ever changed."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids


class Event(models.Model):
    """Something that happened to a loan in one agency's spell with it."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    placement = models.ForeignKey(
        "portfolios.Placement", on_delete=models.PROTECT, related_name="+"
    )
    spell = models.ForeignKey("portfolios.PlacedLoan", on_delete=models.PROTECT, related_name="+")
    loan = models.ForeignKey("portfolios.Loan", on_delete=models.PROTECT, related_name="+")
    logged_at = models.DateTimeField()
    logged_by = models.CharField(max_length=160)

    class Meta:
        abstract = True


class Contact(Event):
    """One attempt or conversation. `flags` are the conduct rules it seems to break."""

    class Measure(models.TextChoices):
        NOTICE = "notice", _("Notice")
        NEGOTIATION = "negotiation", _("Negotiation")
        VISIT = "visit", _("Visit")
        ASSET_PRESERVATION = "asset_preservation", _("Asset preservation")
        LITIGATION = "litigation", _("Litigation")
        COLLATERAL_DISPOSAL = "collateral_disposal", _("Collateral disposal")

    class Channel(models.TextChoices):
        PHONE = "phone", _("Phone")
        MESSAGE = "message", _("Text message")
        EMAIL = "email", _("E-mail")
        LETTER = "letter", _("Letter")
        IN_PERSON = "in_person", _("In person")
        COURT = "court", _("Court")

    class Direction(models.TextChoices):
        OUTBOUND = "outbound", _("Agency to borrower")
        INBOUND = "inbound", _("Borrower to agency")

    class Outcome(models.TextChoices):
        NO_ANSWER = "no_answer", _("No answer")
        NOT_CONNECTED = "not_connected", _("Not connected")
        LEFT_MESSAGE = "left_message", _("Left a message")
        CONVERSATION = "conversation", _("Conversation")
        WRONG_PERSON = "wrong_person", _("Wrong person")
        REFUSED = "refused", _("Refused to pay")
        PROMISED = "promised", _("Promised to pay")
        DONE = "done", _("Done")

    measure = models.CharField(_("measure"), max_length=20, choices=Measure)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    direction = models.CharField(_("direction"), max_length=8, choices=Direction)
    outcome = models.CharField(_("outcome"), max_length=14, choices=Outcome)
    happened_at = models.DateTimeField(_("happened"))
    note = models.TextField(_("note"), blank=True, max_length=2000)
    flags = ArrayField(models.CharField(max_length=24), default=list, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["loan", "-happened_at"], name="contact_by_loan"),
            models.Index(
                fields=["institution", "-happened_at"],
                condition=~models.Q(flags=[]),
                name="contact_flagged",
            ),
        ]


class Promise(Event):
    """An amount that the borrower promised to pay by a day."""

    currency = models.CharField(_("currency"), max_length=3)
    amount_minor = models.BigIntegerField(_("amount"))
    due_on = models.DateField(_("due on"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="promise_amount_positive", condition=models.Q(amount_minor__gt=0)
            )
        ]
        indexes = [models.Index(fields=["loan", "due_on"], name="promise_by_loan")]
