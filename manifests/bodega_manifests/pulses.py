"""The manifest of pulses."""

from bodega_sdk import Manifest, Setting, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    """Return the manifest."""
    return Manifest(
        name="pulses",
        version="0.1.0",
        package="bodega_pulses",
        summary="Time series of what is measured of products, their rollups, and alerts",
        depends=("products",),
        permissions={
            "pulses.read": "See what is measured of products, rules and alerts",
            "pulses.write": "Record points",
            "pulses.manage": "Make and change rules of alerts, and be told of alerts",
        },
        grants={"staff": ("pulses.read", "pulses.write", "pulses.manage")},
        uses={"addons": ("notifications",)},
        settings=(
            Setting(
                "kept_days", int, default=90, minimum=0, maximum=36_500,
                help="Days that points are kept, 0 for good; rollups are always kept, and older "
                "points are not taken",
            ),
            Setting(
                "points_per_request", int, default=50_000, minimum=1, maximum=200_000,
                help="Points that one request may have",
            ),
            Setting(
                "most_series", int, default=100_000, minimum=1, maximum=10_000_000,
                help="Series that there may be: products, units and sources together",
            ),
            Setting(
                "alert_minutes", int, default=60, minimum=1, maximum=10_080,
                help="Minutes that a point may be old when rules look at it; older ones raise no "
                "alerts",
            ),
        ),
    )  # fmt: skip
