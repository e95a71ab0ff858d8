"""A manifest that claims the root of notes too."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="same_route",
        version="1.0.0",
        package="bodega_sample_same_route",
        summary="It serves a route of notes",
        routes=("notes",),
    )
