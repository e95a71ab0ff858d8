"""A manifest that wants notes of the future."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="wrong_version",
        version="1.0.0",
        package="bodega_sample_wrong_version",
        summary="It needs a newer version of notes",
        depends=("notes>=9",),
    )
