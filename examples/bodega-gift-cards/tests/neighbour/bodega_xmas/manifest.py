from bodega_sdk import Manifest, manifest_hook


@manifest_hook
def addon_manifest() -> Manifest:
    return Manifest(
        name="xmas",
        version="1.0.0",
        package="bodega_xmas",
        summary="Everything at half its price",
        depends=("products", "gift_cards"),
    )
