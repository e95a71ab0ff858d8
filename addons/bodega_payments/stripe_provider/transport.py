"""How the library ``stripe`` reaches its server: through the SDK's own outgoing calls.

So a deadline holds for all of an answer, neither proxies nor ``.netrc`` are read, no redirect
takes the key elsewhere, and only hosts that the manifest names are spoken to.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bodega_payments.providers import Misconfigured
from bodega_sdk import fetch
from bodega_sdk.errors import CapabilityError, FetchFailed

#: Seconds for one request and its whole answer; banks may take ten to answer.
TIMEOUT = 25.0
#: Where a key may be sent unencrypted: to this machine.
LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: What the library tells of the machine it runs on is nobody's business.
_UNSAID = ("X-Stripe-Client-User-Agent", "X-Stripe-Client-Telemetry")


class Transport:
    """The library's HTTP client. It sends once; see :mod:`.calling` for sending again."""

    name = "bodega"

    def request_with_retries(
        self, method: str, url: str, headers: Any, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """Return the answer's body, status and headers, by their names in lower case."""
        said = {name: text for name, text in (headers or {}).items() if name not in _UNSAID}
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = fetch(
                url, method=method, headers=said, body=body, timeout=TIMEOUT, redirects=0
            )
            return answer.body.decode(), answer.status, answer.headers
        except CapabilityError as error:
            raise Misconfigured(str(error)) from None
        except (FetchFailed, UnicodeDecodeError) as error:
            raise _unreachable(str(error)) from None


def _unreachable(reason: str) -> Exception:
    import stripe

    made: Any = stripe.APIConnectionError
    found: Exception = made(reason, should_retry=True)
    return found


def checked_base(url: str) -> str:
    """Return an address that a key may be sent to, without a slash at its end.

    Raises:
        Misconfigured: it is not encrypted and not on this machine, or not an address.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Misconfigured(f"payments.stripe_api_base: {url!r} is no address.") from None
    plain = not (parts.username or parts.query or parts.fragment or parts.path.strip("/"))
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not (host and plain and safe):
        raise Misconfigured(
            f"payments.stripe_api_base: expected an address such as 'https://api.stripe.com', or "
            f"'http://127.0.0.1:12111' on this machine, found {url!r}."
        )
    return url.rstrip("/")
