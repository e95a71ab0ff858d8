"""The console's own files: its style, its scripts, its icon."""

from functools import cache
from pathlib import Path

import falcon

from bodega.console.rendering import FOLDER
from bodega.http.binding import not_modified, unchanged
from bodega_sdk.encoding import etag
from bodega_sdk.errors import NotFound

_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Files:
    """``/console/static/NAME``; nothing else than these files is ever opened."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Answer with a file."""
        found = _files().get(name)
        if found is None:
            raise NotFound("There is nothing at this address.")
        data, tag = found
        resp.content_type = _MEDIA[Path(name).suffix]
        resp.data = data
        resp.set_header("ETag", tag)
        resp.set_header("Cache-Control", "no-cache")
        if unchanged(req, tag):
            not_modified(resp)

    on_head = on_get


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    paths = (FOLDER / "static").iterdir()
    read = {path.name: path.read_bytes() for path in paths if path.suffix in _MEDIA}
    return {name: (data, etag(data)) for name, data in read.items()}
