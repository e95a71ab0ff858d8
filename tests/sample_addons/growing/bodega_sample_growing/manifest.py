"""The manifest of growing, whose every release brings a column and drops an older one."""

from bodega_sdk import Manifest, manifest_hook

#: A test writes the next release by raising this number and adding its migrations.
RELEASE = 1


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="growing",
        version=f"{RELEASE}.0.0",
        package="bodega_sample_growing",
        summary="Sprouts whose height moves to another column with every release",
        permissions={"growing.write": "Plant sprouts", "growing.follow": "Follow a bed of sprouts"},
        grants={"staff": ("growing.write", "growing.follow")},
    )
