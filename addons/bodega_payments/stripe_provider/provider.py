"""The provider ``stripe``."""

from collections.abc import Mapping
from functools import lru_cache

from bodega_payments.providers import Misconfigured, Provider, ProviderEvent
from bodega_payments.stripe_provider import calling, webhooks
from bodega_payments.stripe_provider.calling import Calls
from bodega_payments.stripe_provider.intents import Intents
from bodega_payments.stripe_provider.reports import Reports, Summaries
from bodega_payments.stripe_provider.transport import checked_base
from bodega_payments.stripe_provider.wallets import Wallets

#: What secret keys of Stripe begin with: whole ones, and such that may do less.
_KEYS = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")


class StripeProvider(Intents, Wallets, Reports):
    """Collects money with Stripe.

    Args:
        api_key: a secret key, or a restricted one.
        webhook_secrets: any of them may have signed an event.
        base: address of the API.
        methods: see :class:`.intents.Intents`.
        pause: seconds before a failed request is sent again; see :data:`.calling.PAUSE`.

    Raises:
        Misconfigured: what is given cannot be it.
    """

    name = "stripe"

    def __init__(
        self,
        api_key: str,
        webhook_secrets: tuple[str, ...],
        base: str = "https://api.stripe.com",
        methods: tuple[str, ...] = ("card",),
        pause: float | None = None,
    ) -> None:
        if not api_key.startswith(_KEYS) or not api_key.isascii() or not api_key.isprintable():
            raise Misconfigured(
                "payments.stripe_api_key: expected a secret key, which begins with "
                f"{' or '.join(_KEYS)}."
            )
        wait = calling.PAUSE if pause is None else pause
        super().__init__(Calls(api_key, checked_base(base), wait), methods)
        self.is_test = api_key[2:].startswith("_test_")
        self._webhook_secrets = webhook_secrets
        self._summaries = Summaries()

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Return what a webhook tells, once its signature has been checked."""
        return webhooks.read(self._webhook_secrets, headers, body)


# The library's client is made once for the same settings; another when one changes.
@lru_cache(maxsize=4)
def provider_for(api_key: str, webhook_secrets: str, base: str, methods: str) -> Provider:
    """Return the provider of these settings, as they are written there."""
    return StripeProvider(api_key, tuple(webhook_secrets.split()), base, tuple(methods.split()))
