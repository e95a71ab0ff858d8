"""Stripe's test cards, and what becomes of payments with them.

https://docs.stripe.com/testing: by number, or by the ready-made method that stands for it.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Card:
    """A test card.

    ``three_ds``: never, always, or unless it was set up before. ``refund``: how refunds go.
    """

    last4: str
    brand: str = "visa"
    code: str = ""
    decline: str = ""
    three_ds: str = "never"
    dispute: str = ""
    refund: str = "succeeded"
    charge_fails: bool = False
    kind: str = "card"

    @property
    def is_slow(self) -> bool:
        """Whether the bank answers days later."""
        return self.kind != "card"

    @property
    def declines(self) -> bool:
        return bool(self.code)


def _declined(last4: str, decline: str, code: str = "card_declined") -> Card:
    return Card(last4, code=code, decline=decline)


BY_NUMBER = {
    "4242424242424242": Card("4242"),
    "5555555555554444": Card("4444", "mastercard"),
    "378282246310005": Card("0005", "amex"),
    "4000000000000002": _declined("0002", "generic_decline"),
    "4000000000009995": _declined("9995", "insufficient_funds"),
    "4000000000009987": _declined("9987", "lost_card"),
    "4000000000009979": _declined("9979", "stolen_card"),
    "4100000000000019": _declined("0019", "fraudulent"),
    "4000000000000069": _declined("0069", "", "expired_card"),
    "4000000000000127": _declined("0127", "", "incorrect_cvc"),
    "4000000000000119": _declined("0119", "", "processing_error"),
    "4000000000006975": _declined("6975", "card_velocity_exceeded"),
    # It can be kept, and declines when it is charged.
    "4000000000000341": replace(_declined("0341", "generic_decline"), charge_fails=True),
    "4000002760003184": Card("3184", three_ds="always"),
    "4000002500003155": Card("3155", three_ds="unless_set_up"),
    "4000000000003220": Card("3220", three_ds="always"),
    "4000008260003178": replace(
        _declined("3178", "insufficient_funds"), three_ds="always", charge_fails=True
    ),
    "4000000000000259": Card("0259", dispute="fraudulent"),
    "4000000000001976": Card("1976", dispute="inquiry"),
    "4000000000007726": Card("7726", refund="pending"),
    "4000000000005126": Card("5126", refund="fails_later"),
}
_BANK = Card("6789", "", kind="us_bank_account")
_BANKS = {
    "pm_usBankAccount_success": _BANK,
    "pm_usBankAccount_debitNotAuthorized": replace(
        _BANK, last4="3335", code="payment_method_not_available", charge_fails=True
    ),
}

_NAMES = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_radarBlock": "4100000000000019",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
#: Ready-made method → card.
BY_NAME = {name: BY_NUMBER[number] for name, number in _NAMES.items()} | _BANKS
