"""Fixtures: a Stripe of our own on 127.0.0.1, and the provider that speaks to it by HTTP."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from bodega.cli import bodega
from bodega.cli.context import Context
from bodega_manifests.payments import addon_manifest
from bodega_payments.stripe_provider.provider import StripeProvider
from bodega_sdk.capabilities import Grant
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from fake_stripe.server import KEY, FakeStripe


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    """A Stripe that knows nothing yet."""
    with FakeStripe.started() as started:
        yield started


@pytest.fixture
def provider(stripe: FakeStripe) -> Iterator[StripeProvider]:
    """The provider, at work for the addon: it may reach what the manifest names."""
    grant = Grant("payments", addon_manifest().uses)
    runtime: Any = SimpleNamespace(grant=lambda: grant)
    with bound(runtime):
        yield StripeProvider(KEY, ("whsec_fake",), stripe.base, pause=0.001)


@pytest.fixture
def at_stripe(
    shop: Any, stripe: FakeStripe, set_to: Callable[[str, Any], None], client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> FakeStripe:  # fmt: skip
    """A Stripe that collects the shop's money and tells it by webhooks, when told to."""
    monkeypatch.setattr("bodega_payments.stripe_provider.calling.PAUSE", 0.001)
    set_to("stripe_api_key", KEY)
    set_to("stripe_webhook_secret", "whsec_fake")
    set_to("stripe_api_base", stripe.base)
    set_to("provider", "stripe")

    def send(headers: dict[str, str], body: bytes) -> int:
        path = "/api/v1/payments/webhooks/stripe"
        return client.post(path, body=body, headers=headers).status_code

    stripe.courier.send = send
    return stripe


@pytest.fixture
def command(shop: Any) -> Callable[..., str]:
    """Run ``bodega …``; return what it printed."""

    def invoke(*arguments: str, fails: bool = False) -> str:
        done = CliRunner().invoke(bodega, [*arguments], obj=Context(_shop=shop))
        assert bool(done.exit_code) == fails, done.output
        return str(done.output)

    return invoke
