"""A version that is none."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="bad_version",
        version="newest",
        package="bodega_sample_bad_version",
        summary="Its version is a word",
    )
