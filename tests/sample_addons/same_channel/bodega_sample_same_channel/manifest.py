"""A sound manifest."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="same_channel",
        version="1.0.0",
        package="bodega_sample_same_channel",
        summary="It offers a channel of notes",
        uses={"events": ("note.created",)},
    )
