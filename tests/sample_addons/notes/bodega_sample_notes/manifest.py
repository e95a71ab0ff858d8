"""The manifest of notes, a healthy addon that uses every hook."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="notes",
        version="1.2.0",
        package="bodega_sample_notes",
        summary="Notes that anybody reads and some write",
        permissions={"notes.write": "Write notes", "notes.follow": "Follow notes as they change"},
        grants={"staff": ("notes.write", "notes.follow"), "user": ("notes.follow",)},
        settings=(
            Setting("longest", int, default=100, minimum=1, help="Characters of a title at most"),
        ),
    )
