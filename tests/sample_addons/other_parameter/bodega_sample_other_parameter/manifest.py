"""A manifest that claims the root of notes too."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="other_parameter",
        version="1.0.0",
        package="bodega_sample_other_parameter",
        summary="It calls {id} of notes {slug}",
        routes=("notes",),
    )
