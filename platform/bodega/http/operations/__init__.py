"""The kernel's own part of the API: addons, settings, jobs, events and mail, for administrators.

The routes are declared as an addon's are, so that the documentation, the permission
checks and the tests see no difference. The owner is called ``bodega``.
"""

from typing import TYPE_CHECKING

from bodega.http.operations import addons, audit, events, hooks, jobs, mail, settings
from bodega_sdk.http import Route

if TYPE_CHECKING:
    from bodega.shop import Session

#: The owner's name of what belongs to the kernel.
KERNEL = "bodega"


def kernel_routes(session: "Session") -> tuple[Route, ...]:
    """Return the kernel's routes for the session's shop."""
    parts = (addons, settings, jobs, events, hooks, mail, audit)
    return tuple(route.owned_by(KERNEL) for part in parts for route in part.routes(session))
