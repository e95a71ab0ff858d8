"""A grant of a permission that nobody declares."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="bad_grants",
        version="1.0.0",
        package="bodega_sample_bad_grants",
        summary="It grants what it does not have",
        permissions={"bad_grants.read": "Read"},
        grants={"staff": ("bad_grants.write",)},
    )
