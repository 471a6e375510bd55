"""What most selectors share."""

from agencies.actors import Actor


def is_bank(actor: Actor) -> bool:
    return actor.kind in ("institution", "sweep")
