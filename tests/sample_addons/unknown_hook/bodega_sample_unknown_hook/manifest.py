"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="unknown_hook",
        version="1.0.0",
        package="bodega_sample_unknown_hook",
        summary="Its plugin implements a hook that is none",
    )
