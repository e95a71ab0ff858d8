"""The route by which the shop is told to fetch a file."""

from pathlib import Path

from bodega_imports.fetching import LONGEST_URL, checked_url, name_in, sealed_url, shown_url
from bodega_imports.resources import ALL, UPLOAD, begin_for
from bodega_imports.schemas import ImportSchema
from bodega_imports.upload import file_name
from bodega_sdk import Reply, Request, Route
from bodega_sdk.schemas import Schema, String


class FetchSchema(Schema):
    """Where a file is."""

    url = String(
        required=True,
        min_length=1,
        max_length=LONGEST_URL,
        metadata={
            "description": "Begins with `https://` or `http://` and leads to the file itself. "
            "Its query is kept secret."
        },
    )
    filename = String(
        min_length=1,
        max_length=255,
        metadata={"description": "How the import is to call it; else as the address ends."},
    )


def _fetch(request: Request) -> Reply:
    url = checked_url(request.body["url"])
    name = file_name(request.body["filename"]) if "filename" in request.body else name_in(url)
    secret = {"source": shown_url(url), "url": sealed_url(url)}
    run = begin_for(request, name, 0, _nothing, **secret, **request.query)
    where = request.raw.path.rstrip("/").rpartition("/")[0]
    return Reply(ImportSchema().dump(run), 202, {"Location": f"{where}/{run.id}"})


def _nothing(path: Path) -> None:
    """Put no file there: the worker fetches it."""


FETCH = Route(
    "POST", "/imports/fetch", _fetch, "imports.write", "Import a file from an address",
    description="The answer comes at once, and a worker fetches the file: its `phase` is "
    "`fetching` meanwhile. Addresses of the internet are fetched only, also behind redirects.",
    parameters=UPLOAD.parameters, body=FetchSchema, returns=ImportSchema, status=202,
    objects="organization", beyond=ALL, idempotent=True,
)  # fmt: skip
