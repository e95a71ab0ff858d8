"""Fixtures: a Stripe of our own on 127.0.0.1, and the provider that speaks to it by HTTP."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bodega_manifests.payments import addon_manifest
from bodega_payments.stripe_provider.provider import StripeProvider
from bodega_sdk.capabilities import Grant
from bodega_sdk.runtime import bound
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
