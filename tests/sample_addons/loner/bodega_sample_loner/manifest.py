"""A manifest with a conflict."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="loner",
        version="1.0.0",
        package="bodega_sample_loner",
        summary="It cannot stand beside notes",
        conflicts=("notes",),
    )
