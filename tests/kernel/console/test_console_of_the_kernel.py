"""What the kernel's pages of the console show."""

from typing import Any

from tests.kernel.console.browser import SCRIPT, Browser, Document, assert_no_script_of_theirs

from bodega.database.outbox import relay
from bodega.database.tables import JobRow
from bodega.processes import this_process
from bodega.shop import Shop
from bodega_sdk import uuid7


def test_the_overview_tells_how_the_shop_is_doing(notes_shop: Shop) -> None:
    notes_shop.register.beat(this_process("web", notes_shop.assembly.generation))
    relay(notes_shop.databases.shop)
    page = Document(Browser(notes_shop).as_("admin").get().text).text
    assert "notes enabled 1.2.0 Notes that anybody reads and some write" in page
    assert "No worker lives: jobs wait." in page
    assert "note.created" in page
    assert "queued 1 running 0 parked 0 succeeded 0 dead 0 cancelled 0" in page


def test_jobs_are_shown_with_progress_attempts_and_errors(notes_shop: Shop) -> None:
    job(status="running", done=30, total=120, attempts=1)
    job(status="dead", attempts=5, error=f"It broke: {SCRIPT} " + "x" * 1000)
    admin = Browser(notes_shop).as_("admin")
    for path in ("/jobs", ""):
        answer = admin.get(path)
        page = Document(answer.text)
        assert "30 of 120" in page.text
        assert "5 of 5" in page.text
        assert "It broke: <script>" in page.text
        assert "x" * 300 not in page.text
        assert_no_script_of_theirs(answer.text)
    (progress,) = page.all("progress")
    assert (progress["max"], progress["value"]) == ("120", "30")
    only = Document(admin.get("/jobs?status=dead").text).text
    assert "5 of 5" in only
    assert "30 of 120" not in only


def test_jobs_come_in_portions(notes_shop: Shop) -> None:
    JobRow.delete().execute()
    for number in range(101):
        job(name=f"notes.number_{number:03}")
    admin = Browser(notes_shop).as_("admin")
    found, path = [], "/console/jobs?status=queued"
    while path:
        answer = admin.call("GET", path)
        page = Document(answer.text)
        found.append(answer.text.count("notes.number_"))
        (path, *_) = [item["href"] for item in page.all("a") if item.get("rel") == "next"] or [""]
    assert found == [50, 50, 1]
    assert "status=queued" in str([item["href"] for item in page.all("a")])


def test_counts_go_only_as_far_as_they_say(notes_shop: Shop) -> None:
    rows = [
        {"id": uuid7(), "name": "notes.x", "lane": "default", "payload": {}, "max_attempts": 1}
        for _ in range(1100)
    ]
    JobRow.insert_many(rows).execute()
    assert "queued more than 1,000" in Document(Browser(notes_shop).as_("admin").get().text).text


def test_events_come_in_portions_newest_first(notes_shop: Shop, site: Any) -> None:
    event = site.module("notes", "writing").note_created
    for number in range(60):
        event.publish(f"key {number:02}", {"title": SCRIPT, "long": "y" * 1000})
    relay(notes_shop.databases.shop)
    admin = Browser(notes_shop).as_("admin")
    first, second = admin.get("/events"), admin.get("/events?page=2")
    assert_no_script_of_theirs(first.text)
    assert first.text.count("note.created") == 50
    assert first.text.index("key 59") < first.text.index("key 10")
    assert "key 09" not in first.text
    assert "key 09" in second.text
    assert "y" * 400 not in first.text
    assert [item["href"] for item in Document(second.text).all("a") if "rel" in item] == [
        "/console/events?page=1"
    ]


def test_processes_are_shown_with_their_generation(empty_shop: Shop) -> None:
    current = empty_shop.assembly.generation
    empty_shop.register.beat(this_process("worker", current))
    empty_shop.register.beat(this_process("web", current - 1))
    answer = Browser(empty_shop).as_("admin").get("/processes")
    assert f'<span class="badge good">{current}</span>' in answer.text
    assert f'<span class="badge warning">{current - 1}</span>' in answer.text
    assert "No worker lives" not in answer.text


def test_unknown_parameters_and_bad_values_are_refused(browser: Browser) -> None:
    admin = browser.as_("admin")
    for query, told in (
        ("colour=red", "this address knows: page, status"),
        ("page=0", "Must be at least 1"),
        ("page=101", "Must be at most 100"),
        ("page=x", "Expected a whole number"),
        ("status=odd", "Expected one of: queued"),
        ("page=1&page=2", "Must be sent once only"),
        (f"{SCRIPT}=1", "Unknown query parameter"),
    ):
        answer = admin.get(f"/jobs?{query}")
        assert answer.status_code == 400
        assert told in Document(answer.text).text
        assert_no_script_of_theirs(answer.text)


def job(**values: Any) -> JobRow:
    """Write a job down."""
    given = {"name": "notes.count_words", "lane": "default", "payload": {}, "max_attempts": 5}
    row: JobRow = JobRow.create(**(given | values))
    return row
