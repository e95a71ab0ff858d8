"""A manifest for an SDK that does not exist yet."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="future_sdk",
        version="1.0.0",
        package="bodega_sample_future_sdk",
        summary="It is made for another SDK",
        sdk=">=2,<3",
    )
