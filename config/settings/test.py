"""Settings of the tests: a folder, a cluster and keys of their own under `var/test`."""

import os
from pathlib import Path

# Before `development` is read, and for the processes that tests start.
os.environ["FAIRPLACE_VAR_DIR"] = os.environ.get(
    "FAIRPLACE_TEST_VAR_DIR", str(Path(__file__).resolve().parents[2] / "var" / "test")
)
# No test reaches the real Stripe, whatever its developer has exported.
os.environ["STRIPE_API_KEY"] = ""

from config.settings.development import *  # noqa: F403
from config.settings.development import DATABASES

DEBUG = False
GRAPHQL_INTROSPECTION = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
for database in DATABASES.values():
    # A database is thrown away and made anew between tests: nothing may hold on to it.
    database["CONN_MAX_AGE"] = 0
# Hundreds of people log in here; their passwords protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
