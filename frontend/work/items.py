"""What a chapter tells the home page: things to do, and figures."""

import dataclasses

from frontend.templatetags import fairplace


@dataclasses.dataclass(frozen=True)
class Item:
    """One thing to do: `label` says what in words, `count` how many wait, `url` where.

    `tone` is accent (do it), warning (soon), danger (late) or info (good to know); an item with
    a `count` of 0 is not shown. Where the number says nothing, `is_counted` is False.
    """

    label: str
    count: int
    url: str
    tone: str = "accent"
    icon: str = "circle-check"
    note: str = ""
    is_counted: bool = True

    @property
    def title(self) -> str:
        """The whole line, such as `3 applications to decide`."""
        return f"{fairplace.integer(self.count)} {self.label}" if self.is_counted else self.label


@dataclasses.dataclass(frozen=True)
class Figure:
    """One number of the tile row: `value` as it is shown, `url` where it comes from."""

    label: str
    value: str
    url: str = ""
    note: str = ""
    tone: str = ""
