"""Mails: received by a mail server, in the person's language, with one Message-ID."""

import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from bodega.database.tables import JobRow, MailRow
from bodega_notifications import api
from bodega_notifications.models import Delivery
from bodega_sdk import now


@dataclass
class Post:
    """What a mail server was brought, and what it says to the next ones."""

    answers: list[str] = field(default_factory=list)
    brought: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.brought.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.answers.pop(0) if self.answers else "250 taken"


@pytest.fixture
def post(post_to: Any) -> Iterator[Post]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = Post(port=free.getsockname()[1])
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    post_to(found.port)
    yield found
    controller.stop()


FAILED = {"filename": "Lampen <1>.csv", "message": "Zeile 3 & 4"}


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("language", "subject", "shown"),
    [
        ("de", "Lampen <1>.csv konnte nicht importiert werden", "Der Grund"),
        ("de-AT", "Lampen <1>.csv konnte nicht importiert werden", "Der Grund"),
        ("en", "Lampen <1>.csv could not be imported", "The reason"),
        ("tlh", "Lampen <1>.csv could not be imported", "The reason"),
        (None, "Lampen <1>.csv could not be imported", "The reason"),
        ({"odd": "../../x"}, "Lampen <1>.csv could not be imported", "The reason"),
    ],
)
def test_a_mail_has_text_and_html_in_the_persons_language(
    person: Any, post: Post, jobs: Any, language: Any, subject: str, shown: str
) -> None:
    vera = person("vera", preferences={"language": language})
    api.notify([vera.id], "import.failed", FAILED)
    jobs.run_all()
    (mail,) = post.brought
    assert (mail["To"], mail["Subject"]) == (vera.email, subject)
    text, html = body(mail, "plain"), body(mail, "html")
    assert f"{shown}: Zeile 3 & 4" in text
    assert f"{shown}: <strong>Zeile 3 &amp; 4</strong>" in html
    assert "Lampen &lt;1&gt;.csv" in html
    assert "<1>" not in html


def test_the_shops_language_is_that_of_those_who_prefer_none(
    vera: Any, post: Post, jobs: Any, set_to: Any
) -> None:
    set_to("language", "de")
    set_to("preferences_link", "https://shop.example/me")
    api.notify([vera.id], "import.failed", FAILED)
    jobs.run_all()
    (mail,) = post.brought
    assert mail["Subject"].endswith("konnte nicht importiert werden")
    assert "https://shop.example/me" in body(mail, "plain")
    assert 'href="https://shop.example/me"' in body(mail, "html")


def test_all_tries_of_a_mail_have_one_message_id(vera: Any, post: Post, jobs: Any) -> None:
    post.answers = ["451 later", "451 later"]
    api.notify([vera.id], "import.failed", FAILED)
    for _ in range(3):
        JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
        jobs.run_all(failures=True)
    assert len(post.brought) == 3
    assert {mail["Message-ID"] for mail in post.brought} == {MailRow.get().message_id}
    assert MailRow.get().status == "sent"
    assert vera.sent("email")[0].mail == MailRow.get().id


def test_line_breaks_in_what_is_told_make_no_headers(vera: Any, post: Post, jobs: Any) -> None:
    evil = "a\r\nBcc: eve@shop.example\r\n\r\nHello\u2028\x00"
    api.notify(
        [vera.id], "import.failed", {"filename": evil.replace("\0", ""), "message": evil[:-1]}
    )
    jobs.run_all()
    (mail,) = post.brought
    assert mail["Bcc"] is None
    assert mail["Subject"] == "a Bcc: eve@shop.example Hello could not be imported"


def test_a_digest_arrives_as_one_mail(vera: Any, post: Post, jobs: Any, clock: Any) -> None:
    vera.prefer(types={"import.failed": {"digest": "hourly"}})
    for number in (1, 2):
        api.notify([vera.id], "import.failed", FAILED | {"filename": f"<b>{number}</b>"})
    clock.move(minutes=61)
    jobs.run_all()
    (mail,) = post.brought
    assert mail["Subject"] == "2 notifications"
    assert "<b>1</b> could not be imported" in body(mail, "plain")
    assert "&lt;b&gt;2&lt;/b&gt; could not be imported" in body(mail, "html")


def test_an_address_that_no_mail_goes_to_fails_alone(person: Any, vera: Any, mailbox: Any) -> None:
    odd = person("odd")
    odd.account.email = "not an address"
    odd.account.save()
    api.notify([odd.id, vera.id], "import.failed", FAILED)
    assert [mail.to for mail in mailbox] == [vera.email]
    failed = Delivery.get(Delivery.status == "failed")
    assert (failed.account, odd.unread) == (odd.id, 1)
    assert "ada@shop.example" in failed.error


def test_without_a_mail_server_mails_are_kept_to_be_read(
    vera: Any, mailbox: Any, jobs: Any
) -> None:
    api.notify([vera.id], "import.failed", FAILED)
    jobs.run_all()
    assert MailRow.get().status == "kept"
    (mail,) = mailbox.to(vera.email)
    assert mail.text
    assert mail.html
