"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="plugin_raises",
        version="1.0.0",
        package="bodega_sample_plugin_raises",
        summary="Its plugin raises when it is imported",
    )
