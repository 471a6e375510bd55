"""What a resolver finds in `info.context`."""

from django.utils.translation import gettext_lazy as _

from config import errors


class Context:
    """One request: who acts, what was refused, and what was already looked up.

    `actor` has at least `kind` and `role`. `denials` maps an operation (`Query.loan`) and a code
    to the refusal, for the log of denials. `loaded` maps a node type to the objects that its
    selector has shown in this request, by primary key; None stands for one it has not.
    """

    def __init__(self, actor, request=None):
        self.actor = actor
        self.request = request
        self.denials: dict[tuple[str, str], errors.DomainError] = {}
        self.loaded: dict[type, dict] = {}

    def demand(self, info, allow: frozenset[str]) -> None:
        """Raise `NotAllowed` unless the actor's role is in `allow`."""
        if self.actor.role not in allow:
            raise self.deny(
                info, errors.NotAllowed("NOT_ALLOWED", _("Your role does not allow this."))
            )

    def deny(self, info, error: errors.DomainError) -> errors.DomainError:
        """Remember that the field being resolved was refused, once however often it happens."""
        operation = f"{info.parent_type.name}.{info.field_name}"
        self.denials.setdefault((operation, error.code), error)
        return error

    def forget(self) -> None:
        """Look everything up again: something may have changed."""
        self.loaded.clear()
