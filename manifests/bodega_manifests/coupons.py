"""The manifest of coupons."""

from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="coupons",
        version="0.1.0",
        package="bodega_coupons",
        summary="Codes that take something off a purchase, with limits that hold",
        depends=("accounts", "products>=0.1", "orders>=0.1"),
        permissions={
            "coupons.read": "See coupons and who used them",
            "coupons.write": "Make, change and end coupons",
        },
        grants={"staff": ("coupons.read", "coupons.write")},
        uses={"events": ("order.cancelled",)},
    )  # fmt: skip
