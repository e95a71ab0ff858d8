"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="undeclared_permission",
        version="1.0.0",
        package="bodega_sample_undeclared_permission",
        summary="Its route asks for a permission it does not declare",
    )
