"""The manifest of ballroom, a healthy addon that publishes a hook of each kind."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="ballroom",
        version="1.0.0",
        package="bodega_sample_ballroom",
        summary="A ball, and who has a say in it",
    )
