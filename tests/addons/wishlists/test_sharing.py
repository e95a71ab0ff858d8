"""Public links: made, seen by whoever has them, remade and revoked."""

from typing import Any

LISTS = "/api/v1/wishlists"


def share(person: Any, wishlist: str) -> str:
    """Share a list; return the token."""
    return str(person.client.post(f"{LISTS}/{wishlist}/share").expect(200)["token"])


def test_whoever_has_the_link_sees_what_is_for_sale_and_no_personal_data(
    vera: Any, client: Any, admin: Any, lamp: str, make_product: Any, make_variant: Any
) -> None:
    large = make_variant(lamp, Size="L")
    wishlist = vera.wish(product=lamp, note="For Ada's birthday")["wishlist"]
    vera.wish(variant=large)
    hidden, gone = make_product("Hidden"), make_product("Gone")
    vera.wish(product=hidden)
    vera.wish(product=gone)
    admin.patch(f"/api/v1/products/{hidden}", {"is_active": False}).expect(200)
    admin.delete(f"/api/v1/products/{gone}").expect(204)
    token = share(vera, wishlist)
    shown = client.get(f"{LISTS}/shared/{token}")
    assert shown.expect(200) == {
        "name": "Wishlist",
        "items": [
            {"product": lamp, "variant": None, "name": "Lamp", "slug": "lamp", "options": {},
             "price": "9.99", "currency": "USD"},
            {"product": lamp, "variant": large, "name": "Lamp", "slug": "lamp",
             "options": {"Size": "L"}, "price": "9.99", "currency": "USD"},
        ],
    }  # fmt: skip
    for secret in (vera.id, "vera", "Ada", wishlist, token):
        assert secret not in shown.text


def test_a_link_cannot_be_guessed_and_is_told_to_its_owner_again(vera: Any, lamp: str) -> None:
    wishlist = vera.wish(product=lamp)["wishlist"]
    token = share(vera, wishlist)
    assert len(token) >= 43
    [shown] = vera.lists
    assert shown["link"].endswith(f"{LISTS}/shared/{token}")


def test_a_link_that_was_remade_or_revoked_is_no_longer_good(
    vera: Any, client: Any, lamp: str
) -> None:
    wishlist = vera.wish(product=lamp)["wishlist"]
    first, second = share(vera, wishlist), share(vera, wishlist)
    assert first != second
    client.get(f"{LISTS}/shared/{first}").expect(404)
    client.get(f"{LISTS}/shared/{second}").expect(200)
    for _ in range(2):
        vera.client.delete(f"{LISTS}/{wishlist}/share").expect(204)
    client.get(f"{LISTS}/shared/{second}").expect(404)
    assert vera.lists[0]["link"] is None


def test_what_is_no_link_is_not_found(client: Any) -> None:
    for token in ("x", "-" * 43, "é", "x" * 3000):
        client.get(f"{LISTS}/shared/{token}").expect(404)


def test_eight_who_share_one_list_at_once_leave_one_good_link(
    vera: Any, client: Any, lamp: str, at_once: Any
) -> None:
    wishlist = vera.wish(product=lamp)["wishlist"]
    tokens = at_once(*[lambda: share(vera, wishlist)] * 8)
    good = [token for token in tokens if client.get(f"{LISTS}/shared/{token}").status_code == 200]
    assert len(good) == 1


def test_links_go_to_the_shop_s_own_page_where_it_has_one(
    vera: Any, lamp: str, set_to: Any
) -> None:
    set_to("share_link", "https://shop.example/wishes/{token}")
    wishlist = vera.wish(product=lamp)["wishlist"]
    made = vera.client.post(f"{LISTS}/{wishlist}/share").expect(200)
    assert made["url"] == f"https://shop.example/wishes/{made['token']}"
