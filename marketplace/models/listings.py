"""Listings: a portfolio open for bids until a fixed moment."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids
from config.encryption import EncryptedField


class Listing(models.Model):
    """A portfolio published for bids. `closes_at` never moves once it is published.

    `loan_count` and `balance_minor` are the bank's own; what bidders see is the listing's `Tape`.
    `terms_sha256` says which text of the listing's terms has to be accepted. Questions are taken
    until `questions_close_at`. `tail_days` are the bank's rule at publication: the placements get
    the tail that bidders reckoned with.

    The seed of the draw is chosen at publication: `draw_commitment` is SHA-256 over it and
    `portfolio_digest` (SHA-256 over the loans' references), both as bytes. It stays sealed in
    `sealed_seed` until the award writes it, 32 hexadecimal digits, to `seed`.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        AWARDED = "awarded", _("Awarded")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Phase(models.TextChoices):
        """The state as people read it: open means that bids are taken now."""

        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed, to be awarded")
        AWARDED = "awarded", _("Awarded")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    portfolio = models.ForeignKey(
        "portfolios.Portfolio", on_delete=models.PROTECT, related_name="+"
    )
    title = models.CharField(_("title"), max_length=160)
    currency = models.CharField(_("currency"), max_length=3)
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10)
    product = models.CharField(_("product"), max_length=60)
    loan_count = models.PositiveIntegerField(_("loans"))
    balance_minor = models.BigIntegerField(_("balance"))
    highest_rate_ppm = models.IntegerField(_("highest commission rate"))
    term_days = models.PositiveIntegerField(_("term in days"))
    tail_days = models.PositiveIntegerField(_("tail in days"), db_default=30)
    is_invitation_only = models.BooleanField(_("invited agencies only"), default=False)
    sealed_seed = EncryptedField(editable=False)
    portfolio_digest = models.CharField(max_length=64, blank=True)
    draw_commitment = models.CharField(_("commitment of the draw"), max_length=64, blank=True)
    seed = models.CharField(_("seed of the draw"), max_length=32, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    published_at = models.DateTimeField(_("published"))
    closes_at = models.DateTimeField(_("closes"))
    questions_close_at = models.DateTimeField(_("questions close"))
    terms_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio"],
                condition=~models.Q(state="withdrawn"),
                name="one_listing_per_portfolio",
            ),
            models.CheckConstraint(
                name="listing_rate_possible",
                condition=models.Q(highest_rate_ppm__gt=0, highest_rate_ppm__lte=1_000_000),
            ),
            models.CheckConstraint(
                name="listing_closes_after_publication",
                condition=models.Q(closes_at__gt=models.F("published_at")),
            ),
            models.CheckConstraint(
                name="listing_questions_close_first",
                condition=models.Q(questions_close_at__lte=models.F("closes_at")),
            ),
        ]
        indexes = [models.Index(fields=["institution", "state"], name="listing_by_state")]

    def __str__(self):
        return self.title


class ListingInvitation(models.Model):
    """One agency that may bid on a listing for invited agencies."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="invitations")
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "agency"], name="invited_once_per_listing")
        ]
