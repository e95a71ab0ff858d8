"""Apprise: sending a few words to a hundred services by one kind of address.

The addresses of people themselves are held to more than the operator's: only services on
the operator's list, and of those only such as reach their own servers. A service that is
told which server to connect to would let anybody look around in the shop's network; of
those only plain JSON is let through, which the SDK's ``fetch`` sends, to public hosts.
"""

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from bodega_notifications.wording import Message
from bodega_sdk import fetch, setting, vetted_addresses
from bodega_sdk.errors import BodegaError, CapabilityError, FetchFailed, invalid

if TYPE_CHECKING:
    from apprise import NotifyBase

#: Seconds that a service may take.
TIMEOUT = 30
_WEBHOOK = ("json", "jsons")
# What apprise reads in every address: whom to trust, and how long to try.
_KNOBS = frozenset({"verify", "redirect", "rto", "cto", "retry", "wait"})


class NotSent(BodegaError):
    """A service did not take it; trying again may help."""


class Refused(NotSent):
    """It cannot be sent there, however often one tries."""


def check_personal(url: str) -> str:
    """Return the name of the service that somebody's own address is of.

    Raises:
        InvalidInput: it is none, or of a service that people may not use.
    """
    plugin = _opened(url)
    if plugin is None:
        raise invalid("url", "Expected an address of apprise, such as tgram://TOKEN/CHAT.")
    fault = _fault(plugin) or _knob(url)
    if fault:
        raise invalid("url", fault)
    if _is_webhook(plugin) and not setting("notifications.private_targets"):
        _check_host(plugin)
    return _service(plugin)


def _check_host(plugin: Any) -> None:
    """Tell at once what would be refused later; ``fetch`` looks again, and is who counts."""
    try:
        vetted_addresses(plugin.host, plugin.port or 443)
    except FetchFailed as error:
        raise invalid("url", f"Nothing is sent there: {error}.") from None


def _knob(url: str) -> str:
    found = sorted({name.lower() for name, _ in parse_qsl(urlsplit(url).query)} & _KNOBS)
    return f"Leave this out: {', '.join(found)}." if found else ""


def _fault(plugin: "NotifyBase") -> str:
    allowed = setting("notifications.personal_services").split()
    if _names(plugin).isdisjoint(allowed):
        return f"This shop sends to these only: {', '.join(allowed)}."
    forms: tuple[str, ...] = type(plugin).templates
    if not _is_webhook(plugin) and any("{host}" in form for form in forms):
        service = _service(plugin)
        return f"{service} connects to a server that its address names; this shop does not."
    return ""


def _is_webhook(plugin: "NotifyBase") -> bool:
    return not _names(plugin).isdisjoint(_WEBHOOK)


def deliver(url: str, message: Message, *, personal: bool) -> None:
    """Send a message to a service; call it outside of transactions.

    Args:
        personal: whether the address is somebody's own, not the operator's.

    Raises:
        Refused: it can never be sent there.
        NotSent: the service did not take it this time.
    """
    plugin = _opened(url)
    if plugin is None:
        raise Refused("apprise cannot read the address")
    if personal and (fault := _fault(plugin)):
        raise Refused(fault)
    guarded = personal and not setting("notifications.private_targets")
    if guarded and _is_webhook(plugin):
        _post(plugin, message)
    else:
        _notify(plugin, message)


def _notify(plugin: "NotifyBase", message: Message) -> None:
    from apprise import Apprise, NotifyFormat

    sender = Apprise(asset=plugin.asset)
    sender.add(plugin)
    text = message.text if message.text != message.title else ""
    if not sender.notify(
        body=text or message.title, title=message.title if text else "",
        body_format=NotifyFormat.TEXT,
    ):  # fmt: skip
        raise NotSent(f"{_service(plugin)} did not take it; the log has what it said")


def _post(plugin: Any, message: Message) -> None:
    """Send what apprise sends as JSON, to a host that is held to be public."""
    scheme = "https" if plugin.secure else "http"
    port = f":{plugin.port}" if plugin.port else ""
    body = {
        "version": "1.0", "title": message.title, "message": message.text, "attachments": [],
        "type": "info",
    }  # fmt: skip
    headers = {}
    if plugin.user:
        told = base64.b64encode(f"{plugin.user}:{plugin.password or ''}".encode()).decode()
        headers["authorization"] = f"Basic {told}"
    host = f"[{plugin.host}]" if ":" in plugin.host else plugin.host
    url = f"{scheme}://{host}{port}{plugin.fullpath or '/'}"
    try:
        answer = fetch(
            url, method="POST", json=body, headers=headers, timeout=TIMEOUT, redirects=0,
            largest=100_000,
        )  # fmt: skip
    except CapabilityError:
        raise Refused(f"{plugin.host} is no public host") from None
    except FetchFailed as error:
        # Without the address: it may hold a token, and operators read this.
        reason = str(error).partition(": ")[2] or "it did not answer"
        raise NotSent(f"{plugin.host}: {reason}") from None
    if not 200 <= answer.status < 300:
        raise NotSent(f"{plugin.host} answered {answer.status}")


def _opened(url: str) -> "NotifyBase | None":
    """Return apprise's plugin for an address; nothing is connected to yet."""
    # Half a second of imports that no web request but one for targets ever needs.
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Bodega", app_desc="Bodega", app_url="", async_mode=False, secure_logging=True,
        http_redirects=False, allow_templates=False, service_timeout=TIMEOUT,
    )  # fmt: skip
    return Apprise.instantiate(url, asset=asset)


def _service(plugin: "NotifyBase") -> str:
    return str(plugin.service_name)


def _names(plugin: "NotifyBase") -> set[str]:
    """Return the schemes of a service, by any of which it can be called."""
    found: set[str] = set()
    # Of the class: some put numbers of their own under these names.
    for item in (type(plugin).protocol, type(plugin).secure_protocol):
        found |= {item} if isinstance(item, str) else set(item or ())
    return found
