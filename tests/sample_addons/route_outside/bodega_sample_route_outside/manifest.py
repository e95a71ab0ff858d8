"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="route_outside",
        version="1.0.0",
        package="bodega_sample_route_outside",
        summary="Its route lies outside its root",
    )
