"""Whose each loan of a file is; pieces of a file give what the whole gives."""

import copy
import itertools

from hypothesis import given
from hypothesis import strategies as st

from portfolios.persons import Person, link


def _linked(rows, known=()):
    numbers = itertools.count(1)
    return link(
        [index for index, _reference, _told in rows],
        [reference for _index, reference, _told in rows],
        [told for _index, _reference, told in rows],
        known=known,
        new_id=lambda _row: f"new-{next(numbers)}",
    )


def test_one_identifier_or_one_number_is_one_person():
    rows = [(b"A", "K1", True), (b"A", "", True), (None, "K1", True), (b"B", "", True)]
    assert _linked(rows).borrower_ids == ["new-1", "new-1", "new-1", "new-2"]


def test_two_identifiers_are_two_persons_whatever_the_number():
    linked = _linked([(b"A", "K1", True), (b"B", "K1", True), (None, "K1", True)])
    assert linked.borrower_ids == ["new-1", "new-2", "new-1"]
    assert [person.reference for _row, person in linked.new] == ["K1", ""]


def test_a_row_that_says_nothing_has_nobody_and_one_without_numbers_its_own():
    linked = _linked([(None, "", False), (None, "", True), (None, "", True)])
    assert linked.borrower_ids == [None, "new-1", "new-2"]


def test_who_is_there_already_is_found_and_learned_about():
    known = [Person("old-1", None, "K1"), Person("old-2", b"B", "")]
    linked = _linked([(b"A", "K1", True), (b"A", "", True), (b"B", "K2", True)], known)
    assert linked.borrower_ids == ["old-1", "old-1", "old-2"]
    assert linked.new == []
    assert [(one.id, one.national_id_index, one.reference) for one in linked.learned] == [
        ("old-1", b"A", "K1"),
        ("old-2", b"B", "K2"),
    ]
    assert linked.learned[0].told_in == 0


def test_a_new_person_learns_within_the_file():
    linked = _linked([(None, "K1", True), (b"A", "K1", True)])
    assert linked.borrower_ids == ["new-1", "new-1"]
    (row, person), *rest = linked.new
    assert (row, person.national_id_index, person.told_in, rest) == (0, b"A", 1, [])
    assert linked.learned == []


rows_of_a_file = st.lists(
    st.tuples(
        st.sampled_from([None, b"A", b"B", b"C"]),
        st.sampled_from(["", "K1", "K2", "K3"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(rows_of_a_file, st.integers(min_value=1, max_value=5))
def test_pieces_link_as_the_whole_does(rows, size):
    whole = _groups(_linked(rows).borrower_ids)
    there: dict[str, Person] = {}
    ids: list = []
    numbers = itertools.count(1)
    for start in range(0, len(rows), size):
        piece = rows[start : start + size]
        linked = link(
            [index for index, _reference, _told in piece],
            [reference for _index, reference, _told in piece],
            [told for _index, _reference, told in piece],
            known=copy.deepcopy(list(there.values())),
            new_id=lambda _row: f"new-{next(numbers)}",
        )
        ids += linked.borrower_ids
        for person in [*(one for _row, one in linked.new), *linked.learned]:
            there[person.id] = person
    assert _groups(ids) == whole
    references = [one.reference for one in there.values() if one.reference]
    indexes = [one.national_id_index for one in there.values() if one.national_id_index]
    assert len(set(references)) == len(references)
    assert len(set(indexes)) == len(indexes)


def _groups(ids):
    """Ids renumbered as they are met, so that two ways of naming the same people are equal."""
    names: dict = {}
    return [None if one is None else names.setdefault(one, len(names)) for one in ids]
