"""The manifest of imports."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="imports",
        version="0.1.0",
        package="bodega_imports",
        summary="Product catalogues from files, with progress and a reason for every bad row",
        depends=("products>=0.1",),
        permissions={
            "imports.read": "See the imports of one's own organization, and their progress",
            "imports.write": "Import files, for one's own organization",
            "imports.all": "The same for the whole shop",
        },
        grants={
            "vendor": ("imports.read", "imports.write"),
            "staff": ("imports.read", "imports.write", "imports.all"),
        },
        settings=(
            Setting(
                "largest_mb", int, default=500, minimum=1, maximum=10_000,
                help="Megabytes of a file at most",
            ),
            Setting(
                "chunk_rows", int, default=2500, minimum=100, maximum=50_000,
                help="Rows written in one transaction",
            ),
        ),
    )  # fmt: skip
