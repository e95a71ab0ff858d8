"""Behind proxies: who is believed what; which sites' scripts may call; headers for browsers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import falcon
import hypothesis
import pytest
from falcon import testing
from hypothesis import strategies

from bodega.errors import ConfigurationError
from bodega.http.addresses import UNKNOWN, Perimeter, local_url, remember
from bodega.perimeter import Quota
from bodega.settings import read_settings
from bodega_sdk import public_url
from bodega_sdk.addresses import network_of
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import Deployment, environment

Served = Callable[..., Client]
PRODUCTS = "/api/v1/products"
PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:1::/48")))
SITE = "https://front.example"


def request(peer: str, forwarded: str | None = None, **headers: str) -> falcon.Request:
    """Return a request as it comes from a peer."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if forwarded is not None:
        sent["X-Forwarded-For"] = forwarded
    return falcon.Request(testing.create_environ(remote_addr=peer, headers=sent))


# Addresses.


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"),
        ("10.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "2001:db8:9::7, 2001:db8:1::1", "2001:db8:9::7"),
        ("10.0.0.1", '"203.0.113.9"', "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "192.0.2.1,,", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("no address", "203.0.113.9", UNKNOWN),
    ],
)
def test_the_client_is_who_the_last_proxy_of_ours_was_asked_by(
    peer: str, forwarded: str | None, expected: str
) -> None:
    assert Perimeter(PROXIES).client_address(request(peer, forwarded)) == expected


def test_nobody_is_believed_when_no_proxy_is_trusted() -> None:
    asked = request("127.0.0.1", "192.0.2.1", X_Forwarded_Proto="https", X_Forwarded_Host="x.y")
    assert Perimeter().client_address(asked) == "127.0.0.1"
    assert Perimeter().scheme(asked) == "http"
    assert Perimeter().base(asked) == "http://falconframework.org"


def test_a_long_chain_of_proxies_is_not_followed_for_ever() -> None:
    asked = request("10.0.0.1", ",".join(["192.0.2.1", *["10.0.0.2"] * 900]))
    assert Perimeter(PROXIES).client_address(asked) == "10.0.0.2"


@hypothesis.given(strategies.text(strategies.characters(max_codepoint=255)))
def test_garbage_in_the_headers_of_a_proxy_is_never_an_error(text: str) -> None:
    asked = request("10.0.0.1")
    for name in ("FOR", "PROTO", "HOST"):
        asked.env[f"HTTP_X_FORWARDED_{name}"] = text
    perimeter = Perimeter(PROXIES)
    assert perimeter.client_address(asked)
    assert perimeter.base(asked).startswith(("http://", "https://"))


def test_a_trusted_proxy_tells_scheme_and_host() -> None:
    asked = request("10.0.0.1", X_Forwarded_Proto="https", X_Forwarded_Host="shop.example:8443")
    assert Perimeter(PROXIES).base(asked) == "https://shop.example:8443"
    asked = request("10.0.0.1", X_Forwarded_Proto="gopher", X_Forwarded_Host="a b/c")
    assert Perimeter(PROXIES).base(asked) == "http://falconframework.org"
    asked = request("10.0.0.1", X_Forwarded_Proto="http, https", X_Forwarded_Host="evil, shop")
    assert Perimeter(PROXIES).base(asked) == "https://shop"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "192.0.2.1", True),
        (UNKNOWN, UNKNOWN, True),
    ],
)
def test_who_is_counted_as_one(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


# Links.


def test_links_of_pages_begin_as_the_public_url_says(served: Served) -> None:
    client = served(public_url="https://shop.example")
    _make_products(client, 2)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    body = client.get(f"{PRODUCTS}?page_size=1", headers=headers).expect(200)
    assert body["next"].startswith("https://shop.example/api/v1/products?")
    assert "evil" not in str(body)


def test_links_of_pages_begin_as_a_trusted_proxy_says(served: Served) -> None:
    client = served(trusted_proxies=PROXIES)
    _make_products(client, 2)
    headers = {"X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}
    path = f"{PRODUCTS}?page_size=1"
    found = client.get(path, headers=headers, remote_addr="10.0.0.1").expect(200)["next"]
    assert found.startswith("https://shop.example/api/v1/products?")
    found = client.get(path, headers=headers, remote_addr="192.0.2.1").expect(200)["next"]
    assert found.startswith("http://falconframework.org/api/v1/products?")


def _make_products(client: Client, count: int) -> None:
    admin = client.as_admin()
    for number in range(count):
        product = {"name": f"Lamp {number}", "sku": f"L-{number}", "price": "1.00"}
        admin.post(PRODUCTS, product).expect(201)


def test_the_public_url_is_the_operators_or_this_machines(served: Served, tmp_path: Path) -> None:
    client = served()
    assert public_url() == "http://127.0.0.1:8000"
    remember(client.shop.settings, local_url("https", "0.0.0.0", 8443))
    assert public_url() == "https://127.0.0.1:8443"
    served(public_url="https://shop.example")
    assert public_url() == "https://shop.example"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("::", "http://127.0.0.1:80"),
     ("::1", "http://[::1]:80"), ("shop.example", "http://shop.example:80")],
)  # fmt: skip
def test_an_address_that_is_listened_on_becomes_one_to_go_to(host: str, expected: str) -> None:
    assert local_url("http", host, 80) == expected


# Settings.


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("BODEGA_PUBLIC_URL", "shop.example", "https://shop.example, without a path"),
        ("BODEGA_PUBLIC_URL", "https://shop.example/shop", "without a path"),
        ("BODEGA_PUBLIC_URL", "ftp://shop.example", "without a path"),
        ("BODEGA_PUBLIC_URL", "https://a:b@shop.example", "without a path"),
        ("BODEGA_PUBLIC_URL", "https://shop.example:99999", "without a path"),
        ("BODEGA_PUBLIC_URL", "https://", "without a path"),
        ("BODEGA_TRUSTED_PROXIES", "10.0.0.0/8, proxy", "addresses or networks"),
        ("BODEGA_TRUSTED_PROXIES", "10.0.0.1/8", "addresses or networks"),
        ("BODEGA_CORS_ORIGINS", "https://a.example, *", "origins such as"),
        ("BODEGA_CORS_ORIGINS", "null", "origins such as"),
        ("BODEGA_CORS_ORIGINS", "https://*.example", "origins such as"),
        ("BODEGA_RATE_LIMIT", "600", "REQUESTS/SECONDS"),
        ("BODEGA_RATE_LIMIT", "0/60", "REQUESTS/SECONDS"),
        ("BODEGA_RATE_LIMIT", "10/0", "REQUESTS/SECONDS"),
        ("BODEGA_RATE_LIMIT", "-5/60", "REQUESTS/SECONDS"),
        ("BODEGA_RATE_LIMIT_ANONYMOUS", "many", "REQUESTS/SECONDS"),
        ("BODEGA_HSTS", "a year", "a number of seconds, or off"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(name: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: expected .*{expected}"):
        read_settings({name: text})


def test_what_is_understood(tmp_path: Path) -> None:
    made = read_settings(
        {
            "BODEGA_PUBLIC_URL": "https://Shop.Example:443/",
            "BODEGA_TRUSTED_PROXIES": "10.0.0.0/8, ::1 ,",
            "BODEGA_CORS_ORIGINS": "https://a.example:8443,http://localhost:3000",
            "BODEGA_RATE_LIMIT": "10/1",
            "BODEGA_HSTS": "off",
        }
    )
    assert made.public_url == "https://shop.example"
    assert made.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert made.cors_origins == ("https://a.example:8443", "http://localhost:3000")
    assert made.rate_limit == made.rate_limit_anonymous == Quota(10, 1)
    assert made.hsts == 0
    off = read_settings({"BODEGA_RATE_LIMIT": "off", "BODEGA_RATE_LIMIT_ANONYMOUS": "5/1"})
    assert (off.rate_limit, off.rate_limit_anonymous) == (None, Quota(5, 1))
    assert read_settings({"BODEGA_CORS_ORIGINS": "*"}).cors_origins == ("*",)


# CORS.


def preflight(client: Client, origin: str, method: str = "POST", path: str = PRODUCTS) -> Any:
    """Ask as a browser does before a script may send a request."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,idempotency-key,if-match,x-evil",
    }
    return client.request("OPTIONS", path, headers=headers)


def allowed(answer: Any) -> set[str]:
    """Return the CORS headers of an answer."""
    return {name for name in answer.headers if name.lower().startswith("access-control-")}


def test_a_site_that_is_listed_may_send_what_the_api_reads(served: Served) -> None:
    answer = preflight(served(cors_origins=(SITE,)), SITE)
    assert answer.status_code == 204
    headers = answer.headers
    assert headers["Access-Control-Allow-Origin"] == SITE
    assert "POST" in headers["Access-Control-Allow-Methods"]
    sent = {name.strip().lower() for name in headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "idempotency-key", "if-match", "content-type"} <= sent
    assert "x-evil" not in sent
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Origin" in headers["Vary"]


def test_a_preflight_lets_scripts_see_errors_too(served: Served) -> None:
    answer = preflight(served(cors_origins=(SITE,)), SITE, "DELETE", "/api/v1/nothing")
    assert answer.status_code == 204
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["X-Request-ID"]


def test_a_site_that_is_listed_may_read_what_the_api_tells(served: Served) -> None:
    client = served(cors_origins=(SITE,))
    answer = client.get(PRODUCTS, headers={"Origin": SITE})
    read = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert {"ETag", "RateLimit", "Retry-After", "X-Request-ID", "Location", "Link"} <= read
    assert answer.headers["Access-Control-Allow-Origin"] == SITE


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://front.example.evil",
                                    "http://front.example", "https://FRONT.example"])  # fmt: skip
def test_a_site_that_is_not_listed_gets_no_cors_headers(served: Served, origin: str) -> None:
    client = served(cors_origins=(SITE,))
    assert allowed(preflight(client, origin)) == set()
    answer = client.get(PRODUCTS, headers={"Origin": origin})
    assert allowed(answer) == set()
    assert "Origin" in answer.headers["Vary"]
    assert "Origin" in client.get(PRODUCTS).headers["Vary"]


def test_errors_tell_a_listed_site_too(served: Served) -> None:
    client = served(cors_origins=(SITE,), rate_limit_anonymous=Quota(4, 60))
    origin = {"Origin": SITE}
    for status, path in ((401, "/api/v1/settings"), (404, "/api/v1/nothing"),
                         (400, f"{PRODUCTS}?x=1"), (200, PRODUCTS), (429, PRODUCTS)):  # fmt: skip
        answer = client.get(path, headers=origin)
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == SITE, status
    assert client.post("/api/v1/nothing", headers=origin).headers["Access-Control-Allow-Origin"]


def test_all_sites_can_be_allowed_but_never_with_credentials(served: Served) -> None:
    client = served(cors_origins=("*",))
    answer = preflight(client, "https://anybody.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert client.get(PRODUCTS, headers={"Origin": SITE}).headers[
        "Access-Control-Allow-Origin"
    ] == "*"  # fmt: skip


def test_no_other_site_is_allowed_unless_one_is_listed(served: Served) -> None:
    client = served()
    assert allowed(preflight(client, SITE)) == set()
    assert allowed(client.get(PRODUCTS, headers={"Origin": SITE})) == set()


def test_the_console_is_for_no_other_site(served: Served) -> None:
    client = served(cors_origins=("*",))
    for path in ("/console", "/console/session", "/console/static/console.css"):
        assert allowed(preflight(client, SITE, "GET", path)) == set()
        assert allowed(client.get(path, headers={"Origin": SITE})) == set()


# Headers.


@pytest.mark.parametrize("path", [PRODUCTS, "/api/v1/nothing", "/api/v1/settings", "/", "/health",
                                  "/api/schema"])  # fmt: skip
def test_every_answer_has_the_headers_that_keep_browsers_safe(served: Served, path: str) -> None:
    headers = served().get(path).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/console", "/api/docs", "/api/redoc"])
def test_pages_keep_policies_of_their_own(served: Served, path: str) -> None:
    policy = served().get(path).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_browsers_are_told_to_come_by_https_only_by_https(served: Served) -> None:
    client = served(trusted_proxies=PROXIES)
    headers = {"X-Forwarded-Proto": "https"}
    name = "Strict-Transport-Security"
    trusted = client.get(PRODUCTS, headers=headers, remote_addr="10.0.0.1")
    assert trusted.headers[name] == "max-age=31536000"
    assert name not in client.get(PRODUCTS, headers=headers, remote_addr="192.0.2.1").headers
    assert client.get(PRODUCTS, protocol="https").headers[name] == "max-age=31536000"


def test_how_long_browsers_remember_https_can_be_chosen(served: Served) -> None:
    name = "Strict-Transport-Security"
    assert served(hsts=60).get(PRODUCTS, protocol="https").headers[name] == "max-age=60"
    client = served(hsts=0)
    assert name not in client.get(PRODUCTS, protocol="https").headers


def test_the_browsers_of_developers_are_not_told_about_https(served: Served) -> None:
    answer = served().get(PRODUCTS, protocol="https", headers={"Host": "localhost:8443"})
    assert "Strict-Transport-Security" not in answer.headers


def test_the_consoles_cookie_is_secure_only_when_the_client_came_by_https(served: Served) -> None:
    client = served(trusted_proxies=PROXIES)
    admin, headers = client.as_admin(), {"X-Forwarded-Proto": "https"}
    path = "/console/session"
    forged = admin.post(path, headers=headers, remote_addr="192.0.2.1").headers["Set-Cookie"]
    assert "Secure" not in forged
    told = admin.post(path, headers=headers, remote_addr="10.0.0.1").headers["Set-Cookie"]
    assert "Secure" in told


# Real processes.


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Start a server with an environment of its own."""
    made: list[Deployment] = []

    def start(**environ: str) -> Deployment:
        found = Deployment(environment(tmp_path / "shop", **environ), 2, tmp_path)
        made.append(found)
        found.start("serve", "--port", str(found.port), "--workers", "2")
        found.wait_until(lambda: found.get("/health")[0] == 200)
        return found

    yield start
    for found in made:
        found.stop()


@pytest.mark.slow
def test_a_forged_address_gets_nobody_past_a_limit(server: Any) -> None:
    shop = server(BODEGA_RATE_LIMIT="5/60")
    statuses = [
        shop.call("GET", PRODUCTS, **{"X-Forwarded-For": f"192.0.2.{number}",
                                      "X-Real-IP": f"192.0.2.{number}",
                                      "Forwarded": f"for=192.0.2.{number}",
                                      "REMOTE_ADDR": f"192.0.2.{number}",
                                      "X-Forwarded-Proto": "https"})[0]
        for number in range(9)
    ]  # fmt: skip
    assert statuses == [200] * 5 + [429] * 4


@pytest.mark.slow
def test_a_trusted_proxy_tells_clients_apart_and_what_it_did_not_write_is_ignored(
    server: Any,
) -> None:
    shop = server(BODEGA_RATE_LIMIT="2/60", BODEGA_TRUSTED_PROXIES="127.0.0.1")

    def ask(forwarded: str) -> int:
        status: int = shop.call("GET", PRODUCTS, **{"X-Forwarded-For": forwarded})[0]
        return status

    assert [ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.1")] == [200, 200, 429]
    # What the client itself sent stands on the left, and changes nothing.
    assert [ask(f"203.0.113.{number}, 192.0.2.1") for number in range(3)] == [429] * 3
    assert ask("192.0.2.2") == 200


@pytest.mark.slow
def test_https_is_believed_of_a_trusted_proxy_and_no_path_of_anybody(server: Any) -> None:
    shop = server(BODEGA_TRUSTED_PROXIES="127.0.0.1")
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Protocol": "ssl"}
    status, _, headers = shop.call("GET", PRODUCTS, **told)
    assert (status, headers["strict-transport-security"]) == (200, "max-age=31536000")
    # A client may not set the path or the script's name through the proxy either.
    assert shop.call("GET", PRODUCTS, SCRIPT_NAME="/api", PATH_INFO="/x")[0] == 200


@pytest.mark.slow
def test_a_server_writes_down_where_it_is_reached_for_mails(server: Any, tmp_path: Path) -> None:
    shop = server()
    settings = replace(read_settings({}), home=tmp_path / "shop")
    assert (settings.home / "run" / "address").read_text() == f"http://127.0.0.1:{shop.port}"
