"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="foreign_table",
        version="1.0.0",
        package="bodega_sample_foreign_table",
        summary="Its table bears another addon's name",
    )
