"""Charts of what rests and what comes back: each title says what is seen."""

from django.db.models import Count
from django.utils.translation import gettext as _

from agencies.actors import Actor
from frontend import charts
from frontend.templatetags import fairplace
from portfolios.models import Hold
from portfolios.selectors import visible_holds

KINDS_MIN = 2
"""Of fewer kinds there is nothing to compare."""


def by_kind(actor: Actor) -> dict | None:
    """Open holds by what they are for, the most frequent first."""
    rows = list(
        visible_holds(actor)
        .filter(released_at__isnull=True)
        .values("kind")
        .annotate(count=Count("pk"))
        .order_by("-count", "kind")
    )
    if len(rows) < KINDS_MIN:
        return None
    total = sum(row["count"] for row in rows)
    share_ppm = rows[0]["count"] * 1_000_000 // total
    return charts.lying_bars(
        [(str(Hold.Reason(row["kind"]).label), row["count"]) for row in rows],
        title=_("%(share)s of the open holds: %(kind)s")
        % {"share": fairplace.rate(share_ppm, 0), "kind": Hold.Reason(rows[0]["kind"]).label},
        description=_("Open holds by what they are for."),
        subject=_("Because of"),
        measure=_("Holds"),
    )
