"""A manifest whose name begins like another's."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="ledger_page",
        version="1.0.0",
        package="bodega_sample_ledger_page",
        summary="It owns ledger_page_line too",
    )
