"""What customers are told of their orders, in English: with or without an account."""

#: Event → heading and text; words in braces are members of the event's data.
TEXTS = {
    "order.placed": (
        "We have your order {number}",
        "Thank you. It comes to {total} {currency}. We write again when it is confirmed.",
    ),
    "order.confirmed": (
        "Your order {number} is confirmed", "We get it ready now. It came to {total} {currency}.",
    ),
    "order.shipped": (
        "Your order {number} is on its way",
        "It will arrive soon. {carrier} {tracking_number} {tracking_url}",
    ),
    "order.delivered": ("Your order {number} has arrived", "We hope you like it."),
    "order.cancelled": ("Your order {number} was cancelled", "{reason}"),
    "order.refunded": (
        "Your order {number} was refunded", "All that you paid for it goes back to you.",
    ),
    "order.return_decided": (
        "Your return of order {number}: {return_status}", "{answer}",
    ),
    "order.return_received": (
        "What you sent back of order {number} has arrived", "{amount} {currency} are due to you.",
    ),
}  # fmt: skip
#: What stands in the place of a text that has become empty.
NOTHING = "There is nothing more to say."
