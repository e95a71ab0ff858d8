"""The mail server that ``BODEGA_SMTP_URL`` names."""

import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bodega.errors import ConfigurationError
from bodega_sdk.errors import InvalidInput
from bodega_sdk.mail import ascii_domain, check_address

_PORTS = {"smtp": 587, "smtps": 465}
_STARTTLS = ("required", "off")
_EXPECTED = (
    "expected smtp://user:password@host:587, smtp://host:25?starttls=off "
    "or smtps://user:password@host:465"
)


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how it is spoken to.

    Args:
        tls: ``"implicit"``, ``"starttls"`` or ``"off"``.
        user: empty for a server that wants no login.
        ca: file of the authorities to trust; those of the system when empty.
    """

    host: str
    port: int
    tls: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Return how its certificate is verified."""
        return ssl.create_default_context(cafile=self.ca or None)


def read_server(url: str) -> Server:
    """Return what an address of a mail server says.

    Raises:
        ConfigurationError: it cannot be used; the message repeats no password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigurationError(f"BODEGA_SMTP_URL: {_EXPECTED}") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise ConfigurationError(f"BODEGA_SMTP_URL: {_EXPECTED}")
    options = _options(parts)
    tls = "implicit"
    if parts.scheme == "smtp":
        tls = "off" if options.get("starttls") == "off" else "starttls"
    return Server(
        parts.hostname, port or _PORTS[parts.scheme], tls,
        unquote(parts.username or ""), unquote(parts.password or ""), options.get("ca", ""),
    )  # fmt: skip


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - {"starttls", "ca"}):
        raise ConfigurationError(
            f"BODEGA_SMTP_URL: unknown option {unknown[0]!r}; there are starttls and ca"
        )
    if options.get("starttls", "off") not in _STARTTLS:
        raise ConfigurationError("BODEGA_SMTP_URL: starttls is either 'required' or 'off'")
    if "starttls" in options and parts.scheme == "smtps":
        raise ConfigurationError("BODEGA_SMTP_URL: smtps is encrypted already; drop starttls")
    if "ca" in options and not Path(options["ca"]).is_file():
        raise ConfigurationError(f"BODEGA_SMTP_URL: ca: there is no file {options['ca']!r}")
    return options


def read_sender(text: str) -> Address:
    """Return the address that mail is from: ``Shop <shop@shop.example>`` or the address alone.

    Raises:
        ConfigurationError: it is none.
    """
    name, address = parseaddr(text)
    try:
        local, _, domain = check_address(address).rpartition("@")
        return Address(name, local, ascii_domain(domain))
    except (InvalidInput, ValueError):
        raise ConfigurationError(
            f"BODEGA_MAIL_FROM: expected 'Shop <shop@shop.example>', found {text!r}"
        ) from None
