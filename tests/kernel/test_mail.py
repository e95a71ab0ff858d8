"""Mail: a row that is sent after the commit, to a real mail server, or kept to be read."""

import contextlib
import email
import email.policy
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bodega.addons import lifecycle
from bodega.cli import bodega
from bodega.cli.context import Context
from bodega.database.connection import is_postgres
from bodega.database.tables import AuditRow, JobRow, MailRow
from bodega.editions import Edition
from bodega.errors import ConfigurationError
from bodega.http.gate import Gate
from bodega.jobs import leases
from bodega.jobs.sweeper import Sweeper
from bodega.mail.jobs import ATTEMPTS
from bodega.mail.servers import read_server
from bodega.settings import read_settings
from bodega.shop import Shop
from bodega_sdk import now, send_mail, transaction
from bodega_sdk.errors import InvalidInput
from bodega_sdk.runtime import bound
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.working import run_due

LINK = "https://shop.example/reset?token=4f9c-never-in-the-table"
ADA = "ada@shop.example"
SENDER = "Bodega Café <shop@shop.example>"
ONE_ENGINE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@dataclass
class Post:
    """What a mail server took, and what it says to the next ones."""

    answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    tried: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.tried.append(found)
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.taken.append(found)
            over = server.transport.get_extra_info("ssl_object")
            self.encrypted.append(over is not None)
        return answer

    def authenticate(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> Any:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss:word", handled=False)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(post: Post, port: int = 0, **options: Any) -> Iterator[int]:
    """Run a mail server on 127.0.0.1; yield its port."""
    controller = Controller(post, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def bare_shop(new_shop: Shop) -> Iterator[Shop]:
    """A started shop without any addon, bound to the test."""
    lifecycle.prepare(new_shop, Edition("test", ()))
    new_shop.refresh()
    with bound(new_shop.current):
        yield new_shop


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def sending(bare_shop: Shop, post: Post) -> Iterator[Shop]:
    """A shop that sends mail to a server without encryption."""
    with serving(post) as port:
        use(bare_shop, f"smtp://127.0.0.1:{port}?starttls=off")
        yield bare_shop


def use(shop: Shop, url: str) -> None:
    shop.settings = replace(shop.settings, smtp_url=url, mail_from=SENDER)


def work(shop: Shop) -> int:
    """Run the jobs that are due, those too whose next try is later."""
    JobRow.update(run_at=now()).where(JobRow.status == "queued").execute()
    return run_due(shop, ("mail",))


def only() -> MailRow:
    (row,) = MailRow.select()
    return row


def job() -> JobRow:
    (row,) = JobRow.select().where(JobRow.name == "bodega.send_mail")
    return row


def everything_stored(shop: Shop) -> bytes:
    """All that the shop keeps, in its database and in its folder, as bytes."""
    files = b"".join(path.read_bytes() for path in shop.settings.home.rglob("*") if path.is_file())
    database = shop.databases.shop
    if not is_postgres(database):
        return files
    rows = [
        str(row)
        for table in database.get_tables()
        for row in database.execute_sql(f'SELECT t::text FROM "{table}" AS t').fetchall()
    ]
    return files + "\n".join(rows).encode()


# Sending.


def test_a_mail_arrives_as_text_and_html_in_utf8(sending: Shop, post: Post) -> None:
    send_mail(
        ADA, "Grüße 🎁 aus dem Café", f"Hallo Ada,\n\n{LINK}\n", f'<a href="{LINK}">Öffnen</a>'
    )
    assert work(sending) == 1
    (mail,) = post.taken
    assert (mail["To"], mail["From"], mail["Subject"]) == (ADA, SENDER, "Grüße 🎁 aus dem Café")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().split() == ["Hallo", "Ada,", LINK]
    assert "Öffnen" in html.get_content()
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == only().created_at.replace(microsecond=0)


def test_a_mail_without_html_is_plain(sending: Shop, post: Post) -> None:
    send_mail(ADA, "Hello", "A line that is long, " * 60)
    work(sending)
    (mail,) = post.taken
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip() == ("A line that is long, " * 60).strip()


def test_a_sent_mail_says_so_and_its_body_is_gone(sending: Shop, post: Post) -> None:
    send_mail(ADA, "Reset", LINK)
    work(sending)
    row = only()
    assert (row.status, row.attempts, row.error, row.body) == ("sent", 1, None, None)
    assert row.sent_at >= row.created_at
    assert job().status == "succeeded"
    assert "".join(post.taken[0]["Message-ID"].split()) == row.message_id
    assert row.message_id.endswith("@shop.example>")


def test_a_mail_is_sent_once_though_its_job_runs_again(sending: Shop, post: Post) -> None:
    send_mail(ADA, "Reset", LINK)
    work(sending)
    JobRow.update(status="queued").execute()
    assert work(sending) == 1
    assert len(post.taken) == 1


def test_a_451_is_tried_again_later_with_the_same_message_id(sending: Shop, post: Post) -> None:
    post.answers += ["451 4.7.1 Greylisted, come back later"]
    send_mail(ADA, "Reset", LINK)
    work(sending)
    row = only()
    assert (row.status, row.attempts) == ("queued", 1)
    assert row.error.endswith("451 4.7.1 Greylisted, come back later")
    assert job().error == row.error
    assert timedelta(seconds=50) < job().run_at - now() < timedelta(seconds=61)
    assert run_due(sending, ("mail",)) == 0, "its time has not come"
    work(sending)
    assert (only().status, only().attempts, only().error) == ("sent", 2, None)
    first, second = post.tried
    assert first["Message-ID"] == second["Message-ID"]
    assert bytes(first["Date"], "ascii") == bytes(second["Date"], "ascii")


def test_a_550_fails_with_the_servers_words(sending: Shop, post: Post) -> None:
    post.answers += ["550 5.1.1 No such user here"]
    send_mail(ADA, "Reset", LINK)
    work(sending)
    assert only().status == "failed"
    assert only().error.endswith("550 5.1.1 No such user here")
    assert (job().status, job().attempts) == ("dead", 1)
    assert work(sending) == 0


def test_a_failed_mail_can_be_sent_after_all(sending: Shop, post: Post) -> None:
    post.answers += ["554 5.7.1 You are on a list"]
    send_mail(ADA, "Reset", LINK)
    work(sending)
    JobRow.update(status="queued", attempts=0).execute()
    work(sending)
    assert (only().status, len(post.taken)) == ("sent", 1)


def test_a_server_that_is_away_is_tried_again_over_hours(bare_shop: Shop, post: Post) -> None:
    port = free_port()
    use(bare_shop, f"smtp://127.0.0.1:{port}?starttls=off")
    send_mail(ADA, "Reset", LINK)
    waits = []
    for _ in range(4):
        work(bare_shop)
        waits.append(round((job().run_at - now()).total_seconds() / 60))
    assert waits == [1, 5, 15, 30]
    assert "refused" in only().error
    with serving(post, port):
        work(bare_shop)
    assert (only().status, only().attempts) == ("sent", 5)


@ONE_ENGINE
def test_it_is_given_up_after_two_days_and_says_why(bare_shop: Shop) -> None:
    use(bare_shop, f"smtp://127.0.0.1:{free_port()}?starttls=off")
    send_mail(ADA, "Reset", LINK)
    JobRow.update(attempts=ATTEMPTS - 1).execute()
    work(bare_shop)
    assert (only().status, job().status) == ("failed", "dead")
    assert only().error.startswith(f"given up after {ATTEMPTS} tries: ")


@ONE_ENGINE
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_worker_logs_in_and_a_wrong_password_is_tried_again(
    bare_shop: Shop, post: Post
) -> None:
    options = {"authenticator": post.authenticate, "auth_required": True, "auth_require_tls": False}
    with serving(post, **options) as port:
        use(bare_shop, f"smtp://ada:wrong-one@127.0.0.1:{port}?starttls=off")
        send_mail(ADA, "Reset", LINK)
        work(bare_shop)
        assert only().status == "queued"
        assert "535" in only().error
        assert "wrong-one" not in only().error
        use(bare_shop, f"smtp://ada:p%40ss%3Aword@127.0.0.1:{port}?starttls=off")
        work(bare_shop)
    assert only().status == "sent"
    assert post.logins[-1] == (b"ada", b"p@ss:word")


# Transactions.


def test_what_is_rolled_back_sends_nothing(sending: Shop, post: Post, mailbox: Any) -> None:
    def fail() -> None:
        with transaction():
            send_mail(ADA, "Reset", LINK)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert work(sending) == 0
    assert (post.tried, list(mailbox)) == ([], [])


def test_a_mail_is_there_with_what_it_belongs_to(sending: Shop, mailbox: Any) -> None:
    with transaction():
        mail_id = send_mail(ADA, "Reset", LINK)
        assert JobRow.select().where(JobRow.name == "bodega.send_mail").count() == 1
    assert [mail.id for mail in mailbox.to(ADA)] == [mail_id]


# What is refused.


@ONE_ENGINE
@pytest.mark.parametrize(
    "subject",
    ["Hi\r\nBcc: eve@shop.example", "Hi\nX: y", "Hi\rX: y", "Hi\0", "Hi\x1b[31m", "Hi\x85X: y",
     "Hi\u2028X: y", "Hi \ud800", "", "   ", "x" * 501],
)  # fmt: skip
def test_a_subject_that_could_become_another_header_is_refused(
    bare_shop: Shop, subject: str
) -> None:
    with pytest.raises(InvalidInput, match="A mail's subject must") as caught:
        send_mail(ADA, subject, "text")
    assert caught.value.errors[0].field == "subject"
    assert "eve" not in str(caught.value)
    assert MailRow.select().count() == 0


@ONE_ENGINE
@pytest.mark.parametrize(
    "address",
    ["", "ada", "@shop.example", "ada@", "ada@shop.example\r\nBcc: eve@shop.example",
     "ada@shop.example\n", "ada@shop.example, eve@shop.example", "Ada <ada@shop.example>",
     "ada@shop..example", "ada@-shop.example", "ada @shop.example", "ada@shop.example;eve",
     "a" * 65 + "@shop.example", "ada@" + "a." * 130 + "example", ".ada@shop.example",
     "ada\u2028@shop.example", "ada@" + "ü" * 62 + ".example", "ada@shop_.example\0", None, 7],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(bare_shop: Shop, address: Any) -> None:
    with pytest.raises(InvalidInput, match="must go to one address"):
        send_mail(address, "Hi", "text")


@ONE_ENGINE
@pytest.mark.parametrize("text", ["", "a\0b", "a\ud800", "a\x07", "x" * 1_000_001])
def test_a_text_that_no_mail_can_hold_is_refused(bare_shop: Shop, text: str) -> None:
    with pytest.raises(InvalidInput, match="A mail's text"):
        send_mail(ADA, "Hi", text)


@ONE_ENGINE
def test_addresses_beyond_ascii_arrive(sending: Shop, post: Post) -> None:
    send_mail("ada@bücher.example", "Hi", "text")
    send_mail("o'hara+x@shop.example", "Hi", "text")
    work(sending)
    found = [mail["To"].addresses[0].addr_spec for mail in post.taken]
    assert found == ["ada@xn--bcher-kva.example", "o'hara+x@shop.example"]


@ONE_ENGINE
def test_a_name_beyond_ascii_needs_a_server_that_knows_such(bare_shop: Shop, post: Post) -> None:
    for knows in (False, True):
        with serving(post, enable_SMTPUTF8=knows) as port:
            use(bare_shop, f"smtp://127.0.0.1:{port}?starttls=off")
            send_mail("zoë@shop.example", "Hi", "text")
            work(bare_shop)
    first, second = MailRow.select().order_by(MailRow.id)
    assert (first.status, second.status, len(post.taken)) == ("failed", "sent", 1)
    assert "SMTPUTF8" in first.error


# At rest.


def test_what_a_mail_says_is_sealed_in_the_table(bare_shop: Shop, mailbox: Any) -> None:
    send_mail(ADA, "Reset", LINK, f"<p>{LINK}</p>")
    send_mail(ADA, "Again", LINK)
    stored = everything_stored(bare_shop)
    assert b"never-in-the-table" not in stored
    assert b"bodega_mail" in stored or is_postgres(bare_shop.databases.shop)
    assert [mail.text for mail in mailbox.to(ADA)] == [LINK, LINK]
    first, second = MailRow.select().order_by(MailRow.id)
    MailRow.update(body=first.body).where(MailRow.id == second.id).execute()
    with pytest.raises(ConfigurationError, match=f"mail {second.id} cannot be read"):
        mailbox.to(ADA)


@ONE_ENGINE
def test_with_another_secret_key_a_mail_fails_and_says_so(sending: Shop) -> None:
    send_mail(ADA, "Reset", LINK)
    sending.settings = replace(sending.settings, secret_key="another key of sixteen")
    work(sending)
    assert only().status == "failed"
    assert "BODEGA_SECRET_KEY" in only().error


def test_after_thirty_days_a_mail_is_forgotten(bare_shop: Shop) -> None:
    send_mail(ADA, "Old", LINK)
    MailRow.update(created_at=now() - timedelta(days=30, minutes=1)).execute()
    send_mail(ADA, "New", LINK)
    Sweeper(bare_shop).sweep()
    assert [row.subject for row in MailRow.select()] == ["New"]


# Kept.


@pytest.fixture
def run(bare_shop: Shop) -> Callable[..., Result]:
    """Runs a command in this process, on the shop of the test."""

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(bodega, list(arguments), obj=Context(_shop=bare_shop))

    return call


@pytest.fixture
def api(bare_shop: Shop) -> Client:
    return Client(Gate(bare_shop), bare_shop)


def test_without_a_mail_server_mails_are_kept_and_listed(
    bare_shop: Shop, run: Callable[..., Result]
) -> None:
    mail_id = send_mail(ADA, "Reset", f"Open this:\n{LINK}", "<p>Open</p>")
    send_mail("bob@shop.example", "Hello", "text")
    assert "queued" in run("mail", "list").output
    work(bare_shop)
    assert {row.status for row in MailRow.select()} == {"kept"}
    found = json.loads(run("mail", "list", "--to", ADA, "--json").output)
    assert [(item["id"], item["status"]) for item in found] == [(str(mail_id), "kept")]
    assert LINK not in run("mail", "list", "--json").output
    shown = run("mail", "show", str(mail_id)).output
    assert "subject:  Reset" in shown
    assert f"Open this:\n{LINK}" in shown
    assert run("mail", "show", str(mail_id), "--html").output == "<p>Open</p>\n"
    assert json.loads(run("mail", "show", str(mail_id), "--json").output)["html"] == "<p>Open</p>"


@ONE_ENGINE
def test_of_a_sent_mail_the_command_says_that_its_text_is_gone(
    sending: Shop, run: Callable[..., Result]
) -> None:
    mail_id = send_mail(ADA, "Reset", LINK)
    work(sending)
    shown = run("mail", "show", str(mail_id))
    assert "what it said is not kept" in shown.output
    assert run("mail", "show", "0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77").exit_code == 1


def test_only_administrators_read_mail(bare_shop: Shop, api: Client) -> None:
    mail_id = send_mail(ADA, "Reset", LINK)
    for path in ("/api/v1/mail", f"/api/v1/mail/{mail_id}"):
        assert api.get(path).status_code == 401
        for role in ("user", "vendor", "staff"):
            assert api.as_user(role).get(path).status_code == 403
    admin = api.as_admin()
    listed = admin.get("/api/v1/mail", params={"to": ADA}).expect(200)
    assert [item["id"] for item in listed["results"]] == [str(mail_id)]
    assert "text" not in listed["results"][0]
    assert admin.get("/api/v1/mail", params={"status": "sent"}).expect(200)["count"] == 0
    found = admin.get(f"/api/v1/mail/{mail_id}").expect(200)
    assert (found["text"], found["html"], found["status"]) == (LINK, "", "queued")
    (entry,) = AuditRow.select().where(AuditRow.action == "mail.read")
    assert entry.target == f"mail:{mail_id}"
    assert "never-in-the-table" not in entry.details
    other = "/api/v1/mail/0197f3c2-8e5a-7c31-9d42-5b8f0a6e1c77"
    assert admin.get(other).status_code == 404


def test_the_console_lists_mails_and_shows_one(bare_shop: Shop, api: Client) -> None:
    mail_id = send_mail(ADA, "Reset <b>", f"<script>{LINK}")

    def page(client: Client, query: str = "") -> Any:
        cookie = {"Cookie": f"bodega_console={client.token}"}
        return api.get(f"/console/mail{query}", headers=cookie)

    listed = page(api.as_admin())
    assert listed.status_code == 200
    assert "Reset &lt;b&gt;" in listed.text
    assert LINK not in listed.text
    shown = page(api.as_admin(), f"?id={mail_id}").text
    assert f"&lt;script&gt;{LINK}" in shown
    assert page(api.as_user("staff")).status_code == 403
    assert page(api.as_admin(), f"?id={only().id.hex[::-1]}").status_code in (400, 404)


def test_disabling_an_addon_parks_no_mail(bare_shop: Shop, site: Any) -> None:
    site.install("notes")
    lifecycle.apply(bare_shop, "enable", "notes")
    send_mail(ADA, "Reset", LINK)
    lifecycle.apply(bare_shop, "disable", "notes")
    assert job().status == "queued"
    JobRow.update(status="running", lease_until=now() - timedelta(seconds=1)).execute()
    leases.give_back_expired()
    assert job().status == "queued"


# Encryption.


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1; return its file and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "mail.crt", folder / "mail.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return public, context


@ONE_ENGINE
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    bare_shop: Shop, post: Post, tmp_path: Path, scheme: str
) -> None:
    public, context = certificate(tmp_path)
    how = {"ssl_context": context} if scheme == "smtps" else {"tls_context": context}
    with serving(post, **how) as port:
        use(bare_shop, f"{scheme}://127.0.0.1:{port}")
        send_mail(ADA, "Reset", LINK)
        work(bare_shop)
        assert (only().status, post.tried) == ("queued", [])
        assert "CERTIFICATE_VERIFY_FAILED" in only().error
        use(bare_shop, f"{scheme}://127.0.0.1:{port}?ca={public}")
        work(bare_shop)
    assert (only().status, post.encrypted) == ("sent", [True])


@ONE_ENGINE
def test_nothing_is_sent_in_clear_to_a_server_that_offers_no_encryption(
    bare_shop: Shop, post: Post
) -> None:
    with serving(post) as port:
        use(bare_shop, f"smtp://ada:p%40ss@127.0.0.1:{port}")
        send_mail(ADA, "Reset", LINK)
        work(bare_shop)
    assert (only().status, post.tried, post.logins) == ("queued", [], [])
    assert "STARTTLS" in only().error


# What the environment says.


def read(**environ: str) -> Any:
    return read_settings({"BODEGA_MAIL_FROM": SENDER, **environ})


@pytest.mark.parametrize(
    "url",
    ["http://x", "smtp://", "smtp://x:port", "smtp://x?starttls=maybe", "smtps://x?starttls=off",
     "smtp://x?verify=off", "smtp://x?ca=/no/such/file", "smtp://x/path", "mail.example:25"],
)  # fmt: skip
def test_an_address_of_a_mail_server_that_cannot_be_used_is_told_at_the_start(url: str) -> None:
    secret = url.replace("://", "://ada:hidden-word@")
    with pytest.raises(ConfigurationError, match="BODEGA_SMTP_URL") as caught:
        read(BODEGA_SMTP_URL=secret)
    assert "hidden-word" not in str(caught.value)


def test_a_mail_server_needs_a_sender() -> None:
    with pytest.raises(ConfigurationError, match="BODEGA_MAIL_FROM is not"):
        read_settings({"BODEGA_SMTP_URL": "smtp://mail.example"})
    with pytest.raises(ConfigurationError, match="BODEGA_MAIL_FROM: expected"):
        read(BODEGA_MAIL_FROM="nobody")
    given = read_settings({"BODEGA_SMTP_URL": "smtps://me%40shop.example:x@mail.example"})
    assert given.mail_from == "me@shop.example"


def test_the_servers_address_may_stand_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtps://ada:hidden-word@mail.example\n")
    settings = read(BODEGA_SMTP_URL_FILE=str(file), BODEGA_ADMIN_PASSWORD="hidden-too")
    assert settings.smtp_url == "smtps://ada:hidden-word@mail.example"
    assert "hidden" not in repr(settings)
    server = read_server(settings.smtp_url)
    assert (server.host, server.port, server.tls) == ("mail.example", 465, "implicit")
    assert "hidden" not in repr(server)


@pytest.mark.parametrize(
    ("url", "port", "tls"),
    [("smtp://x", 587, "starttls"), ("smtp://x:25?starttls=off", 25, "off"),
     ("smtp://x:2525?starttls=required", 2525, "starttls"), ("smtps://x", 465, "implicit")],
)  # fmt: skip
def test_encryption_is_required_unless_it_is_switched_off(url: str, port: int, tls: str) -> None:
    server = read_server(url)
    assert (server.port, server.tls) == (port, tls)
