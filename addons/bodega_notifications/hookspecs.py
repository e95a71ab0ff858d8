"""The hooks that notifications publish."""

from bodega_notifications.kinds import NotificationType
from bodega_sdk import hook


@hook("filter")
def notification_types(types: tuple[NotificationType, ...]) -> tuple[NotificationType, ...]:
    """Return the types of notifications, with those of your addon behind them.

    Called whenever something happened, and when people look at what they can be told. Keep
    those that are there; replace one of another addon to word it anew or to tell others.
    Build your types once, in a module of their own, with ``bodega_notifications.api``:

        SHIPPED = NotificationType(
            "order.shipped", "An order was shipped", event="order.shipped",
            audience=member("customer"), channels=("in_app", "email"),
            heading="Your order {{ number }} is on its way", text="With {{ carrier }}.",
        )

    While an implementation fails nobody is told anything; what happened meanwhile is told
    once it is mended, or its addon disabled.

    Args:
        types: those known so far.
    """
    raise AssertionError("a specification is not called")
