"""Swagger UI and Scalar, offline: their files come from wheels, the pages are ours."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falcon

if TYPE_CHECKING:
    from bodega.shop import Session

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body>{body}</body></html>
"""
_SWAGGER = _PAGE.format(
    title="Bodega API",
    head='<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css">',
    body='<div id="swagger-ui"></div>'
    '<script src="/api/docs/assets/swagger-ui-bundle.js"></script>'
    '<script src="/api/docs/start.js"></script>',
)
_SWAGGER_START = """SwaggerUIBundle({url: "/api/schema", dom_id: "#swagger-ui",
  deepLinking: true, persistAuthorization: true, validatorUrl: null});
"""
_SCALAR = _PAGE.format(
    title="Bodega API reference",
    head="",
    body='<script id="api-reference" data-url="/api/schema" '
    'data-configuration=\'{"withDefaultFonts": false, "telemetry": false, '
    '"hideClientButton": true, "agent": {"disabled": true}}\'></script>'
    '<script src="/api/redoc/assets/scalar-api-reference.js"></script>',
)
# Both tools style themselves by script; nothing may come from elsewhere.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)


class Page:
    """One page or script of ours."""

    def __init__(self, text: str, media: str = "text/html; charset=utf-8") -> None:
        self._data = text.encode()
        self._media = media

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with it."""
        resp.content_type = self._media
        resp.data = self._data
        resp.set_header("Content-Security-Policy", _POLICY)

    on_head = on_get


def assets(package: str, folder: str) -> Path:
    """Return a folder inside an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"package {package} is not installed; run 'pip install bodega'")
    return Path(spec.origin).parent / folder


def add_routes(app: falcon.App[Any, Any], session: "Session") -> None:
    """Serve them."""
    app.add_route("/api/docs", Page(_SWAGGER))
    app.add_route("/api/docs/start.js", Page(_SWAGGER_START, "text/javascript"))
    app.add_route("/api/redoc", Page(_SCALAR))
    app.add_static_route("/api/docs/assets", assets("flask_swagger_ui", "dist"))
    app.add_static_route("/api/redoc/assets", assets("stopments", "static"))
