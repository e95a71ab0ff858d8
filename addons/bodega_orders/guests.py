"""Mail to guests, who have no account that notifications could reach.

Each event is mailed once: the place in the log moves in the transaction that writes the mail.
"""

from uuid import UUID

from bodega_orders import tokens
from bodega_orders.wording import NOTHING, TEXTS
from bodega_sdk import Occurrence, send_mail
from bodega_sdk.errors import InvalidInput

#: Events that guests are written about.
TOLD = tuple(TEXTS)


def write(event: Occurrence) -> None:
    """Write a guest what became of their order."""
    data = event.data
    if data["account"] is not None:
        return
    heading, text = TEXTS[event.name]
    said = text.format_map(data).strip() or NOTHING
    try:
        send_mail(data["email"], heading.format_map(data), f"{said}\n\n{_reach(data['id'])}\n")
    except InvalidInput:
        # It was good enough for the form, and is none that mail can be sent to.
        return


def _reach(order: str) -> str:
    token = tokens.order_token(UUID(order))
    return f"With this token you can see your order, cancel it or send things back:\n{token}"
