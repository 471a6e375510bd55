"""Chinese: every collected sentence is translated, and pages, amounts and days use it."""

from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

PO = Path(settings.LOCALE_PATHS[0]) / "zh_Hans" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module")
def catalogue():
    with PO.open("rb") as file:
        return read_po(file)


def _texts(message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_every_collected_sentence_is_translated(catalogue):
    sentences = [message for message in catalogue if message.id]
    left = [m.id for m in sentences if m.fuzzy or not all(_texts(m))]
    assert len(sentences) > 1_500
    assert left == []


def test_placeholders_survive_the_translation(catalogue):
    spoiled = [m.id for m in catalogue if m.id and list(m.check())]
    assert spoiled == []


@pytest.mark.django_db
def test_a_visitor_reads_chinese(client):
    english = client.get("/").content.decode()
    with translation.override("zh-hans"):
        log_in = translation.gettext("Log in")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    chinese = client.get("/").content.decode()
    assert log_in != "Log in"
    assert log_in in chinese
    assert log_in not in english
    assert '<html lang="zh-hans"' in chinese
