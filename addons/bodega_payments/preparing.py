"""What a client wants to pay with, made ready for the provider."""

from collections.abc import Mapping
from typing import Any

from bodega_accounts import api as accounts
from bodega_orders.api import OrderFacts
from bodega_payments import choosing, keeping
from bodega_payments.errors import unavailable
from bodega_payments.paying import Wanted
from bodega_payments.providers import ProviderError
from bodega_sdk import setting


def prepared(order: OrderFacts, body: Mapping[str, Any], provider: str = "") -> Wanted:
    """Return what is wanted, with the provider's words for the method.

    Whoever has an account is a customer of the provider, so that methods can be kept; that is
    seen to before anything is written.

    Args:
        provider: of the payment; the one of new payments when empty.

    Raises:
        InvalidInput: the method is somebody else's.
        ProviderUnavailable: the provider does not answer.
    """
    name = provider or setting("payments.provider")
    method = body.get("payment_method", "")
    if method:
        method = keeping.token_of(method, order.account, name)
    try:
        found = choosing.provider(name)
        if order.account is not None:
            email = _email(order)
            keeping.customer_of(found, order.account, email)
    except ProviderError as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    return Wanted(
        order.id, body.get("capture_method", "automatic"), method, body.get("save", False),
        body.get("return_url", ""),
    )  # fmt: skip


def _email(order: OrderFacts) -> str:
    person = accounts.people([order.account]).get(order.account) if order.account else None
    return order.email if person is None else person.email
