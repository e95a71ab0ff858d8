"""Mail that one process writes and another sends, which is killed right after it did."""

import asyncio
import os
import signal
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from bodega.database.tables import MailRow
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import send_mail
from bodega_sdk.runtime import bound
from bodega_sdk.testing.deployment import Deployment, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


class Post:
    """A mail server that takes a mail and is slow to say so, the first time."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.ids.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        if len(self.ids) == 1:
            await asyncio.sleep(30)
        return "250 taken"


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    found = Post()
    controller = Controller(found, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield found, controller.port
    controller.stop()


def test_a_mail_whose_worker_is_killed_while_it_is_handed_over_is_sent_again(
    deployment: Deployment, post: tuple[Post, int]
) -> None:
    server, port = post
    deployment.environ |= {
        "BODEGA_SMTP_URL": f"smtp://127.0.0.1:{port}?starttls=off",
        "BODEGA_MAIL_FROM": "Shop <shop@shop.example>",
        "BODEGA_JOB_LEASE": "1",
    }
    made = deployment.command("migrate")
    assert made.returncode == 0, made.stderr
    shop = Shop(read_settings(deployment.environ), connections=2)
    shop.refresh()
    with bound(shop.current):
        mail_id = send_mail("ada@shop.example", "Hello", "text")
    first = deployment.start("worker")
    deployment.wait_until(lambda: len(server.ids) == 1)
    os.kill(first.pid, signal.SIGKILL)
    deployment.start("worker")
    deployment.wait_until(lambda: MailRow.get_by_id(mail_id).status == "sent")
    row = MailRow.get_by_id(mail_id)
    assert server.ids == [row.message_id] * 2
    assert (row.attempts, row.body) == (2, None)
    shop.databases.close()
