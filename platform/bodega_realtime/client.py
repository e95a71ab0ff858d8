"""What all clients have in common: who they are, for how long, and what they may follow."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta

from bodega.shop import Shop
from bodega_realtime import messages
from bodega_realtime.frames import Encode
from bodega_realtime.login import Login, log_in
from bodega_realtime.messages import Close, Message, Refused
from bodega_realtime.outlet import Outlet
from bodega_realtime.presence import Presence
from bodega_realtime.pump import Pump
from bodega_realtime.reader import LogReader
from bodega_realtime.subscriber import Subscriber
from bodega_realtime.subscriptions import Hub
from bodega_sdk.errors import Unauthenticated
from bodega_sdk.models import now
from bodega_sdk.permissions import permissions_of


@dataclass(frozen=True, slots=True)
class House:
    """What every client is served with.

    Args:
        reader: for replays and for questions to channels.
        presence: who subscribes to what, over all processes.
        sent_event: one for all streams, so that what it makes is made once.
    """

    shop: Shop
    hub: Hub
    reader: LogReader
    pump: Pump
    presence: Presence
    sent_event: Encode


class Client(ABC):
    """A client, from its first word to its end.

    Args:
        encode: makes an event what is written to it.
    """

    #: What it counts as in the metrics.
    kind = "protocol"

    def __init__(self, house: House, outlet: Outlet, encode: Encode) -> None:
        self._house = house
        self._outlet = outlet
        self._subscriber = Subscriber(self, outlet, house.hub, house.reader, encode)
        self._login: Login | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._review: asyncio.Task[None] | None = None

    def enter(self) -> None:
        """Be known to the hub."""
        self._house.hub.listeners.add(self)
        self._house.hub.meters.connections[self.kind] += 1

    def exit(self) -> None:
        """Be forgotten by the hub."""
        self._house.hub.listeners.discard(self)
        self._house.hub.meters.connections[self.kind] -= 1
        self.forget()

    def forget(self) -> None:
        """Give everything up that waits or listens."""
        if self._timer is not None:
            self._timer.cancel()
        if self._review is not None:
            self._review.cancel()
        self._subscriber.forget()

    def leave(self, code: Close, reason: str) -> None:
        """End the connection."""
        self._outlet.close(code, reason)

    def log_in(self, message: Message) -> Login:
        """Take the token of a message, the first one or a fresh one.

        Raises:
            Refused: it is no good, or belongs to another account.
        """
        try:
            login = log_in(self._house.shop.current, message.token)
        except Unauthenticated as error:
            raise message.refused(messages.UNAUTHENTICATED, error.detail) from None
        subject = login.identity.subject
        if self._login is not None and self._login.identity.subject != subject:
            raise message.refused(
                messages.OTHER_SUBJECT,
                "This connection belongs to another account; open a new one.",
            )
        self._login = login
        self._close_in(login.expires_at - now(), "the token has expired")
        return login

    def _close_in(self, time: timedelta, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(
            max(0.0, time.total_seconds()), self._outlet.close, Close.UNAUTHENTICATED, reason
        )

    def revise(self) -> None:
        """Hold the client to what its roles grant in today's Assembly."""
        if self._login is None or not self._outlet.open:
            return
        identity, assembly = self._login.identity, self._house.shop.assembly
        held = permissions_of(identity.roles, assembly.grants, assembly.permissions)
        self._login = replace(self._login, identity=replace(identity, permissions=held))
        self._subscriber.revise(self._login.identity)
        if self._subscriber.empty:
            return
        review = self._subscriber.review(self._login.identity)
        # Held until it is done, or the loop would forget it.
        self._review = asyncio.get_running_loop().create_task(review)

    def check_session(self) -> None:
        """Send the client away if its session has ended."""
        login = self._login
        if login is None or not self._outlet.open:
            return
        if self._house.shop.revocations.refuses(login.identity.session, login.version):
            self._outlet.close(Close.UNAUTHENTICATED, "the session has ended")

    @abstractmethod
    def subscribed(self, message: Message, offset: int, recovered: bool) -> None:
        """Say that a subscription begins."""

    @abstractmethod
    def ended(self, channel: str, reason: str) -> None:
        """Say that a subscription was ended by the server."""

    def refused_with(self, refused: Refused) -> Close:
        """Return the code that ends a stream that was refused."""
        return _CLOSES.get(refused.code, Close.FORBIDDEN)


_CLOSES = {
    messages.UNAUTHENTICATED: Close.UNAUTHENTICATED,
    messages.OTHER_SUBJECT: Close.UNAUTHENTICATED,
    messages.MALFORMED: Close.MALFORMED,
    messages.NOT_CONFLATABLE: Close.MALFORMED,
    messages.UNAVAILABLE: Close.UNAVAILABLE,
}
