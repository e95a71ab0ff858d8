"""The AsyncAPI document: every event and channel of the enabled addons, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from falcon import testing

from bodega.addons import lifecycle
from bodega.http.gate import Gate

# A document of declarations: no engine has a say in it.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
#: What the objects of AsyncAPI 3.0 may hold, besides extensions (x-…).
MEMBERS = {
    "root": {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations",
             "components"},
    "server": {"host", "protocol", "protocolVersion", "pathname", "description", "title",
               "summary", "variables", "security", "tags", "externalDocs", "bindings"},
    "channel": {"address", "messages", "title", "summary", "description", "servers", "parameters",
                "tags", "externalDocs", "bindings"},
    "operation": {"action", "channel", "title", "summary", "description", "security", "tags",
                  "externalDocs", "bindings", "traits", "messages", "reply"},
    "message": {"headers", "payload", "correlationId", "contentType", "name", "title", "summary",
                "description", "tags", "externalDocs", "bindings", "examples", "traits"},
    "parameter": {"enum", "default", "description", "examples", "location"},
}  # fmt: skip


def references(found: Any) -> Iterator[str]:
    """Yield every ``$ref`` of a document."""
    if isinstance(found, dict):
        if "$ref" in found:
            yield found["$ref"]
        for value in found.values():
            yield from references(value)
    elif isinstance(found, list):
        for value in found:
            yield from references(value)


def resolve(found: Any, reference: str) -> Any:
    """Return what a reference points to."""
    assert reference.startswith("#/"), reference
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def get(shop: Any, **headers: str) -> Any:
    return testing.simulate_get(Gate(shop), "/api/asyncapi", headers=headers)


@pytest.fixture
def shown(notes_shop: Any) -> dict[str, Any]:
    """The document of a shop with the sample addon notes, as it is served."""
    answer = get(notes_shop)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json
    return found


def objects(shown: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every object of the document with its kind."""
    yield "root", shown
    for server in shown["servers"].values():
        yield "server", server
    for channel in shown["channels"].values():
        yield "channel", channel
        for parameter in channel.get("parameters", {}).values():
            yield "parameter", parameter
    for operation in shown["operations"].values():
        yield "operation", operation
    for message in shown["components"]["messages"].values():
        yield "message", message


def test_the_document_has_what_asyncapi_asks_for(shown: dict[str, Any]) -> None:
    assert shown["asyncapi"] == "3.0.0"
    assert shown["info"]["title"]
    assert shown["info"]["version"]
    for kind, found in objects(shown):
        extra = {name for name in found if not name.startswith("x-")} - MEMBERS[kind]
        assert not extra, (kind, extra)
    for operation in shown["operations"].values():
        assert operation["action"] == "send"


def test_every_reference_points_to_something(shown: dict[str, Any]) -> None:
    found = set(references(shown))
    assert "#/components/messages/note.created" in found
    for reference in found:
        assert resolve(shown, reference)


def test_an_operation_sends_messages_of_its_channel(shown: dict[str, Any]) -> None:
    for operation in shown["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_every_event_is_a_message_with_its_version_and_members(
    notes_shop: Any, shown: dict[str, Any]
) -> None:
    messages = shown["components"]["messages"]
    assert messages.keys() == notes_shop.assembly.events.keys()
    note = messages["note.created"]
    assert (note["x-version"], note["x-addon"]) == (1, "notes")
    members = note["payload"]["properties"]
    assert members["name"] == {"const": "note.created"}
    assert members["data"]["properties"].keys() == {"title"}
    for name in messages:
        assert re.fullmatch(r"[\w.-]+", name)
    assert shown["channels"]["log"]["messages"].keys() == messages.keys()
    assert shown["channels"]["log"]["address"] is None


def test_every_channel_is_there_with_its_parameter_and_permission(
    notes_shop: Any, shown: dict[str, Any]
) -> None:
    addresses = [channel["address"] for channel in shown["channels"].values()]
    assert {channel.name for channel in notes_shop.assembly.channels} == set(addresses) - {None}
    channel = shown["channels"]["notes.id"]
    assert channel["address"] == "notes.{id}"
    assert channel["parameters"].keys() == {"id"}
    assert channel["x-permission"] == "notes.follow"
    assert channel["messages"].keys() == {"note.created"}


def test_a_disabled_addon_is_not_in_the_document(notes_shop: Any) -> None:
    lifecycle.disable(notes_shop, "notes")
    notes_shop.refresh()
    text = get(notes_shop).text
    assert "note.created" not in text
    assert "notes.id" not in text


def test_the_document_names_no_other_host(notes_shop: Any) -> None:
    text = get(notes_shop).text
    assert "http://" not in text
    assert "https://" not in text


def test_who_has_the_document_is_not_sent_it_again(notes_shop: Any) -> None:
    tag = get(notes_shop).headers["etag"]
    again = get(notes_shop, **{"If-None-Match": tag})
    assert (again.status_code, again.text) == (304, "")


def test_the_front_page_leads_to_it(notes_shop: Any) -> None:
    assert testing.simulate_get(Gate(notes_shop), "/").json["events"] == "/api/asyncapi"
