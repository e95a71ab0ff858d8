"""The manifest of lending."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="lending",
        version="1.2.0",
        package="bodega_lending",
        summary="Products that are lent out and come back",
        sdk=">=1.0,<2",
        depends=("products",),
        uses={"events": ("product.updated",)},
        permissions={
            "lending.read": "See what is offered, and who has borrowed it",
            "lending.write": "Offer products, lend them out and take them back",
        },
        grants={
            "vendor": ("lending.read",),
            "staff": ("lending.read", "lending.write"),
        },
        settings=(
            Setting(
                "longest_days", int, default=28, minimum=1, maximum=365,
                help="Days that a product is lent out at most",
            ),
            Setting(
                "keep_days", int, default=365, minimum=1, maximum=3650,
                help="Days that loans are kept after they came back",
            ),
            Setting(
                "ticket_secret", str, default="", secret=True,
                help="Text that the numbers of tickets are made with",
            ),
        ),
    )  # fmt: skip
