"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="failing_migration",
        version="1.0.0",
        package="bodega_sample_failing_migration",
        summary="Its second migration fails",
    )
