"""The manifest of payments."""

from bodega_sdk import Manifest, Setting, manifest_hook


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
            "events": ("order.cancelled",),
            "hosts": ("api.stripe.com",),
            "secrets": ("payments.stripe_api_key", "payments.stripe_webhook_secret"),
            "addons": ("notifications",),
        },
        settings=(
            Setting(
                "provider", str, default="sandbox",
                help="Who collects new payments: sandbox (test money), stripe, or the name of "
                "another addon's provider",
            ),
            Setting(
                "sandbox_delay", int, default=1, minimum=0, maximum=3600,
                help="Seconds after which the sandbox tells the shop what happened, as webhooks do",
            ),
        ),
    )  # fmt: skip
