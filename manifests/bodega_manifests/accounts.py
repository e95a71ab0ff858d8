"""The manifest of accounts."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="accounts",
        version="0.1.0",
        package="bodega_accounts",
        summary="People, their roles, and logging in",
        routes=("auth", "users"),
        permissions={
            "accounts.read": "See all accounts",
            "accounts.write": "Create, change and delete accounts",
        },
        grants={"staff": ("accounts.read",)},
        settings=(
            Setting(
                "access_minutes", int, default=15, minimum=1, maximum=1440,
                help="Minutes that an access token is good",
            ),
            Setting(
                "refresh_days", int, default=7, minimum=1, maximum=365,
                help="Days that a refresh token is good",
            ),
        ),
    )  # fmt: skip
