"""Every table as somebody reads it who asks no selector: what row-level security alone lets by."""

from django.apps import apps
from django.db import connection, models

from agencies.scope import scope

OURS = ("agencies", "portfolios", "marketplace", "payouts")
NAMES_BANKS = frozenset(
    {
        "agencies_institution",
        "marketplace_listing",
        "marketplace_listingterms",
        "marketplace_currentranking",
        "marketplace_rankingpolicy",
        "marketplace_rankingrun",
        "marketplace_tape",
    }
)
"""What an agency of the panel reads of a bank without its own name standing in the row."""


def every_model() -> list[type[models.Model]]:
    """All models of all chapters, also those that were made a minute ago."""
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def read(actor, model: type[models.Model]) -> list[str]:
    """The rows of `Model.objects.all()` in the actor's scope, each as one text."""
    table = connection.ops.quote_name(model._meta.db_table)
    with scope(actor):
        keys = list(model._base_manager.all().values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(f"select row::text from {table} as row")
            rows = [text for (text,) in cursor.fetchall()]
        assert len(keys) == len(rows)
    return rows
