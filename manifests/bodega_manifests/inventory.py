"""The manifest of inventory."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="inventory",
        version="0.1.0",
        package="bodega_inventory",
        summary="What is in stock: a ledger of movements, reservations, and news of low stock",
        depends=("products>=0.1",),
        permissions={
            "inventory.read": "See the stock of one's own organization, and what moved it",
            "inventory.write": "Move and set the stock of one's own organization",
            "inventory.all": "The same for the whole shop",
        },
        grants={
            "vendor": ("inventory.read", "inventory.write"),
            "staff": ("inventory.read", "inventory.write", "inventory.all"),
        },
        uses={
            "events": (
                "product.updated", "product.deleted", "product.restored",
                "variant.created", "variant.deleted",
            ),
            "addons": ("notifications",),
        },
        settings=(
            Setting(
                "low_stock_threshold", int, default=5, minimum=0, maximum=1_000_000,
                help="Pieces at or below which stock is low, where an item has no threshold",
            ),
            Setting(
                "reservation_minutes", int, default=30, minimum=1, maximum=525_600,
                help="Minutes after which a reservation ends whose maker did not say when",
            ),
            Setting(
                "kept_days", int, default=90, minimum=1, maximum=3650,
                help="Days that reservations are kept which were sold, released or have ended",
            ),
        ),
    )  # fmt: skip
