"""The four ways a request can be refused, each with a stable code and a sentence for people.

Services raise these; GraphQL turns them into `errors` of a payload, pages into a form with 422.
Anything else that escapes is a fault of ours and reaches a client only as a reference.
"""


class DomainError(Exception):
    """A refusal that may be shown to whoever asked.

    `code` is stable and machine-readable, `message` a translatable sentence, `field` the path of
    the input it is about, `row` the number of the row in a batch or a file, counted from 1.
    """

    kind = "domain"

    def __init__(self, code, message, *, field: str | None = None, row: int | None = None):
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.row = row


class NotFound(DomainError):
    """There is no such thing, or none that this actor may know of: the two read the same."""

    kind = "not_found"


class NotAllowed(DomainError):
    """The actor may see the thing but may not do this to it."""

    kind = "not_allowed"


class InvalidInput(DomainError):
    """What was sent cannot be accepted as it is."""

    kind = "invalid_input"


class InvalidState(DomainError):
    """The thing is no longer, or not yet, in a state in which this can be done."""

    kind = "invalid_state"
