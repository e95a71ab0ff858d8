"""The manifest of products."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="products",
        version="0.1.0",
        package="bodega_products",
        summary="The catalogue: products, their variants, categories and tags",
        routes=("products", "categories", "variants", "tags"),
        permissions={
            "products.read_inactive": "See products that are not active, and list deleted ones",
            "products.read_cost": "See and write what the shop pays for products",
            "products.write": "Create, change and delete products of one's own organization",
            "products.write_all": "The same with all products, and with categories and tags",
            "products.moderate": "Feature products, and put back what the shop took down",
        },
        grants={
            "vendor": ("products.write",),
            "staff": (
                "products.read_inactive", "products.read_cost", "products.write",
                "products.write_all", "products.moderate",
            ),
        },
        settings=(
            Setting(
                "currency", str, default="USD",
                help="ISO 4217 code of prices that name no currency",
            ),
            Setting(
                "language", str, default="en",
                help="Language of names and descriptions as such, not of translations, e.g. en",
            ),
        ),
    )  # fmt: skip
