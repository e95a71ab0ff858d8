"""Vendors import for their own organization, and see no other's imports."""

from typing import Any

import pytest

from bodega_accounts import sessions
from bodega_accounts.models import Account, Organization
from bodega_products.models import Product
from bodega_sdk import transaction
from bodega_sdk.testing.client import Client

IMPORTS = "/api/v1/imports"


@pytest.fixture
def vendor_of(client: Client) -> Any:
    """Return a client of a vendor of an organization."""

    def make(name: str) -> Client:
        organization = Organization.create(name=name)
        account = Account.create(
            email=f"{name}@shop.example", role="vendor", password="-", preferences={},
            organization=organization,
        )  # fmt: skip
        with transaction():
            pair = sessions.begin(account, "127.0.0.1", "test")
        return Client(client.gate, client.shop, pair["access"])

    return make


def send(who: Client, text: str) -> dict[str, Any]:
    answer = who.post(IMPORTS, body=text.encode(), headers={"Content-Type": "text/csv"})
    found: dict[str, Any] = answer.expect(202)
    return found


def test_a_vendors_file_writes_their_own_products_only(
    vendor_of: Any, admin: Client, worker: Any
) -> None:
    send(admin, "sku,name,price\nshop-1,Of the shop,1.00\n")
    worker.run()
    acme = vendor_of("acme")
    run = send(acme, "sku,name,price\nshop-1,Taken,2.00\nacme-1,Ours,3.00\n")
    worker.run()
    done = acme.get(f"{IMPORTS}/{run['id']}").expect(200)
    assert (done["status"], done["created"], done["errors"]) == ("completed", 1, 1)
    (bad,) = acme.get(f"{IMPORTS}/{run['id']}/errors").expect(200)["results"]
    assert (bad["line"], bad["column"]) == (2, "sku")
    assert "not your organization's" in bad["reason"]
    names = dict(Product.select(Product.sku, Product.name).tuples())
    assert names == {"shop-1": "Of the shop", "acme-1": "Ours"}


def test_nobody_sees_the_imports_of_another_organization(
    vendor_of: Any, admin: Client, worker: Any
) -> None:
    acme, bolt = vendor_of("acme"), vendor_of("bolt")
    run = send(acme, "sku,name,price\nacme-1,,3.00\n")
    worker.run()
    assert acme.get(IMPORTS).json["count"] == admin.get(IMPORTS).json["count"] == 1
    assert bolt.get(IMPORTS).json["count"] == 0
    for path in (f"{IMPORTS}/{run['id']}", f"{IMPORTS}/{run['id']}/errors"):
        bolt.get(path).expect(404)
        acme.get(path).expect(200)


def test_a_vendor_of_no_organization_imports_nothing(client: Client) -> None:
    nobody = client.as_user("vendor")
    answer = nobody.post(IMPORTS, body=b"sku\n1\n", headers={"Content-Type": "text/csv"})
    assert "no organization" in answer.expect(403)["detail"]


def test_what_the_sender_may_not_write_is_refused(vendor_of: Any, worker: Any) -> None:
    vendor = vendor_of("acme")
    for text, needed in (
        ("sku,name,price,cost\nA,Lamp,1.00,0.50\n", "products.read_cost"),
        ("sku,name,price,is_featured\nA,Lamp,1.00,true\n", "products.moderate"),
    ):
        begun = send(vendor, text)
        worker.run()
        found = vendor.get(f"{IMPORTS}/{begun['id']}").expect(200)
        assert (found["status"], needed in found["message"]) == ("failed", True)
