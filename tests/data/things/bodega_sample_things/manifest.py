"""The manifest of things, an addon whose collection uses all that collections offer."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="things",
        version="1.0.0",
        package="bodega_sample_things",
        summary="Things with parts",
        permissions={
            "things.write": "Write things",
            "things.cost": "See what things cost",
            "things.hidden": "See hidden things",
        },
        grants={"staff": ("things.write",), "vendor": ("things.write", "things.cost")},
        routes=("things", "things-busy", "things-mine"),
        settings=(Setting("unit", str, default="m", help="What sizes are told in"),),
    )
