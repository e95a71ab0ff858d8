"""The manifest of vault, a healthy addon that gives other addons' secrets from a folder."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="vault",
        version="1.0.0",
        package="bodega_sample_vault",
        summary="Secret settings out of a folder that stands for a vault",
        settings=(
            Setting("folder", str, default="", help="The folder: a file for each setting"),
            Setting("pass_phrase", str, default="", secret=True, help="What opens the vault"),
        ),
    )
