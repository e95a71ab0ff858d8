"""What imports and exports have in common: a job each, of an organization or the shop."""

from typing import Any
from uuid import UUID

from bodega_sdk import Entity, Identity, job_state


def take_over_end(run: Any) -> None:
    """Show the end of its job of one that has none of its own; nothing is written."""
    state = job_state(run.id)
    if state is None or state.status in ("dead", "cancelled"):
        run.status = "failed"
        run.message = (state and state.error) or "its job was cancelled"
    elif state.status == "parked":
        run.status = "parked"


def may_follow(model: type[Entity], beyond: str, identity: Identity, key: str) -> bool:
    """Whether somebody may follow the row of an id: their organization's.

    Args:
        beyond: what whoever may follow all of them holds.
    """
    if identity.may(beyond):
        return True
    try:
        run: Any = model.find(UUID(key))
    except ValueError:
        return False
    return run is not None and str(run.organization or "-") == identity.organization
