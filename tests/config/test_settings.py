"""Production starts with everything it needs or not at all, and passes Django's own checks."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.settings import keys

COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "4n-example-secret-key-with-more-than-50-characters-in-it",
    "ALLOWED_HOSTS": "fairplace.example",
    "FAIRPLACE_URL": "https://fairplace.example",
    "DATABASE_URL": "postgres://fairplace_app:x@db.example/fairplace",
    "FAIRPLACE_CONTEXT_KEY": "ab" * 32,
    "FAIRPLACE_FIELD_KEYS": f"k2:{'cd' * 32},k1:{'ef' * 32}",
    "FAIRPLACE_BLIND_INDEX_KEY": "12" * 32,
    "FAIRPLACE_CERTIFICATE_KEY": "34" * 32,
    "IDP_OIDC_PRIVATE_KEY": keys.signing_key().replace("\n", "\\n"),
    "STRIPE_API_KEY": "sk_test_of_somebody",
    "STRIPE_WEBHOOK_SECRET": "whsec_of_somebody",
    "CELERY_BROKER_URL": "amqps://user:x@mq.example//",
}


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_finds_nothing():
    answer = manage(COMPLETE, "check", "--deploy", "--fail-level", "WARNING")
    assert answer.returncode == 0, answer.stderr
    assert "no issues (0 silenced)" in answer.stdout or "no issues (1 silenced)" in answer.stdout


def test_whatever_is_missing_is_named():
    missing = [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "FAIRPLACE_URL",
        "DATABASE_URL",
        "FAIRPLACE_CONTEXT_KEY",
        "FAIRPLACE_FIELD_KEYS",
        "FAIRPLACE_BLIND_INDEX_KEY",
        "FAIRPLACE_CERTIFICATE_KEY",
        "IDP_OIDC_PRIVATE_KEY",
        "STRIPE_API_KEY",
        "STRIPE_WEBHOOK_SECRET",
    ]
    answer = manage({"DJANGO_SETTINGS_MODULE": "config.settings.production"}, "check")
    assert answer.returncode != 0
    assert f"Set these environment variables: {', '.join(missing)}." in answer.stderr


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:12", "k1:" + "zz" * 32, "far-too-long:" + "ab" * 32]
)
def test_a_wrong_field_key_is_refused(text):
    with pytest.raises(ImproperlyConfigured):
        keys.field_keys(text)


def test_the_first_field_key_is_the_current_one():
    found = keys.field_keys(COMPLETE["FAIRPLACE_FIELD_KEYS"])
    assert list(found) == ["k2", "k1"]
    assert found["k1"] == bytes.fromhex("ef" * 32)


def test_a_command_says_what_to_do_when_no_database_runs(tmp_path):
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings.development",
        "FAIRPLACE_VAR_DIR": str(tmp_path),
    }
    answer = manage(environment, "migrate", "--database=owner")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == (
        "The embedded PostgreSQL does not run: start it with `make run`, or set DATABASE_URL."
    )
    assert "Traceback" not in answer.stderr
