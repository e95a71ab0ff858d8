"""The manifest of shelves, a healthy addon whose tables point to those of products."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="shelves",
        version="1.0.0",
        package="bodega_sample_shelves",
        summary="Where products stand",
        depends=("products",),
    )
