"""The manifest of walls, a healthy addon that depends on pins, and so on notes."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="walls",
        version="2.0.0",
        package="bodega_sample_walls",
        summary="A wall that pins are stuck into",
        depends=("pins",),
    )
