"""The manifest of patient, a healthy addon that can be held while it is installed."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="patient",
        version="1.0.0",
        package="bodega_sample_patient",
        summary="Waits in its migration until a file is there",
    )
