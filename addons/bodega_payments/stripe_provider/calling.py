"""Asking Stripe: again where that helps, and with our own errors.

Stripe keeps the first answer to an idempotency key for at least a day and repeats it, errors of
its own included. A 500 is therefore asked about once more; when the same 500 comes back as a
repetition, the key is *spent*: whether something was done can only be seen by looking.

The library is imported where it is used: importing it changes the filters of warnings and takes
30 MB, which shops without Stripe are spared.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bodega_payments.providers import Declined, Misconfigured, ProviderDown, ProviderError, Refused
from bodega_payments.stripe_provider.declines import told
from bodega_payments.stripe_provider.transport import Transport

if TYPE_CHECKING:
    import stripe

#: Requests for one call at most.
ATTEMPTS = 3
#: Seconds before the second request; doubled before each further one.
PAUSE = 0.4
#: Seconds after which no further request is begun: somebody may be waiting.
PATIENCE = 12.0
#: Keys that one act may spend before it is given up for now.
GENERATIONS = 4

#: What the library returns, as plain dicts and lists.
Found = dict[str, Any]


class SpentKey(ProviderDown):
    """Stripe answers this key with the same failure for ever."""


class DeclinedCall(Declined):
    """The bank said no; ``said`` is all that Stripe tells of it, e.g. ``said["setup_intent"]``."""

    def __init__(self, said: Found) -> None:
        super().__init__(*told(said))
        self.said = said


@dataclass
class Calls:
    """A way to Stripe.

    Args:
        api_key: secret, or restricted.
        base: address of the API.
        pause: see :data:`PAUSE`.
    """

    api_key: str = field(repr=False)
    base: str
    pause: float = PAUSE

    def __post_init__(self) -> None:
        import stripe

        # It writes bodies to the log, and answers have client secrets in them.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        transport: Any = Transport()
        self.client: Any = stripe.StripeClient(
            self.api_key,
            base_addresses={"api": self.base},
            http_client=transport,
            max_network_retries=0,
        ).v1

    def get(self, call: Callable[..., Any], *args: Any) -> Found:
        """Ask, again where that helps: ``get(calls.client.payment_intents.retrieve, "pi_1")``.

        Raises:
            ProviderError: see :mod:`bodega_payments.providers`.
        """
        import stripe

        begun, error = time.monotonic(), ProviderError()
        for attempt in range(ATTEMPTS):
            try:
                found: Found = call(*args).to_dict()
                return found
            except stripe.StripeError as problem:
                error = ours(problem)
                waited = time.monotonic() - begun
                last = attempt + 1 == ATTEMPTS or waited > PATIENCE
                if last or not isinstance(error, ProviderDown) or isinstance(error, SpentKey):
                    break
            time.sleep(self.pause * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
        raise error

    def all(self, call: Callable[..., Any], *args: Any) -> Iterator[Found]:
        """Yield all of a list, page by page, as they are wanted.

        Args:
            args: the last one is the parameters.
        """
        *path, params = args
        while True:
            page = self.get(call, *path, {"limit": 100, **params})
            yield from page["data"]
            if not page["has_more"] or not page["data"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}

    def post(
        self,
        call: Callable[..., Any],
        *args: Any,
        key: str,
        look: Callable[[], Found | None] = lambda: None,
    ) -> Found:
        """Change something, once however often it is called with the key.

        Args:
            args: of the library's function; the last one is the parameters.
            look: asked when a key is spent: what the change was to bring about, or None while
                it has not happened; then it is asked for with another key.

        Raises:
            ProviderError: see :mod:`bodega_payments.providers`.
        """
        for generation in range(1, GENERATIONS + 1):
            options = {"idempotency_key": _generated(key, generation)}
            try:
                return self.get(call, *args, options)
            except SpentKey:
                found = look()
                if found is not None:
                    return found
        raise ProviderDown(f"Stripe fails again and again with the key {key}.")


def _generated(key: str, generation: int) -> str:
    return key if generation == 1 else f"{key}:{generation}"


def ours(error: "stripe.StripeError") -> ProviderError:
    """Return the interface's error for one of the library's.

    What authentication failed with is not repeated: Stripe shows a part of the key in it.
    """
    import stripe

    if isinstance(error, stripe.AuthenticationError):
        return Misconfigured("Stripe does not know the key in payments.stripe_api_key.")
    if isinstance(error, stripe.PermissionError):
        return Misconfigured(
            "The key in payments.stripe_api_key may not do this; give it the permission in "
            f"Stripe's dashboard{_request(error)}."
        )
    if isinstance(error, stripe.CardError):
        return DeclinedCall(_body(error))
    if isinstance(error, stripe.InvalidRequestError | stripe.IdempotencyError):
        code = error.code or _body(error).get("code") or _body(error).get("type")
        return Refused(str(code or "invalid_request"), f"{_message(error)}{_request(error)}")
    if (error.headers or {}).get("idempotent-replayed") == "true":
        return SpentKey(f"Stripe failed, and repeats that{_request(error)}.")
    status = f"HTTP {error.http_status}" if error.http_status else _message(error)
    return ProviderDown(f"Stripe cannot be reached just now: {status}{_request(error)}.")


def _body(error: "stripe.StripeError") -> dict[str, Any]:
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _message(error: "stripe.StripeError") -> str:
    return str(error.user_message or "no reason given")[:500]


def _request(error: "stripe.StripeError") -> str:
    return f" (request {error.request_id})" if error.request_id else ""
