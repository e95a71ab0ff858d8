"""The manifest of analytics."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="analytics",
        version="0.1.0",
        package="bodega_analytics",
        summary="What is sold, looked at and paid: sums kept up to date by the log of events",
        depends=("products",),
        routes=("analytics",),
        permissions={"analytics.read": "See what is sold, looked at and paid in the whole shop"},
        grants={"staff": ("analytics.read",)},
        uses={
            "events": ("order.*", "payment.*", "cart.item_added"),
            "addons": ("orders", "payments", "inventory", "imports", "webhooks"),
        },
        settings=(
            Setting(
                "time_zone", str, default="UTC",
                help="The zone whose days reports count when none is asked for, e.g. "
                "Europe/Berlin",
            ),
        ),
    )  # fmt: skip
