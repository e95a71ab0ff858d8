"""``GET /payments/usage``: what went through the provider, as the provider says."""

from datetime import timedelta
from typing import Any

from bodega_payments import choosing
from bodega_payments.errors import unavailable
from bodega_payments.providers import ProviderError, Usage
from bodega_payments.reaching import READ_ALL
from bodega_payments.schemas import UsagesSchema
from bodega_sdk import Money, Parameter, RateLimit, Request, Route, now, setting

#: Providers count requests too, and those of customers come first.
_LIMIT = RateLimit("payments.usage", 10, 60)
_DAYS = Parameter("days", int, "How many days back.", 30, minimum=1, maximum=90)


def _show(request: Request) -> dict[str, Any]:
    _LIMIT.hit("all")
    days = request.query["days"]
    try:
        provider = choosing.provider(setting("payments.provider"))
        found = provider.usage(now() - timedelta(days=days))
    except ProviderError as error:
        raise unavailable(None, "The payment provider does not answer.") from error
    shown: dict[str, Any] = UsagesSchema().dump(
        {
            "provider": provider.name, "is_test": provider.is_test, "days": days,
            "currencies": [_shown(item) for item in found],
        }
    )  # fmt: skip
    return shown


def _shown(usage: Usage) -> dict[str, Any]:
    names = ("available", "pending", "volume", "refunded", "fees")
    amounts = {name: str(Money(getattr(usage, name), usage.currency)) for name in names}
    return amounts | {"currency": usage.currency, "payments": usage.payments}


ROUTE = Route(
    "GET", "/payments/usage", _show, READ_ALL, "Summarize what went through the provider",
    parameters=(_DAYS,), returns=UsagesSchema,
    description="Asked of the provider that collects new payments; ten times a minute at most.",
)  # fmt: skip
