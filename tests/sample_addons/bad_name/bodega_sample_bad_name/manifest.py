"""A name that is no lower_snake_case."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="Bad-Name",
        version="1.0.0",
        package="bodega_sample_bad_name",
        summary="Its name has a capital and a hyphen",
    )
