"""Methods to pay with that the sandbox knows, named and behaving as Stripe's in test mode."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestMethod:
    """A method that behaves in a known way.

    Args:
        brand, last4: as shown.
        decline: error and decline code when it is declined; empty when it is not.
        action: whether the customer has to approve it first (3-D Secure).
        dispute: whether what it paid is disputed at once.
        refund: ``succeeded``, ``pending`` (it succeeds later) or ``failed`` (it succeeds and
            fails later).
        delayed: ``succeeded`` or ``failed`` when the bank answers later only.
        kind: the word for its like.
    """

    __test__ = False  # Its name looks like a test's to pytest.

    brand: str
    last4: str
    decline: tuple[str, str] = ("", "")
    action: bool = False
    dispute: bool = False
    refund: str = "succeeded"
    delayed: str = ""
    kind: str = "card"


def _declined(last4: str, code: str, reason: str = "") -> TestMethod:
    return TestMethod("visa", last4, (code, reason or code))


#: Token → what it does.
TEST_METHODS: Mapping[str, TestMethod] = {
    "pm_card_visa": TestMethod("visa", "4242"),
    "pm_card_mastercard": TestMethod("mastercard", "4444"),
    "pm_card_amex": TestMethod("amex", "0005"),
    "pm_card_chargeDeclined": _declined("0002", "card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declined(
        "9995", "card_declined", "insufficient_funds"
    ),
    "pm_card_chargeDeclinedExpiredCard": _declined("0069", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("0127", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("0119", "processing_error"),
    "pm_card_authenticationRequired": TestMethod("visa", "3184", action=True),
    "pm_card_threeDSecure2Required": TestMethod("visa", "3220", action=True),
    "pm_card_createDispute": TestMethod("visa", "0259", dispute=True),
    "pm_card_refundFail": TestMethod("visa", "5126", refund="failed"),
    "pm_card_pendingRefund": TestMethod("visa", "7726", refund="pending"),
    "pm_usBankAccount_success": TestMethod(
        "", "6789", delayed="succeeded", kind="us_bank_account"
    ),
    "pm_usBankAccount_debitNotAuthorized": TestMethod(
        "", "3335", delayed="failed", kind="us_bank_account"
    ),
}  # fmt: skip

#: Error or decline code → what the customer reads.
MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_failed": "You did not approve the payment. Choose another way to pay.",
    "debit_not_authorized": "Your bank did not allow the debit.",
}
