#!/usr/bin/env python
"""Command line of Fairplace."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import OperationalError

from config import checks  # noqa: F401 - registers what guards the database role
from config.postgres import cluster


def main() -> None:
    """Run a command; where it failed for want of the embedded PostgreSQL, say what to do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError:
        if not settings.EMBEDDED_POSTGRES or cluster.answers(settings.VAR_DIR):
            raise
        sys.exit(
            "The embedded PostgreSQL does not run: start it with `make run`, or set DATABASE_URL."
        )


if __name__ == "__main__":
    main()
