"""The manifest of orders."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="orders",
        version="0.1.0",
        package="bodega_orders",
        summary="Carts, checkout, orders and returns; what a purchase costs, explained",
        depends=("accounts", "products>=0.1", "inventory"),
        routes=("orders", "carts", "shipping-methods", "tax-rates"),
        permissions={
            "orders.use": "Keep a cart, order, and see one's own orders",
            "orders.read_lines": "See what was ordered of one's own organization's products",
            "orders.read_all": "See all orders of the shop",
            "orders.manage": "Confirm, ship, cancel and change orders, decide on returns",
            "orders.configure": "Set taxes and ways of shipping",
        },
        grants={
            "user": ("orders.use",),
            "vendor": ("orders.use", "orders.read_lines"),
            "staff": (
                "orders.use", "orders.read_lines", "orders.read_all", "orders.manage",
                "orders.configure",
            ),
        },
        uses={"addons": ("notifications", "reviews")},
        settings=(
            Setting(
                "prices_include_tax", bool, default=False,
                help="Whether the catalogue's prices contain their taxes",
            ),
            Setting(
                "payment_minutes", int, default=60, minimum=5, maximum=43_200,
                help="Minutes that an order's stock is kept for until it is paid for",
            ),
            Setting(
                "cart_days", int, default=30, minimum=1, maximum=3650,
                help="Days after which a cart is forgotten that nobody touched",
            ),
            Setting(
                "cart_lines", int, default=100, minimum=1, maximum=1000,
                help="Different things that one cart or order can hold",
            ),
        ),
    )  # fmt: skip
