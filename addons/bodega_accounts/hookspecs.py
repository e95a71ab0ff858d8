"""The hooks that accounts publish."""

from uuid import UUID

from bodega_sdk import hook


@hook("filter")
def account_links(links: dict[str, str], account_id: UUID) -> dict[str, str]:
    """Return the links of somebody's own profile, with those to what your addon keeps of them.

    Called whenever somebody looks at their profile, as in ``GET /auth/me``. Add to the
    links, by a name for each; keep those that are there.

    Args:
        links: name → address below the shop's own, such as ``"/api/v1/orders"``.
        account_id: whose profile it is.
    """
    raise AssertionError("a specification is not called")
