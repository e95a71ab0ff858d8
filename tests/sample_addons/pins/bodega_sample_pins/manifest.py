"""The manifest of pins, a healthy addon that depends on notes."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="pins",
        version="0.3.1",
        package="bodega_sample_pins",
        summary="A pin for each new note",
        depends=("notes>=1.0",),
        uses={"events": ("note.created",)},
    )
