"""One's own inbox: what is read, deleted and counted, and that nobody sees another's."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from bodega.database.tables import EventRow
from bodega_notifications import api
from bodega_sdk import uuid7

INBOX = "/api/v1/notifications"


@pytest.fixture
def three(vera: Any) -> list[dict[str, Any]]:
    """Three notifications of Vera's, the newest first."""
    for number, kind in enumerate(("import.failed", "import.completed", "import.failed")):
        api.notify([vera.id], kind, {"filename": f"{number}.csv"})
    found: list[dict[str, Any]] = vera.inbox()
    return found


def counts() -> list[int]:
    """The numbers of unread ones that were published."""
    rows = EventRow.select().where(EventRow.name == "inbox.changed").order_by(EventRow.id)
    return [row.data["unread"] for row in rows]


def test_the_newest_comes_first_and_pages_go_on_by_cursor(vera: Any, three: Any) -> None:
    assert [item["data"]["filename"] for item in three] == ["2.csv", "1.csv", "0.csv"]
    first = vera.client.get(f"{INBOX}?cursor=&page_size=2").expect(200)
    address = urlsplit(first["next"])
    rest = vera.client.get(f"{address.path}?{address.query}")
    assert (first["count"], rest.expect(200)["results"]) == (3, three[2:])


def test_reading_one_counts_it_out(vera: Any, three: Any) -> None:
    path = f"{INBOX}/{three[1]['id']}/read"
    read = vera.client.post(path).expect(200)
    assert read["read_at"] is not None
    assert vera.client.post(path).expect(200)["read_at"] == read["read_at"]
    assert vera.unread == 2
    assert [item["id"] for item in vera.inbox("?unread=false")] == [three[1]["id"]]
    assert len(vera.inbox("?unread=true")) == 2
    assert len(vera.inbox("?type=import.completed")) == 1
    assert counts() == [1, 2, 3, 2]


def test_reading_all_counts_all_out(vera: Any, three: Any, person: Any) -> None:
    otto = person("otto")
    api.notify([otto.id], "import.failed", {})
    assert vera.client.post(f"{INBOX}/read-all").expect(200) == {"read": 3}
    assert vera.client.post(f"{INBOX}/read-all").expect(200) == {"read": 0}
    assert (vera.unread, otto.unread, len(vera.inbox())) == (0, 1, 3)


def test_what_is_deleted_is_gone_and_counted_out(vera: Any, three: Any) -> None:
    path = f"{INBOX}/{three[0]['id']}"
    vera.client.delete(path).expect(204)
    for answer in (
        vera.client.get(path), vera.client.delete(path), vera.client.post(f"{path}/read"),
    ):  # fmt: skip
        answer.expect(404)
    assert (vera.unread, len(vera.inbox())) == (2, 2)
    assert vera.client.get(INBOX).json["count"] == 2


def test_another_persons_notifications_cannot_be_reached(
    vera: Any, three: Any, person: Any, admin: Any
) -> None:
    for other in (person("otto").client, admin):
        assert other.get(INBOX).expect(200)["count"] == 0
        assert other.get(f"{INBOX}/unread-count").expect(200) == {"unread": 0}
        path = f"{INBOX}/{three[0]['id']}"
        unknown = other.get(f"{INBOX}/{uuid7()}")
        assert other.get(path).expect(404)["title"] == unknown.expect(404)["title"]
        other.delete(path).expect(404)
        other.post(f"{path}/read").expect(404)
        other.post(f"{INBOX}/read-all").expect(200)
    assert (vera.unread, len(vera.inbox())) == (3, 3)


def test_nobody_in_particular_and_keys_have_no_inbox(client: Any, admin: Any) -> None:
    for path in (INBOX, f"{INBOX}/unread-count", f"{INBOX}/preferences", f"{INBOX}/targets"):
        client.get(path).expect(401)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "?unread=perhaps", 400),
        ("GET", "?account=1", 400),
        ("GET", "?type=a%00b", 400),
        ("GET", "/not-a-uuid", 404),
        ("POST", "/not-a-uuid/read", 404),
        ("DELETE", "/unread-count", 405),
        ("PUT", "/read-all", 405),
    ],
)
def test_bad_requests_are_refused(vera: Any, method: str, path: str, status: int) -> None:
    vera.client.request(method, f"{INBOX}{path}").expect(status)
