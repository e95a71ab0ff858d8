"""A manifest whose package has no plugin."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="plugin_missing",
        version="1.0.0",
        package="bodega_sample_plugin_missing",
        summary="Its plugin was forgotten",
    )
