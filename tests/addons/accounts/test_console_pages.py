"""The console's pages about people."""

from typing import Any

import pytest

from bodega_accounts.models import Account, ApiKey, Organization
from bodega_sdk import now
from bodega_sdk.testing.client import Client


@pytest.fixture
def page(admin: Client) -> Any:
    def get(path: str, who: Client = admin) -> Any:
        return who.get(f"/console{path}", headers={"Cookie": f"bodega_console={who.token}"})

    return get


def test_accounts_are_listed_with_their_state_and_their_logins(page: Any) -> None:
    organization = Organization.create(name="Acme & Sons")
    for role, active in (("vendor", True), ("user", False)):
        Account.create(
            email=f"{role}@shop.example", role=role, password="-", is_active=active,
            organization=organization, first_name="<b>Vera</b>",
        )  # fmt: skip
    text = page("/users").text
    for shown in ("vendor@shop.example", "Acme &amp; Sons", "&lt;b&gt;Vera", "deactivated"):
        assert shown in text
    assert "not confirmed" in text
    only = page("/users?role=vendor").text
    assert "vendor@shop.example" in only
    assert "user@shop.example" not in only


def test_keys_are_listed_by_their_prefix_and_state(page: Any) -> None:
    owner = Account.get()
    for number, state in enumerate(({}, {"revoked_at": now()}, {"expires_at": now()})):
        ApiKey.create(
            account=owner, name=f"till {number}", prefix=f"bodegakey_{number}", scopes=["a.b"],
            digest=f"digest {number}", **state,
        )  # fmt: skip
    text = page("/api-keys").text
    for shown in ("bodegakey_0…", "till 1", owner.email, "revoked", "expired"):
        assert shown in text
    assert "digest" not in text


def test_only_who_may_see_accounts_sees_them(page: Any, client: Client) -> None:
    for path in ("/users", "/api-keys"):
        assert page(path, client.as_user("vendor")).status_code == 403
        assert page(path, client.as_user("staff")).status_code == 200
