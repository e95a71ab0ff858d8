"""Signatures, verified by the libraries that receivers use, and by cryptography for ed25519."""

import base64
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook as Standard
from standardwebhooks import WebhookVerificationError
from svix.webhooks import Webhook as Svix
from svix.webhooks import WebhookVerificationError as SvixError

from bodega_sdk.testing.client import Client
from bodega_webhooks.models import Secret
from bodega_webhooks.signing import given_key, new_key, sign, signer

WEBHOOKS = "/api/v1/webhooks"


def verified(public: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify ``v1a`` as the specification says."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    content = b".".join(
        (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
    )
    for one in headers["webhook-signature"].split():
        scheme, _, text = one.partition(",")
        if scheme == "v1a":
            try:
                key.verify(base64.b64decode(text), content)
            except InvalidSignature:
                continue
            return True
    return False


def one_sent(bench: Any, sink: Any) -> Any:
    bench.publish("product.created", "p-1", name="Café")
    bench.feed()
    bench.send()
    return sink.received[-1]


def test_a_signature_is_verified_by_both_libraries(bench: Any, webhook: Any, sink: Any) -> None:
    made = webhook(sink.url, "product.*")
    found = one_sent(bench, sink)
    assert Standard(made["secret"]).verify(found.body, found.headers)["data"] == {"name": "Café"}
    Svix(made["secret"]).verify(found.body, found.headers)  # It raises, or returns nothing.
    assert made["secret"].startswith("whsec_")


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_what_was_tampered_with_is_refused(bench: Any, webhook: Any, sink: Any, part: str) -> None:
    made = webhook(sink.url, "product.*", signing="both")
    found = one_sent(bench, sink)
    headers, body = dict(found.headers), found.body
    if part == "body":
        body = body.replace(b"Caf", b"Cof")
    elif part == "webhook-timestamp":
        headers[part] = str(int(headers[part]) + 1)
    elif part == "webhook-id":
        headers[part] += "x"
    else:
        headers[part] = " ".join(
            f"{one[:10]}{'A' if one[10] != 'A' else 'B'}{one[11:]}" for one in headers[part].split()
        )
    with pytest.raises(WebhookVerificationError):
        Standard(made["secret"]).verify(body, headers)
    with pytest.raises(SvixError):
        Svix(made["secret"]).verify(body, headers)
    assert not verified(made["keys"][0]["public_key"] or made["keys"][1]["public_key"],
                        headers, body)  # fmt: skip


def test_ed25519_is_verified_with_the_public_key_alone(bench: Any, webhook: Any, sink: Any) -> None:
    made = webhook(sink.url, "product.*", signing="v1a")
    found = one_sent(bench, sink)
    (key,) = made["keys"]
    assert "secret" not in made
    assert key["public_key"].startswith("whpk_")
    assert verified(key["public_key"], found.headers, found.body)
    assert not verified(new_key("v1a").public, found.headers, found.body)


def test_old_and_new_secret_verify_until_the_overlap_ends(
    bench: Any, webhook: Any, sink: Any, admin: Client, clock: Any
) -> None:
    made = webhook(sink.url, "product.*", signing="both")
    old_public = next(key["public_key"] for key in made["keys"] if key["scheme"] == "v1a")
    path = f"{WEBHOOKS}/{made['id']}/secret/rotate"
    rotated = admin.post(path, {"overlap_hours": 2}).expect(200)
    assert rotated["secret"] != made["secret"]
    found = one_sent(bench, sink)
    for secret in (made["secret"], rotated["secret"]):
        assert Standard(secret).verify(found.body, found.headers)
        Svix(secret).verify(found.body, found.headers)
    for public in (old_public, rotated["public_key"]):
        assert verified(public, found.headers, found.body)
    clock.move(hours=2, seconds=1)
    later = one_sent(bench, sink)
    assert Standard(rotated["secret"]).verify(later.body, later.headers)
    assert not verified(old_public, later.headers, later.body)
    with pytest.raises(WebhookVerificationError):
        Standard(made["secret"]).verify(later.body, later.headers)


def test_each_attempt_is_signed_anew_with_its_own_time(
    bench: Any, webhook: Any, new_sink: Any, clock: Any
) -> None:
    from aiohttp import web

    sink = new_sink(answer=lambda item: web.Response(status=500))
    made = webhook(sink.url, "product.*")
    one_sent(bench, sink)
    clock.move(seconds=7)
    bench.send()
    first, second = sink.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    apart = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert apart >= 7
    assert Standard(made["secret"]).verify(second.body, second.headers)


def test_secrets_are_sealed_and_shown_once(
    bench: Any, webhook: Any, sink: Any, admin: Client
) -> None:
    made = webhook(sink.url, "product.*", headers={"Authorization": "Bearer t0p"})
    shown = admin.get(f"{WEBHOOKS}/{made['id']}").expect(200)
    assert "secret" not in shown
    assert shown["headers"] == {"Authorization": "…"}
    listed = admin.get(WEBHOOKS).text
    assert made["secret"] not in listed
    assert "t0p" not in listed
    rows = bench.shop.databases.shop.execute_sql(
        "SELECT headers FROM webhooks_webhook UNION ALL SELECT sealed FROM webhooks_secret"
    ).fetchall()
    assert rows
    assert not any(made["secret"][6:] in row[0] or "t0p" in row[0] for row in rows)


def test_a_secret_can_be_brought_along(bench: Any, webhook: Any, sink: Any, admin: Client) -> None:
    own = "whsec_" + base64.b64encode(b"k" * 32).decode()
    webhook(sink.url, "product.*", secret=own)
    found = one_sent(bench, sink)
    assert Standard(own).verify(found.body, found.headers)
    for bad in ("whsec_", "hush", "whsec_" + base64.b64encode(b"short").decode(), "whsec_%%%"):
        body = {"url": sink.url, "event_types": ["*"], "secret": bad}
        answer = admin.post(WEBHOOKS, body)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "secret"


def test_not_more_than_a_few_old_keys_sign(webhook: Any, sink: Any, admin: Client) -> None:
    made = webhook(sink.url, "product.*")
    path = f"{WEBHOOKS}/{made['id']}/secret/rotate"
    for _ in range(5):
        admin.post(path, {}).expect(200)
    assert admin.post(path, {}).status_code == 409
    assert Secret.select().count() == 6


def test_the_vector_of_the_specification_is_met() -> None:
    key = given_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = sign([signer("v1", key.private)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
