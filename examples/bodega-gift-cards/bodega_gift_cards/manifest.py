"""The manifest. It imports no other module of the addon."""

from bodega_sdk import Manifest, Setting, manifest_hook

_SETTINGS = (
    Setting(
        "code_length",
        int,
        default=16,
        minimum=12,
        maximum=32,
        help="Characters of a code that are drawn at random, five bits each",
    ),
    Setting(
        "valid_months",
        int,
        default=36,
        minimum=1,
        maximum=120,
        help="Months that a new card is good for, unless its issuer says otherwise",
    ),
    Setting(
        "pepper",
        str,
        default="",
        help="Key that codes are hashed with; cards issued under another one are not found",
        secret=True,
    ),
)


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="gift_cards",
        version="1.1.0",
        package="bodega_gift_cards",
        summary="Gift cards: sold as products, redeemed by their codes, with a ledger each",
        sdk=">=1.0,<2",
        depends=("products",),
        permissions={
            "gift_cards.read": "See gift cards, their balances and movements",
            "gift_cards.issue": "Issue gift cards",
            "gift_cards.redeem": "Redeem gift cards and take redemptions back",
            "gift_cards.void": "Make gift cards worthless",
        },
        grants={"staff": ("gift_cards.read", "gift_cards.issue", "gift_cards.redeem")},
        uses={"events": ("product.deleted",)},
        settings=_SETTINGS,
    )
