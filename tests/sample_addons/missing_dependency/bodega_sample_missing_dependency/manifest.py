"""A manifest with a dependency that nobody has."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="missing_dependency",
        version="1.0.0",
        package="bodega_sample_missing_dependency",
        summary="It needs an addon that does not exist",
        depends=("unicorns",),
    )
