"""What the OpenAPI document says of security: who may call, and how callers are refused."""

from collections.abc import Iterable
from typing import Any

from apispec import APISpec

from bodega.http.errors import PROBLEM_JSON
from bodega_sdk.http import Route
from bodega_sdk.identity import Credential
from bodega_sdk.permissions import AUTHENTICATED, PUBLIC

BEARER = "bearer"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token, as logging in gives it. Its signature can be checked with "
    "the keys at `/.well-known/jwks.json`. A token that is no good is refused on public routes "
    "too.",
}
_HEADERS = {
    "RateLimit": (
        "What is left of the quota (`r`), and in how many seconds it is filled up (`t`); not "
        "there while requests are not limited.",
        '"default";r=599;t=42',
    ),
    "RateLimit-Policy": ("The quota (`q`) of a window of seconds (`w`).", '"default";q=600;w=60'),
}
_RETRY_AFTER = {
    "description": "Seconds after which the request can be repeated.",
    "schema": {"type": "integer", "minimum": 0},
}
_CHALLENGE = {"description": "How to log in (RFC 6750).", "schema": {"type": "string"}}
_UNAUTHENTICATED, _DENIED, _LIMITED = "Unauthenticated", "PermissionDenied", "TooManyRequests"
_DESCRIPTIONS = {
    _UNAUTHENTICATED: "Nobody is logged in, or the token or key is no good.",
    _DENIED: "The caller does not hold the permission, or the object is not theirs to change.",
    _LIMITED: "Too many requests; repeat it later.",
}


def describe(spec: APISpec, credentials: Iterable[Credential]) -> None:
    """Put the schemes, headers and answers that operations refer to into the document."""
    spec.components.security_scheme(BEARER, _BEARER)
    for item in credentials:
        spec.components.security_scheme(_scheme(item), _described(item))
    for name, (description, example) in _HEADERS.items():
        header = {"description": description, "schema": {"type": "string"}, "example": example}
        spec.components.header(name, header)
    headers: dict[str, dict[str, Any]] = {
        _UNAUTHENTICATED: {"WWW-Authenticate": _CHALLENGE},
        _DENIED: {},
        _LIMITED: {"Retry-After": _RETRY_AFTER},
    }
    for name, own in headers.items():
        spec.components.response(name, _problem(name, own | limit_headers()))


def _scheme(item: Credential) -> str:
    return item.prefix.rstrip("_")


def _described(item: Credential) -> dict[str, str]:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": f"{item.prefix}…",
        "description": f"An API key, which begins with `{item.prefix}`, sent in the place of an "
        "access token. It holds the permissions that it was made for, and reaches nothing that "
        "is about the caller's own account.",
    }


def _problem(name: str, headers: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _DESCRIPTIONS[name],
        "headers": headers,
        "content": {PROBLEM_JSON: {"schema": schema}},
    }


def limit_headers() -> dict[str, dict[str, str]]:
    """Return the headers that tell every caller how many requests are left."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}


def requirement(route: Route, credentials: Iterable[Credential]) -> dict[str, Any]:
    """Return what an operation says of who may call it."""
    told: dict[str, Any] = {"x-permission": route.permission, "x-objects": route.objects}
    if route.beyond:
        told["x-beyond"] = route.beyond
    if route.permission != PUBLIC:
        # What is for whoever is logged in is for people, see Identity.may.
        keys = () if route.permission == AUTHENTICATED else credentials
        told["security"] = [{BEARER: []}, *({_scheme(item): []} for item in keys)]
    return told


def refusals(route: Route) -> dict[str, dict[str, str]]:
    """Return the answers of an operation to those whom it does not let in."""
    found = {"401": _UNAUTHENTICATED, "403": _DENIED, "429": _LIMITED}
    if route.permission == PUBLIC and route.objects == "all":
        del found["403"]
    return {
        status: {"$ref": f"#/components/responses/{name}", "description": _DESCRIPTIONS[name]}
        for status, name in found.items()
    }
