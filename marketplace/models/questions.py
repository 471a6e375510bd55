"""Questions of bidders, and the bank's answers to all of them at once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from config import ids

LONGEST_TEXT = 4_000


class ListingQuestion(models.Model):
    """What a bidder asked, for the bank; who asked is in `QuestionAuthor`, which it cannot read."""

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("question"), max_length=LONGEST_TEXT)
    asked_at = models.DateTimeField(_("asked"))


class QuestionAuthor(models.Model):
    """Who asked a question: known to that agency alone, for ever."""

    question = models.OneToOneField(
        ListingQuestion, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=160)


class ListingAnswer(models.Model):
    """A question as the bank shows it to all bidders, with its answer; a draft until published.

    All that are published together have the same `published_at`.
    """

    id = ids.primary_key()
    institution = models.ForeignKey(
        "agencies.Institution", on_delete=models.PROTECT, related_name="+"
    )
    listing = models.ForeignKey("marketplace.Listing", on_delete=models.PROTECT, related_name="+")
    source = models.OneToOneField(ListingQuestion, on_delete=models.PROTECT, related_name="answer")
    question = models.TextField(_("question"), max_length=LONGEST_TEXT)
    text = models.TextField(_("answer"), max_length=LONGEST_TEXT)
    answered_at = models.DateTimeField()
    answered_by = models.ForeignKey("agencies.User", on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(_("published"), null=True)
