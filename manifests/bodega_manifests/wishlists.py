"""The manifest of wishlists."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="wishlists",
        version="0.1.0",
        package="bodega_wishlists",
        summary="Lists of products that people wish for, to keep or to share",
        depends=("accounts", "products"),
        routes=("wishlists",),
        permissions={
            "wishlists.use": "Keep wishlists of one's own",
            "wishlists.read_demand": "See which products are wished for most",
        },
        grants={
            "user": ("wishlists.use",),
            "vendor": ("wishlists.use",),
            "staff": ("wishlists.use", "wishlists.read_demand"),
        },
        settings=(
            Setting(
                "lists_per_account", int, default=20, minimum=1, maximum=1000,
                help="Wishlists that one account can have",
            ),
            Setting(
                "items_per_list", int, default=200, minimum=1, maximum=10_000,
                help="Products that one wishlist can hold",
            ),
            Setting(
                "default_name", str, default="Wishlist",
                help="Name of the list that is made when somebody wishes for something first",
            ),
            Setting(
                "share_link", str, default="",
                help="The page that shows a shared list, with {token} in it; the address in the "
                "API when empty",
            ),
        ),
    )  # fmt: skip
