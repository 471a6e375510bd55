"""The sentences about files: one for each code, with the same blanks in every language."""

import dataclasses
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

import portfolios
from portfolios import file_messages, file_sentences
from portfolios.file_messages import TEMPLATES, FileRefused, RowError

ENGINES = Path(portfolios.__file__).parent
BLANKS = re.compile(r"%\((\w+)\)s")
RAISED = re.compile(r'(?:FileRefused|Bad)\(\s*"([A-Z_]+)"|", "([A-Z_]{5,})"[,)]')


@pytest.fixture(scope="module")
def catalogue():
    path = Path(settings.LOCALE_PATHS[0]) / "zh_Hans" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("code", TEMPLATES)
def test_every_sentence_can_be_filled_in_english_and_chinese(code, catalogue):
    params = {name: f"<{name}>" for name in BLANKS.findall(TEMPLATES[code])}
    english = FileRefused(code, **params)
    assert (english.code, english.params) == (code, params)
    assert all(value in english.message for value in params.values())
    chinese = catalogue.get(TEMPLATES[code]).string % params
    assert chinese != english.message
    assert all(value in chinese for value in params.values())


def test_every_code_that_is_raised_has_a_sentence():
    files = [*ENGINES.glob("*.py"), *(ENGINES / "mappings").glob("*.py")]
    sources = [path.read_text() for path in files]
    raised = {
        code
        for text in sources
        if "FileRefused" in text or "Bad(" in text or "row_error" in text
        for match in RAISED.findall(text)
        for code in match
        if code
    }
    assert len(raised) > 35
    assert raised <= set(TEMPLATES)


def test_what_is_shown_of_a_row_is_cut():
    error = file_messages.row_error(7, "c" * 99, "v" * 99, "TOO_LONG", {"longest": 60})
    assert error == RowError(
        7, "c" * 80, "v" * 80, "TOO_LONG", "This has more than 60 characters.", {"longest": 60}
    )


def test_an_engine_is_heard_in_the_language_of_whoever_asks():
    error = file_messages.row_error(7, "b", "0", "TOO_LONG", {"longest": 60})
    refused = FileRefused("MISSING_COLUMNS", row=1, columns="b")
    with translation.override("zh-hans"):
        told = file_sentences.translated(error)
        file_sentences.translate(refused, field="file")
    assert told == dataclasses.replace(error, message="此项超过 60 个字符。")
    assert (refused.message, refused.field) == ("文件缺少列 b。", "file")
    file_sentences.translate(refused, field="other")
    assert (refused.message, refused.field) == ("The file has no column b.", "file")
