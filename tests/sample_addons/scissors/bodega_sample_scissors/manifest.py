"""A manifest in a cycle of three."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="scissors",
        version="1.0.0",
        package="bodega_sample_scissors",
        summary="It needs rock, which needs it",
        depends=("rock",),
    )
