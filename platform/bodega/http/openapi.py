"""The OpenAPI 3.1 document: another view of the Assembly's routes."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

import falcon
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from bodega import __version__
from bodega.http.binding import not_modified, unchanged
from bodega.http.errors import PROBLEM_JSON
from bodega.http.idempotency import HEADER, LONGEST, REPLAYED
from bodega.http.openapi_security import describe, limit_headers, refusals, requirement
from bodega.http.operations import KERNEL, kernel_routes
from bodega_sdk.encoding import etag, to_json
from bodega_sdk.http import Parameter, Route
from bodega_sdk.identity import Credential
from bodega_sdk.members import PERMISSION, WRITE_PERMISSION
from bodega_sdk.schemas import Schema

if TYPE_CHECKING:
    from bodega.assembly import Assembly
    from bodega.shop import Session

_TYPES: dict[type, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    UUID: {"type": "string", "format": "uuid"},
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                    "found": {},
                },
            },
        },
    },
}


_IDEMPOTENCY_KEY = {
    "name": HEADER, "in": "header", "schema": {"type": "string", "maxLength": LONGEST},
    "description": "Of your choice, e.g. a random UUID: sent again with it within 24 hours, the "
    f"request is answered as before, with `{REPLAYED}: true`, and changes nothing.",
}  # fmt: skip


def document(assembly: "Assembly", kernel: Sequence[Route] = ()) -> dict[str, Any]:
    """Return the OpenAPI document: the routes of the enabled addons and of the kernel."""
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        "Bodega", __version__, "3.1.0", plugins=[plugin],
        info={"description": "The API of this shop, as its enabled addons make it."},
    )  # fmt: skip
    converter: Any = plugin.converter
    converter.add_attribute_function(_permission)
    spec.components.schema("Problem", _PROBLEM)
    describe(spec, assembly.credentials)
    for addon in assembly.addons:
        if any(route.addon == addon.name for route in addon.routes):
            spec.tag({"name": addon.name, "description": addon.manifest.summary})
    if kernel:
        spec.tag({"name": KERNEL, "description": "The shop itself, for administrators"})
    for route in (*assembly.routes, *kernel):
        spec.path(
            path=f"/api/v1{route.path}",
            operations={route.method.lower(): _operation(route, assembly.credentials)},
            parameters=[_path_parameter(name, route) for name in _names(route.path)],
        )
    found: dict[str, Any] = spec.to_dict()
    return found


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    # Two addons may name their schemas alike: the name of the package keeps them apart.
    package = kind.__module__.partition(".")[0].removeprefix("bodega_")
    name = f"{package}.{kind.__name__.removesuffix('Schema')}"
    return f"{name}Patch" if getattr(schema, "partial", None) else name


def _permission(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """Tell which permission a member needs, and which to be written."""
    told = {"x-permission": PERMISSION, "x-write-permission": WRITE_PERMISSION}
    found = {name: field.metadata.get(key) for name, key in told.items()}
    return {name: permission for name, permission in found.items() if permission}


def _names(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _path_parameter(name: str, route: Route) -> dict[str, Any]:
    kind = _TYPES[route.path_types.get(name, UUID)]
    return {"name": name, "in": "path", "required": True, "schema": kind}


def _operation(route: Route, credentials: Sequence[Credential]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_query_parameter(item) for item in route.parameters]
        + ([_IDEMPOTENCY_KEY] if route.idempotent else [])
        + [_header_parameter(*item) for item in route.reads.items()],
        "responses": _responses(route),
    } | requirement(route, credentials)
    if route.description:
        operation["description"] = route.description
    if route.body is not None:
        schema: Any = route.body(partial=True) if route.partial else route.body
        operation["requestBody"] = {
            "required": True, "content": {"application/json": {"schema": schema}}
        }  # fmt: skip
    elif route.media:
        operation["requestBody"] = {"required": True, "content": {route.media: _media(route)}}
    return operation


def _media(route: Route) -> dict[str, Any]:
    if route.media != "multipart/form-data":
        return {"schema": {"type": "string", "format": "binary"}}
    file = {"type": "string", "format": "binary"}
    return {"schema": {"type": "object", "required": ["file"], "properties": {"file": file}}}


def _query_parameter(item: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_TYPES[item.type])
    if item.default is not None:
        schema["default"] = item.default
    if item.minimum is not None:
        schema["minimum"] = item.minimum
    if item.maximum is not None:
        schema["maximum"] = item.maximum
    if item.choices:
        schema["enum"] = list(item.choices)
    return {"name": item.name, "in": "query", "description": item.help, "schema": schema}


def _header_parameter(name: str, told: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": told, "schema": {"type": "string"}}


def _told_headers(route: Route) -> dict[str, Any]:
    return {
        name: {"description": told, "schema": {"type": "string"}}
        for name, told in route.tells.items()
    }


def _responses(route: Route) -> dict[str, Any]:
    problem = {"content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    headers = limit_headers() | _told_headers(route)
    success: dict[str, Any] = {"description": "Success", "headers": headers}
    if route.returns is not None:
        success["content"] = {"application/json": {"schema": _shown(route.returns, route.listing)}}
    if route.produces:
        success["content"] = {route.produces: {"schema": {"type": "string", "format": "binary"}}}
    responses: dict[str, Any] = {str(route.status): success} | refusals(route)
    responses["4XX"] = {"description": "The request was refused"} | problem
    responses["5XX"] = {"description": "The shop cannot answer now"} | problem
    return responses


def _shown(schema: type[Schema], listing: bool) -> Any:
    if not listing:
        return schema
    link = {"type": ["string", "null"], "format": "uri"}
    return {
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer"},
            "next": link,
            "previous": link,
            "results": {"type": "array", "items": schema},
        },
    }


class OpenApi:
    """Serves the document, made at its first request and kept with the Assembly."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    @cached_property
    def _json(self) -> bytes:
        return to_json(document(self._session.assembly, kernel_routes(self._session)))

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the document."""
        resp.content_type = "application/json"
        resp.data = self._json
        tag = etag(self._json)
        resp.set_header("ETag", tag)
        if unchanged(req, tag):
            not_modified(resp)

    on_head = on_get


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve it."""
    app.add_route("/api/schema", OpenApi(session))
