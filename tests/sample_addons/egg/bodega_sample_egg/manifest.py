"""A manifest in a cycle of two."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="egg",
        version="1.0.0",
        package="bodega_sample_egg",
        summary="It needs hen, which needs it",
        depends=("hen",),
    )
