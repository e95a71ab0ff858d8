"""The manifest of chores, a healthy addon whose jobs can be killed at a chosen place."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="chores",
        version="1.0.0",
        package="bodega_sample_chores",
        summary="Chores that are done once each, whatever happens to who does them",
    )
