"""The manifest of reviews."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="reviews",
        version="0.1.0",
        package="bodega_reviews",
        summary="What people say of products, moderated, and the rating that it comes to",
        depends=("accounts", "products"),
        routes=("reviews",),
        permissions={
            "reviews.write": "Write reviews, find those of others helpful, and report them",
            "reviews.moderate": "See, approve, reject and delete everybody's reviews",
        },
        grants={
            "user": ("reviews.write",),
            "vendor": ("reviews.write",),
            "staff": ("reviews.write", "reviews.moderate"),
        },
        uses={
            "events": ("account.deleted", "product.deleted", "product.restored"),
            "addons": ("notifications",),
        },
        settings=(
            Setting(
                "moderation", bool, default=True,
                help="Whether new and changed reviews are shown only once somebody approved them",
            ),
            Setting(
                "only_buyers_may_review", bool, default=False,
                help="Whether only those who bought a product may review it; without an addon "
                "that knows what was bought, nobody may",
            ),
        ),
    )  # fmt: skip
