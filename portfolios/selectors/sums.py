"""Sums and counts beside a row, as subqueries."""

from django.db.models import BigIntegerField, Count, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce


def total(model, amount: str, **of):
    totals = model.objects.filter(**of).order_by().values(*of).annotate(total=Sum(amount))
    return Coalesce(Subquery(totals.values("total")), 0)


def sum_of(rows: QuerySet, amount: str = "amount_minor", by: str = "placement"):
    totals = rows.order_by().values(by).annotate(total=Sum(amount))
    return Coalesce(Subquery(totals.values("total")), 0, output_field=BigIntegerField())


def count_of(rows: QuerySet):
    counts = rows.order_by().values("placement").annotate(count=Count("pk"))
    return Coalesce(Subquery(counts.values("count")), 0)
