"""The grant: django-guardian's row that says an agency's group may work on a placement."""

from django.db import models
from guardian.models import GroupObjectPermissionBase


class PlacementGrant(GroupObjectPermissionBase):
    """One row per placement, in a table that refers to it directly and dies with it.

    Necessary, never sufficient: `portfolios.access` also asks whether the placement is live.
    """

    content_object = models.ForeignKey(
        "portfolios.Placement", on_delete=models.CASCADE, db_column="placement_id"
    )
