"""For whatever watches the processes: does this one live, and can it serve."""

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config import checks
from frontend.access import ANYBODY, page


@page(allow=ANYBODY)
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@page(allow=ANYBODY)
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, is migrated, and holds this role to its rights; else 503."""
    try:
        problem = _problem(connections[DEFAULT_DB_ALIAS])
    except Error:
        problem = "database"
    if problem:
        return JsonResponse({"status": "not ready", "problem": problem}, status=503)
    return JsonResponse({"status": "ok"})


def _problem(connection) -> str:
    if checks.powers(connection):
        return "role"
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return "migrations"
    return ""
