"""The manifest of extras, which adds to things."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="extras",
        version="1.0.0",
        package="bodega_sample_extras",
        summary="What things have too",
        depends=("things",),
        permissions={"extras.secret": "See secrets of things"},
        grants={"vendor": ("extras.secret",)},
    )
