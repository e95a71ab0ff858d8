"""``Idempotency-Key``: a request that is sent again happens once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bodega.database.tables import AnswerRow, EventRow
from bodega.http import idempotency
from bodega.jobs.sweeper import Sweeper
from bodega_products.models import Product
from bodega_sdk import now
from bodega_sdk.runtime import bound

PATH = "/api/v1/products"
LAMP = {"name": "Lamp", "sku": "L-1", "price": "9.99"}
KEY = "0b1f7f0e-7f0a-4a7e-9a3e-9f6f0f6f0c11"


def send(client: Any, body: Any = LAMP, key: str = KEY, path: str = PATH) -> Any:
    return client.post(path, json=body, headers={"Idempotency-Key": key})


def test_a_request_sent_again_is_answered_as_before_and_changes_nothing(admin: Any) -> None:
    first, again = send(admin), send(admin)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert Product.select().count() == 1
    assert EventRow.select().where(EventRow.name == "product.created").count() == 1


def test_it_is_answered_as_before_when_the_row_has_changed_since(admin: Any) -> None:
    first = send(admin)
    admin.patch(f"{PATH}/{first.json['id']}", json={"name": "Lantern"})
    assert send(admin).json["name"] == "Lamp"
    admin.delete(f"{PATH}/{first.json['id']}")
    assert send(admin).status_code == 201
    assert Product.select().where(Product.deleted_at.is_null()).count() == 0


def test_without_a_key_or_with_another_one_it_is_another_request(admin: Any) -> None:
    send(admin)
    assert admin.post(PATH, json=LAMP).status_code == 409
    assert send(admin, key="another").status_code == 409
    assert send(admin, LAMP | {"sku": "L-2"}, "another").status_code == 201


def test_a_key_is_its_senders_own(admin: Any, client: Any) -> None:
    first = send(admin)
    vendor = admin.as_user("staff")
    theirs = send(vendor, LAMP | {"sku": "L-2"})
    assert theirs.status_code == 201
    assert theirs.json["id"] != first.json["id"]
    assert send(client).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [(PATH, LAMP | {"price": "1.00"}), ("/api/v1/categories", {"name": "Lamp"})],
)
def test_a_key_sent_with_another_request_is_refused(admin: Any, path: str, body: Any) -> None:
    send(admin)
    refused = send(admin, body, path=path)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "Idempotency-Key"
    assert refused.json["errors"][0]["found"] == KEY


@pytest.mark.parametrize("key", ["", "x" * 256, "ein Schlüssel", "\x7f"])
def test_a_key_that_is_none_is_refused(admin: Any, key: str) -> None:
    refused = send(admin, key=key)
    assert refused.status_code == 400
    assert refused.json["errors"][0]["field"] == "Idempotency-Key"
    assert Product.select().count() == 0


def test_what_was_refused_is_mended_and_sent_with_the_same_key(admin: Any) -> None:
    assert send(admin, LAMP | {"category": "none"}).status_code == 422
    assert send(admin).status_code == 201


def test_what_is_sent_many_times_at_once_happens_once(admin: Any, shop: Any) -> None:
    def one(number: int) -> int:
        # Each thread has its own connection.
        with bound(shop.current):
            status: int = send(admin).status_code
            shop.databases.close()
            return status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(24)))
    assert Product.select().count() == 1
    assert set(found) <= {201, 409}
    assert 201 in found
    assert send(admin).status_code == 201


def test_the_answer_is_kept_in_the_transaction_of_the_change(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*told: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_keep", dies)
        with pytest.raises(KeyboardInterrupt):
            send(admin)
    assert Product.select().count() == 0
    assert send(admin).status_code == 201


def test_a_kept_answer_cannot_be_read_in_the_database(admin: Any) -> None:
    made = send(admin, {"name": "till", "scopes": ["accounts.read"]}, path="/api/v1/api-keys")
    assert made.status_code == 201
    (row,) = AnswerRow.select()
    shown = str(row.__data__)
    assert made.json["key"] not in shown
    assert KEY not in shown
    again = send(admin, {"name": "till", "scopes": ["accounts.read"]}, path="/api/v1/api-keys")
    assert again.json["key"] == made.json["key"]


def test_an_answer_that_was_sealed_with_another_secret_key_is_not_kept(admin: Any) -> None:
    first = send(admin)
    sealed = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    AnswerRow.update(answer=sealed).execute()
    assert send(admin).expect(409)["errors"][0]["field"] == "sku"
    admin.delete(f"{PATH}/{first.json['id']}").expect(204)
    assert "idempotency-replayed" not in send(admin).headers
    assert send(admin).headers["idempotency-replayed"] == "true"


def test_many_products_sent_again_are_made_once(admin: Any) -> None:
    body = {"products": [LAMP, LAMP | {"sku": "L-2"}]}
    first = send(admin, body, path=f"{PATH}/bulk")
    again = send(admin, body, path=f"{PATH}/bulk")
    assert again.content == first.content
    assert first.expect(200)["created"] == 2
    assert again.headers["idempotency-replayed"] == "true"


def test_after_a_day_a_key_is_free_again(admin: Any, shop: Any) -> None:
    send(admin)
    AnswerRow.update(at=now() - timedelta(hours=25)).execute()
    assert send(admin, LAMP | {"sku": "L-2"}).status_code == 201
    assert AnswerRow.select().count() == 1
    AnswerRow.update(at=now() - timedelta(hours=25)).execute()
    Sweeper(shop).sweep()
    assert AnswerRow.select().count() == 0


def test_the_documentation_says_which_routes_take_a_key(client: Any) -> None:
    paths = client.get("/api/schema").json["paths"]
    names = [item["name"] for item in paths[PATH]["post"]["parameters"]]
    assert names == ["Idempotency-Key"]
    assert "Idempotency-Key" not in str(paths["/api/v1/auth/login"])
    assert "Idempotency-Key" not in str(paths[f"{PATH}/{{id}}"])
