"""Sealed fields and blind indexes: what opens where, and what is found by what."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from config import encryption

PLACE = {"table": "a", "column": "b", "primary_key": 1}


@given(st.binary(max_size=300))
def test_what_is_sealed_opens_in_its_place_alone(content):
    sealed = encryption.seal_bytes(content, **PLACE)

    assert encryption.unseal_bytes(sealed, **PLACE) == content
    assert content not in sealed or len(content) < 4
    for elsewhere in ({"table": "x"}, {"column": "x"}, {"primary_key": 2}):
        with pytest.raises(InvalidTag):
            encryption.unseal_bytes(sealed, **(PLACE | elsewhere))


def test_two_seals_of_one_text_differ():
    assert encryption.seal("王小明", **PLACE) != encryption.seal("王小明", **PLACE)


def test_a_blind_index_sees_letters_and_digits_alone():
    def index(text, **changed):
        return encryption.blind_index(text, **({"field": "phone", "owner": "bank"} | changed))

    assert index("+49 171 555-0101") == index("491715550101") == index("４９1715550101")
    assert index("11010119900101123x") == index("11010119900101123X")
    assert len(index("4917")) == encryption.BLIND_INDEX_BYTES
    assert index("4917") != index("4918")
    assert index("4917") != index("4917", field="national_id")
    assert index("4917") != index("4917", owner="another")
    assert index(" - ") is None


def test_a_blind_index_depends_on_its_key(settings):
    first = encryption.blind_index("4917", field="phone", owner="bank")
    settings.BLIND_INDEX_KEY = bytes(32)
    assert encryption.blind_index("4917", field="phone", owner="bank") != first
