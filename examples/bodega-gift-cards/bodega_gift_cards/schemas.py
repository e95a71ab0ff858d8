"""What requests and answers look like. The names are one for the whole shop."""

from bodega_sdk.schemas import Amount, Boolean, Schema, String, Timestamp, Uuid, validate

_CURRENCY = validate.Regexp(r"^[A-Z]{3}$(?!\n)", error="Expected an ISO 4217 code such as EUR.")


class GiftCardSchema(Schema):
    """A gift card."""

    id = Uuid(dump_only=True)
    code = String(dump_only=True, metadata={"description": "Once, when it is issued."})
    last_four = String(dump_only=True)
    state = String(dump_only=True, metadata={"enum": ["active", "spent", "expired", "void"]})
    amount = Amount(metadata={"description": "The product's when left out."})
    balance = Amount(dump_only=True)
    currency = String(
        validate=_CURRENCY,
        metadata={"description": "ISO 4217; the product's or the shop's when left out."},
    )
    product_id = Uuid(
        allow_none=True, metadata={"description": "The product that it was sold as, if any."}
    )
    note = String(max_length=200, load_default="", strip=True)
    expires_at = Timestamp(metadata={"description": "As the settings say when left out."})
    created_at = Timestamp(dump_only=True)


class GiftCardPaymentSchema(Schema):
    """Something to pay with a card, or to put back on it, in the card's currency."""

    amount = Amount(required=True)
    reference = String(max_length=100, load_default="", strip=True)


class GiftCardCodeSchema(Schema):
    """The code of a card; hyphens, spaces and case make no difference."""

    code = String(required=True, min_length=1, max_length=100, load_only=True)


class GiftCardBalanceSchema(Schema):
    """What can be paid with a card."""

    balance = Amount(required=True)
    currency = String(required=True)
    last_four = String(required=True)
    expires_at = Timestamp(required=True)


class GiftCardMovementSchema(Schema):
    """A change of a card's balance."""

    id = Uuid()
    kind = String(metadata={"enum": ["issue", "redeem", "refund", "expire", "void"]})
    amount = Amount(negative=True)
    balance = Amount()
    reference = String()
    created_at = Timestamp()


class GiftCardProductSchema(Schema):
    """Whether a product is a gift card."""

    is_gift_card = Boolean()
    amount = Amount(
        allow_none=True, metadata={"description": "On each card, in the product's currency."}
    )
