"""Identifiers: version 7, growing within a process, and nothing to count by."""

import itertools
import time
import uuid

from config import ids


def test_ids_are_uuids_of_version_7_of_this_moment():
    made = ids.uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - time.time() * 1000) < 5_000


def test_ids_grow_and_their_steps_cannot_be_counted():
    made = [ids.uuid7() for _each in range(5_000)]
    assert made == sorted(made)
    steps = {after.int - before.int for before, after in itertools.pairwise(made)}
    assert len(steps) > 4_990


def test_many_at_once_are_like_one_by_one():
    made = [
        ids.uuid7(),
        *map(uuid.UUID, ids.uuid7s(1_000)),
        ids.uuid7(),
        *map(uuid.UUID, ids.uuid7s(2)),
    ]
    assert made == sorted(made)
    assert len(set(made)) == 1_004
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert ids.uuid7s(0) == []
