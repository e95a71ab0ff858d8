"""Templates: data that cannot act, in the best language, worded anew by operators and addons."""

from pathlib import Path
from typing import Any

import pytest

from bodega_notifications import api, finding, kinds
from bodega_notifications.first_party import TYPES
from bodega_notifications.kinds import NotificationType
from bodega_notifications.rendering import as_digest, preview, render
from bodega_notifications.wording import Message, fill, fill_html, one_line, paragraphs
from bodega_sdk import folder

TEMPLATES = "/api/v1/notifications/templates"
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
def worded(shop: Any) -> Any:
    """Word something anew, as an operator does."""
    place = folder("notifications") / "templates"
    place.mkdir(parents=True, exist_ok=True)

    def write(name: str, text: str) -> Path:
        path = place / f"{name}.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_type_of_the_house_is_worded_in_every_language(
    shop: Any, kind: NotificationType, language: str
) -> None:
    message, template = preview(kind, language)
    assert (template.language, template.origin) == (language, "house")
    assert message.title
    for part in (message.text, message.html):
        assert part
        assert "{{" not in part
        assert "None" not in part
    assert f'lang="{language}"' in message.html


def test_administrators_see_previews_and_nobody_else_does(admin: Any, person: Any) -> None:
    listed = admin.get(TEMPLATES).expect(200)["types"]
    names = {item["type"]: item["languages"] for item in listed}
    assert names["import.failed"] == {"de": "house", "en": "house"}
    path = f"{TEMPLATES}/import.failed/preview"
    text = admin.get(f"{path}?language=de").expect(200)
    assert (text["format"], text["language"], text["origin"]) == ("text", "de", "house")
    assert text["subject"] == "lamps.csv konnte nicht importiert werden"
    html = admin.get(f"{path}?language=de-CH&format=html").expect(200)
    assert html["content"].startswith("<!doctype html>")
    for who in (person("staff", "staff"), person("user")):
        who.client.get(path).expect(403)
        who.client.get(TEMPLATES).expect(403)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("no.such/preview", 404),
        ("import.failed/preview?language=../../etc", 422),
        ("import.failed/preview?language=a", 422),
        ("import.failed/preview?format=pdf", 400),
        ("..%2f..%2fetc%2fpasswd/preview", 404),
    ],
)
def test_bad_previews_are_refused(admin: Any, query: str, status: int) -> None:
    admin.get(f"{TEMPLATES}/{query}").expect(status)


def test_the_console_and_the_command_show_previews(admin: Any, run: Any) -> None:
    cookie = {"Cookie": f"bodega_console={admin.token}"}
    page = admin.get("/console/notifications/templates", headers=cookie).text
    assert "import.failed" in page
    path = "/console/notifications/templates?type=import.failed&language=de"
    page = admin.get(path, headers=cookie).text
    assert "lamps.csv konnte nicht importiert werden" in page
    assert "&lt;!doctype html&gt;" in page
    assert run("preview", "import.failed", "--language", "de").startswith("Subject: lamps.csv konn")
    assert run("preview", "import.failed", "--html").startswith("<!doctype html>")


def test_an_operators_wording_comes_before_ours(vera: Any, worded: Any, mailbox: Any) -> None:
    path = worded("import.failed.en", 'title = "Oh no, {{ filename }}"\ntext = "Sorry."\n')
    assert api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    assert vera.inbox()[0]["title"] == "Oh no, a.csv"
    path.write_text('title = "Changed"\ntext = "Sorry."\nlink = "/imports/{{ id }}"\n')
    api.notify([vera.id], "import.failed", {"id": "7"})
    newest = vera.inbox()[0]
    assert (newest["title"], newest["link"]) == ("Changed", "/imports/7")
    assert "http://127.0.0.1:8000/imports/7" in mailbox.to(vera.email)[-1].text


EVIL = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ filename.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ filename | attr('__class__') }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(filename) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ items.append(1) }}",
    "{{ filename",
    "{% for %}",
    "{{ 1 / 0 }}",
)


@pytest.mark.parametrize("source", EVIL)
def test_templates_cannot_execute_code_and_give_way_to_the_next(
    admin: Any, vera: Any, worded: Any, source: str
) -> None:
    worded("import.failed.en", f"title = 'x'\ntext = '''{source}'''\n")
    api.notify([vera.id], "import.failed", {"filename": "a.csv", "items": [1]})
    (found,) = vera.inbox()
    assert found["title"] == "a.csv could not be imported"
    assert "root:" not in found["text"]
    answer = admin.get(f"{TEMPLATES}/import.failed/preview")
    assert "The template of import.failed fails" in answer.expect(422)["errors"][0]["message"]


@pytest.mark.parametrize(
    "text",
    ["title = ", 'title = "x"', 'title = 3\ntext = "x"', 'title="x"\ntext="x"\nmore="x"', "\xff"],
)
def test_a_file_that_is_no_template_is_told_of_and_left_out(
    admin: Any, vera: Any, worded: Any, text: str
) -> None:
    path = worded("import.failed.en", "")
    path.write_bytes(text.encode("latin-1"))
    api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    assert vera.inbox()[0]["title"] == "a.csv could not be imported"
    answer = admin.get(f"{TEMPLATES}/import.failed/preview").expect(422)
    assert "import.failed.en.toml of the operator" in answer["errors"][0]["message"]


def test_a_broken_frame_gives_way_to_ours(vera: Any, worded: Any, mailbox: Any) -> None:
    worded("layout.en", "title = 'x'\ntext = '{{ 1 / 0 }}'\n")
    worded("digest.en", "title = ")
    api.notify([vera.id], "import.failed", {"filename": "a.csv"})
    assert "--\nhttp://127.0.0.1:8000" in mailbox.to(vera.email)[0].text
    assert as_digest([(Message("a", "b"), "")] * 2, "en").title == "2 notifications"


def test_html_is_escaped_wherever_it_comes_from(shop: Any) -> None:
    evil = "<script>alert(1)</script>"
    for kind in TYPES:
        data = dict.fromkeys(kind.sample, evil) | {"members": [evil]}
        message, _ = render(kind, "en", data)
        assert evil not in message.html
    digest = as_digest([(Message(evil, evil), "/x"), (Message("b", evil), "")], "en")
    assert "<script>" not in digest.html
    assert "&lt;script&gt;" in digest.html
    assert fill_html("{{ a }}", {"a": '"><b>'}) == "&#34;&gt;&lt;b&gt;"
    assert paragraphs(f"{evil}\n\nb\nc") == (
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n<p>b<br>\nc</p>\n"
    )


@pytest.mark.parametrize(
    ("link", "found"),
    [("javascript:alert(1)", ""), ("data:text/html,x", ""), ("/a/7", "/a/7"),
     ("https://shop.example/7", "https://shop.example/7"), ("", "")],
)  # fmt: skip
def test_a_link_is_an_address_of_the_web(shop: Any, link: str, found: str) -> None:
    kind = NotificationType("note.made", "A note", text="x", link="{{ link }}")
    assert render(kind, "en", {"link": link})[1] == found


def test_a_type_without_files_is_worded_by_itself(shop: Any) -> None:
    kind = NotificationType("note.made", "A note", heading="Note {{ n }}", text="{{ n }}!")
    message, _ = render(kind, "de", {"n": 3})
    assert (message.title, message.text) == ("Note 3", "3!")
    bare = NotificationType("note.made", "A note")
    assert render(bare, "de", {})[0] == Message("A note", "A note")


def test_titles_are_one_line_of_bounded_length(shop: Any) -> None:
    assert one_line("a\r\nb\t\u2028 c\x00") == "a b c"
    assert len(one_line("x" * 5000)) == 200
    assert len(fill("{{ a }}", {"a": "x" * 50_000})) == 20_000


def test_languages_fall_back_step_by_step(shop: Any, set_to: Any) -> None:
    assert finding.languages_for("zh-Hant-TW") == ["zh-Hant-TW", "zh-Hant", "zh", "en"]
    set_to("language", "fr-CA")
    assert finding.languages_for("de") == ["de", "fr-CA", "fr", "en"]
    assert finding.languages_for({"x": 1}) == ["fr-CA", "fr", "en"]


@pytest.mark.parametrize(
    "fields",
    [{"name": "x"}, {"name": "../x.y"}, {"name": "A.b"}, {"channels": ("pigeon",)},
     {"event": "notification.created"}, {"event": "inbox.changed"}],
)  # fmt: skip
def test_a_type_that_cannot_be_is_refused(shop: Any, fields: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|itself"):
        NotificationType(**{"name": "a.b", "title": "A"} | fields)
    assert kinds.CHANNELS[-1] == "team"
