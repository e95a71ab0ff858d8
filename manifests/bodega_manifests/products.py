"""The manifest of products."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="products",
        version="0.1.0",
        package="bodega_products",
        summary="The catalogue: products, their variants and categories",
        routes=("products", "categories"),
        permissions={
            "products.read_inactive": "See products that are not active",
            "products.write": "Create, change and delete products of one's own organization",
            "products.write_all": "The same with everybody's products, and with categories",
        },
        grants={
            "vendor": ("products.write",),
            "staff": ("products.read_inactive", "products.write", "products.write_all"),
        },
        settings=(
            Setting(
                "currency", str, default="USD",
                help="ISO 4217 code of prices that name no currency",
            ),
        ),
    )  # fmt: skip
