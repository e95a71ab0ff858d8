"""Other libraries check our tokens by the served key set: joserfc, and jose of Node.js."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from bodega.security import keys as signing_keys
from bodega_sdk.testing.client import Client
from bodega_sdk.testing.deployment import ADMIN

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

ALGORITHMS = ("EdDSA", "RS256")
#: Checks the token of argv by the key set of argv, the way jose's documentation says.
CHECK = """
import { createRemoteJWKSet, jwtVerify } from 'jose';
const [set, token, issuer] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(set));
const rules = { issuer, audience: 'bodega', typ: 'at+jwt', algorithms: ['EdDSA', 'RS256'] };
const { payload, protectedHeader } = await jwtVerify(token, keys, rules);
const [head, body, signature] = token.split('.');
const forged = [head, body, signature.split('').reverse().join('')].join('.');
const refused = await jwtVerify(forged, keys, rules).then(() => 'believed', (e) => e.code);
console.log(JSON.stringify({ payload, protectedHeader, refused }));
"""


@pytest.fixture(params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest, shop: Any) -> str:
    """What the shop signs with; its other key is of the other kind."""
    for name in sorted(ALGORITHMS, key=lambda name: name == request.param):
        with shop.transaction():
            signing_keys.rotate(shop.settings.key(), name, at_once=True)
            shop.revocations.tell()
    shop.revocations.keep_up()
    name: str = request.param
    return name


@pytest.fixture
def token(algorithm: str, client: Client) -> str:
    """An access token of the administrator."""
    token = client.log_in(*ADMIN).token
    assert token is not None
    return token


# RFC 9864 would have 'EdDSA' written 'Ed25519' one day; what checks tokens does not know it yet.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_joserfc_checks_our_tokens_by_the_key_set(
    algorithm: str, token: str, shop: Any, client: Client
) -> None:
    published = client.get("/.well-known/jwks.json").expect(200)
    keys = KeySet.import_key_set(published)
    found = jwt.decode(token, keys, algorithms=[algorithm])
    assert found.header["alg"] == algorithm
    assert found.header["typ"] == "at+jwt"
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": f"urn:bodega:{shop.shop_id}"},
        aud={"essential": True, "value": "bodega"},
        sub={"essential": True},
        exp={"essential": True},
        nbf={"essential": True},
    ).validate(found.claims)
    head, body, signature = token.split(".")
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{head}.{body}.{signature[::-1]}", keys, algorithms=[algorithm])


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(shop: Any, path: str) -> Iterator[str]:
    """Serve what the shop answers at a path, on this machine only; yield its address."""
    document = Client(shop.current.view, shop).get(path).text.encode()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [document]

    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{path}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def jose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with jose in it, and a program that checks a token."""
    for program in ("node", "npm"):
        assert shutil.which(program), (
            f"{program} is not there; install Node.js 20 or newer with npm"
        )
    folder = tmp_path_factory.mktemp("jose")
    command = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "jose@6")
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"npm cannot install jose: {ran.stderr}"
    (folder / "check.mjs").write_text(CHECK)
    return folder


@pytest.mark.slow
def test_jose_of_node_checks_our_tokens_by_the_key_set(
    algorithm: str, token: str, shop: Any, jose: Path
) -> None:
    issuer = f"urn:bodega:{shop.shop_id}"
    with served(shop, "/.well-known/jwks.json") as keys:
        command = ("node", "check.mjs", keys, token, issuer)
        ran = subprocess.run(
            command, cwd=jose, capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["protectedHeader"]["alg"] == algorithm
    assert found["payload"]["iss"] == issuer
    assert found["refused"] == "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"
