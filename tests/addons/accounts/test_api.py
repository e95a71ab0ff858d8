"""What other addons learn of people: who they are, and who holds a permission."""

from typing import Any

from bodega.shop import Shop
from bodega_accounts import api
from bodega_accounts.models import Account
from bodega_sdk import uuid7


def make(name: str, role: str = "user", **members: Any) -> Account:
    account: Account = Account.create(
        email=f"{name}@shop.example", role=role, password="-", **members
    )
    return account


def test_people_are_found_by_their_ids_in_one_query(shop: Shop) -> None:
    vera = make("vera", first_name="Vera", last_name="V.", phone="030 1")
    otto = make("otto", preferences={"language": "de"}, is_active=False)
    found = api.people([vera.id, otto.id, vera.id, uuid7()])
    assert found == {
        vera.id: api.Person(vera.id, "vera@shop.example", "Vera V.", "030 1", "user", True),
        otto.id: api.Person(
            otto.id, "otto@shop.example", "", "", "user", False, {"language": "de"}
        ),
    }
    assert api.people([]) == {}


def test_who_holds_a_permission_is_active_and_of_a_role_that_has_it(shop: Shop) -> None:
    (admin,) = Account.select().where(Account.role == "admin")
    staff = make("staff", "staff")
    make("retired", "staff", is_active=False)
    make("vera")
    assert api.holders_of("accounts.read") == sorted([admin.id, staff.id])
    assert api.holders_of("accounts.write") == [admin.id]
    assert api.holders_of("no.such") == []
