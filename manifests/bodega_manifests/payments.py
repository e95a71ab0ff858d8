"""The manifest of payments."""

from bodega_sdk import Manifest, Setting, manifest_hook

_SETTINGS = (
    Setting(
        "provider", str, default="sandbox",
        help="Who collects new payments: sandbox (test money), stripe, or the name of "
        "another addon's provider",
    ),
    Setting(
        "capture_method", str, default="automatic", choices=("automatic", "manual"),
        help="Whether money is taken at once, or only held until staff capture it",
    ),
    Setting(
        "sandbox_delay", int, default=1, minimum=0, maximum=3600,
        help="Seconds after which the sandbox tells the shop what happened, as webhooks do",
    ),
    Setting(
        "stripe_api_key", str, default="", secret=True,
        help="Secret key of Stripe (sk_… or rk_…), from its dashboard",
    ),
    Setting(
        "stripe_webhook_secret", str, default="", secret=True,
        help="Signing secrets of Stripe's webhook endpoint (whsec_…); the old and the new "
        "one, with a space between, while they are rotated",
    ),
    Setting(
        "stripe_api_base", str, default="https://api.stripe.com",
        help="Where Stripe's API is; a stand-in on this machine for tests",
    ),
    Setting(
        "stripe_methods", str, default="card",
        help="Kinds of methods that Stripe takes, with spaces between; those that its "
        "dashboard says when empty, which send the customer to return_url",
    ),
    Setting(
        "events_days", int, default=90, minimum=7, maximum=3650,
        help="Days after which it is forgotten what providers told; the ledger stays",
    ),
)  # fmt: skip


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="payments",
        version="0.1.0",
        package="bodega_payments",
        summary="Paying for orders: intents, captures, refunds, and a ledger that adds up",
        depends=("accounts", "orders>=0.1"),
        permissions={
            "payments.use": "Pay, and keep ways to pay of one's own",
            "payments.read_all": "See all payments and the ledger",
            "payments.manage": "Capture, cancel and refund payments",
        },
        grants={
            "user": ("payments.use",),
            "vendor": ("payments.use",),
            "staff": ("payments.use", "payments.read_all", "payments.manage"),
        },
        uses={
            "events": ("order.cancelled", "account.deleted"),
            # Stripe, and a stand-in for it on this machine: a key is sent nowhere else.
            "hosts": ("api.stripe.com", "127.0.0.1", "localhost", "::1"),
            "addons": ("notifications",),
        },
        settings=_SETTINGS,
    )
