"""The manifest of webhooks."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="webhooks",
        version="0.1.0",
        package="bodega_webhooks",
        summary="What happens in the shop, told to other systems over HTTP",
        permissions={
            "webhooks.read": "See webhooks and what was delivered",
            "webhooks.write": "Create, change, test and replay webhooks",
        },
        grants={"staff": ("webhooks.read",)},
        # Any event can be subscribed to, and any host of the internet told.
        uses={"events": ("*",), "hosts": ("*",), "addons": ("accounts",)},
        settings=(
            Setting(
                "allow_hosts", str, default="",
                help="Hosts that may be at private addresses, for development: names, "
                "'*.example.com' or '*', with commas",
            ),
            Setting(
                "https_only", bool, default=False,
                help="Whether webhooks must be sent to https addresses",
            ),
            Setting(
                "disable_after_days", int, default=5, minimum=1, maximum=365,
                help="Days of nothing but failures after which a webhook is disabled",
            ),
            Setting(
                "kept_days", int, default=30, minimum=1, maximum=3650,
                help="Days that deliveries and their attempts are kept",
            ),
            Setting(
                "contact_email", str, default="",
                help="Who is mailed when a webhook is disabled that has no contact, and whose "
                "maker is gone",
            ),
            Setting(
                "connections", int, default=1000, minimum=10, maximum=20_000,
                help="Requests under way at most, in each worker",
            ),
        ),
    )  # fmt: skip
