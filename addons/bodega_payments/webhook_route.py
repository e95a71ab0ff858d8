"""``POST /payments/webhooks/{provider}``: where providers tell what happened."""

import re
from typing import Any

from bodega_payments import choosing
from bodega_payments.errors import unavailable
from bodega_payments.providers import BadSignature, Misconfigured
from bodega_payments.receiving import receive
from bodega_payments.schemas import AcceptedSchema
from bodega_sdk import PUBLIC, Request, Route
from bodega_sdk.errors import BadRequest, FieldError, NotFound

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _receive(request: Request) -> dict[str, Any]:
    provider = request.params["provider"]
    if not _NAME.fullmatch(provider) or provider not in choosing.names():
        message = "There is no payment provider of this name."
        raise NotFound(message, [FieldError("provider", message, provider)])
    headers = {name.lower(): text for name, text in request.raw.headers.items()}
    body = request.stream.read()
    try:
        receive(provider, headers, body)
    except BadSignature as error:
        message = f"{error}."
        raise BadRequest(message, [FieldError("signature", message)]) from None
    except Misconfigured as error:
        raise unavailable(None, "The provider has no keys here.") from error
    return {"received": True}


ROUTE = Route(
    "POST", "/payments/webhooks/{provider}", _receive, PUBLIC, "Tell what happened at a provider",
    media="application/json", largest=2**20, returns=AcceptedSchema,
    path_types={"provider": str},
    description="For the provider, by its signature, which is good for five minutes. What is "
    "signed is kept and answered at once; told again, it changes nothing.",
)  # fmt: skip
