"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="wrong_type",
        version="1.0.0",
        package="bodega_sample_wrong_type",
        summary="Its hook returns names instead of models",
    )
