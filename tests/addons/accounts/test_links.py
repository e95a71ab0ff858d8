"""The links of a profile: other addons say what they keep of somebody."""

from typing import Any

from bodega.addons import lifecycle
from bodega_sdk.testing.client import Client

LINKING = """
@hookimpl
def account_links(links, account_id):
    return links | {"points": f"/api/v1/points?account={account_id}"}
"""


def test_an_addon_adds_its_link_to_everybodys_profile_until_it_is_disabled(
    admin: Client, addon: Any, shop: Any
) -> None:
    before = admin.get("/api/v1/auth/me").expect(200)
    assert before["links"].keys() == {"addresses", "sessions"}
    addon("points", LINKING, ("accounts",))
    after = admin.get("/api/v1/auth/me").expect(200)["links"]
    assert after == before["links"] | {"points": f"/api/v1/points?account={before['id']}"}
    lifecycle.disable(shop, "points")
    shop.refresh()
    assert admin.get("/api/v1/auth/me").expect(200)["links"] == before["links"]
