"""A manifest in a cycle of three."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="rock",
        version="1.0.0",
        package="bodega_sample_rock",
        summary="It needs paper, which needs it",
        depends=("paper",),
    )
