"""Which loans are the same person's: by national identifier, else by the bank's customer number."""

import dataclasses
from collections.abc import Callable, Sequence


@dataclasses.dataclass(slots=True)
class Person:
    """A borrower as far as linking goes; without an identifier or a number they are None and "".

    `told_in` is the row of this file that tells the identifier for the first time.
    """

    id: str
    national_id_index: bytes | None
    reference: str
    told_in: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Linked:
    """Whose each row is (None: it says nothing of anybody), whom to make, from which row, and of
    whom that is there already the file tells an identifier or a number."""

    borrower_ids: list[str | None]
    new: list[tuple[int, Person]]
    learned: list[Person]


def link(
    national_id_indexes: Sequence[bytes | None],
    references: Sequence[str],
    is_told: Sequence[bool],
    *,
    known: Sequence[Person],
    new_id: Callable[[int], str],
) -> Linked:
    """Whose each row of a file is; rows are counted from 0. `new_id` is asked for a row's person.

    Two rows are one person's when they have the same national identifier, or the same customer
    number and no two different identifiers. A number that two identifiers claim stays with the
    first, and a person keeps the first number. A row that says something about the person
    (`is_told`), but neither of the two, has a borrower of its own.
    """
    by_index = {one.national_id_index: one for one in known if one.national_id_index is not None}
    by_reference = {one.reference: one for one in known if one.reference}
    linked = Linked([], [], [])
    new_ids = set()
    learned = {}
    rows = zip(national_id_indexes, references, is_told, strict=True)
    for row, (index, reference, told) in enumerate(rows):
        numbered = by_reference.get(reference) if reference else None
        person = by_index.get(index) if index is not None else numbered
        if person is None and numbered is not None and numbered.national_id_index is None:
            person = numbered
        if person is None and (index is not None or reference or told):
            person = Person(new_id(row), None, "")
            new_ids.add(person.id)
            linked.new.append((row, person))
        if person is None:
            linked.borrower_ids.append(None)
            continue
        linked.borrower_ids.append(person.id)
        if index is not None and person.national_id_index is None:
            person.national_id_index, person.told_in = index, row
            by_index[index] = person
            learned[person.id] = person
        if reference and numbered is None and not person.reference:
            person.reference = reference
            by_reference[reference] = person
            learned[person.id] = person
    linked.learned.extend(one for one in learned.values() if one.id not in new_ids)
    return linked
