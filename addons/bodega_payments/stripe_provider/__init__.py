"""The provider ``stripe``; the library of that name is imported when it is first used."""

from bodega_payments.providers import Misconfigured, Provider
from bodega_payments.stripe_provider.provider import provider_for
from bodega_sdk import setting


def connect() -> Provider:
    """Return the provider that the settings describe.

    Raises:
        Misconfigured: the key is missing or none, or the address is not one to send it to.
    """
    key = setting("payments.stripe_api_key")
    if not key:
        raise Misconfigured("Set the secret payments.stripe_api_key to a secret key of Stripe.")
    return provider_for(
        key,
        setting("payments.stripe_webhook_secret"),
        setting("payments.stripe_api_base"),
        setting("payments.stripe_methods"),
    )
