"""A client of the shop's API: the real WSGI app, without a network between."""

import json as json_text
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from falcon import testing

from bodega_sdk.ids import uuid7

if TYPE_CHECKING:
    from bodega.shop import Shop

_SHOWN = 2000


class Answer:
    """An answer, which shows itself where an assertion about it fails.

    Besides the properties below it has all that ``falcon.testing.Result`` has.
    """

    def __init__(self, request: str, result: testing.Result) -> None:
        self.request = request
        self._result = result

    @property
    def status_code(self) -> int:
        """The status, e.g. 200."""
        return self._result.status_code

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return self._result.json

    @property
    def text(self) -> str:
        """The body as text."""
        return self._result.text

    @property
    def headers(self) -> Any:
        """The headers, whatever their case."""
        return self._result.headers

    def expect(self, status: int) -> Any:
        """Return the body as JSON, None when there is none.

        Raises:
            AssertionError: the status is another one; it shows the problem document.
        """
        __tracebackhide__ = True
        assert self.status_code == status, f"expected {status}: {self!r}"
        return self.json if self._result.content else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def __repr__(self) -> str:
        return f"<{self.request} -> {self._result.status}{self._shown()}>"

    def _shown(self) -> str:
        kind = self._result.headers.get("content-type", "")
        if not self._result.content:
            return ""
        if "json" in kind:
            return "\n" + json_text.dumps(self.json, indent=2, ensure_ascii=False)[:_SHOWN]
        return f" {kind}, {len(self._result.content)} bytes"


@dataclass
class Client:
    """Calls the shop's API, as somebody.

    Args:
        gate: the WSGI app.
        shop: signs the tokens.
        token: who calls; None for nobody in particular.
    """

    gate: Any
    shop: "Shop"
    token: str | None = None

    def as_admin(self) -> "Client":
        """Return a client that holds every permission."""
        return self._as(("admin",))

    def as_user(self, role: str = "user", *, subject: str = "") -> "Client":
        """Return a client of a role: user, vendor, staff or admin.

        Args:
            subject: the account's id; made up when empty.
        """
        return self._as((role,), subject)

    def as_(self, *, permissions: Iterable[str], subject: str = "") -> "Client":
        """Return a client that holds just these permissions.

        Raises:
            ValueError: no enabled addon declares one of them.
        """
        wanted, known = tuple(permissions), self.shop.assembly.permissions
        for name in wanted:
            if name not in known:
                listed = ", ".join(sorted(known))
                raise ValueError(f"no enabled addon declares {name!r}; there are: {listed}")
        return self._as(wanted, subject)

    def log_in(self, email: str, password: str) -> "Client":
        """Return a client that an account is logged in with; needs the addon accounts."""
        answer = self.post("/api/v1/auth/login", {"email": email, "password": password})
        return replace(self, token=answer.expect(200)["access"])

    def _as(self, roles: tuple[str, ...], subject: str = "") -> "Client":
        session, who = self.shop.current, subject or str(uuid7())
        token = session.issue_token(who, roles, "access", timedelta(minutes=15), {})
        return replace(self, token=token)

    def request(self, method: str, path: str, json: Any = None, **options: Any) -> Answer:
        """Call the API.

        Args:
            path: from the root, e.g. ``"/api/v1/products"``.
            options: of ``falcon.testing.simulate_request``: headers, params, body …
        """
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if json is not None:
            options["json"] = json
        result = testing.simulate_request(self.gate, method, path, headers=headers, **options)
        return Answer(f"{method} {path}", result)

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        """POST."""
        return self.request("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Answer:
        """PUT."""
        return self.request("PUT", path, json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> Answer:
        """PATCH."""
        return self.request("PATCH", path, json, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.request("DELETE", path, **options)
