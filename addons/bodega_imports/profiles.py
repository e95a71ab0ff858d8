"""Profiles: how files are read that come again, and what their columns mean."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import peewee

from bodega_imports.columns import FIELDS
from bodega_imports.records import BadReading, Reading
from bodega_sdk import Collection, Entity, Parameter, Request, extensions_of
from bodega_sdk.errors import BadRequest, FieldError, invalid
from bodega_sdk.schemas import Dict, Schema, String, Timestamp, Uuid, validate

#: Columns that a profile may name.
MOST = 200


class Profile(Entity):
    """How a kind of file is read; ``columns`` says which field a column is."""

    name: Any = peewee.CharField(max_length=100)
    columns: Any = peewee.JSONField(default=dict)
    delimiter: Any = peewee.CharField(max_length=10, default="")
    encoding: Any = peewee.CharField(max_length=40, default="")
    sheet: Any = peewee.CharField(max_length=100, default="")
    # Whose it is; null for the shop's.
    organization: Any = peewee.UUIDField(null=True, index=True)

    class Meta:
        """Peewee's options."""

        table_name = "imports_profile"


@dataclass(frozen=True)
class How:
    """How one file is read; what is empty is found out.

    Args:
        columns: name of a column → the field it is; ``""`` for one that is not to be used.
        delimiter, encoding, sheet: see :class:`bodega_imports.records.Reading`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""

    @property
    def reading(self) -> Reading:
        """How the file is read."""
        return Reading(self.delimiter, self.encoding, self.sheet)

    def stored(self) -> dict[str, Any] | None:
        """Return it as an import keeps it; None when all is found out."""
        return None if self == How() else asdict(self)


class ImportProfileSchema(Schema):
    """How a kind of file is read."""

    id = Uuid(dump_only=True)
    name = String(required=True, min_length=1, max_length=100, strip=True)
    columns = Dict(
        keys=String(min_length=1, max_length=200), values=String(max_length=200),
        load_default=dict, validate=validate.Length(max=MOST, error=f"At most {MOST} columns."),
        metadata={
            "description": "The name of a column in the file, and the field it is: one of "
            f"{', '.join(FIELDS)}, or a member that an addon adds, such as loyalty.points; "
            "empty for a column that is not to be used. Columns that are not named are "
            "recognised as usual."
        },
    )  # fmt: skip
    delimiter = String(
        max_length=10, load_default="",
        metadata={"description": "One character, or `tab`; found out when empty."},
    )  # fmt: skip
    encoding = String(
        max_length=40, load_default="",
        metadata={"description": "Such as utf-8, cp1252 or shift_jis; found out when empty."},
    )  # fmt: skip
    sheet = String(
        max_length=100, load_default="",
        metadata={"description": "Of a workbook: its name or number; the first when empty."},
    )  # fmt: skip
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)


class Profiles(Collection):
    """Profiles."""

    model = Profile
    schema = ImportProfileSchema
    noun = "import profile"
    read = "imports.read"
    write = "imports.write"
    objects, beyond, owner = "organization", "imports.all", Profile.organization

    def create(self, request: Request, data: dict[str, Any]) -> Profile:
        """Make a profile."""
        _check(data)
        made: Profile = Profile.create(**data | {"organization": self.whose(request)})
        return made

    def change(self, request: Request, row: Profile, data: dict[str, Any]) -> Profile:
        """Change a profile; imports that began with it go on as they began."""
        _check(data)
        changed: Profile = super().change(request, row, data)
        return changed


def _check(data: Mapping[str, Any]) -> None:
    given = {name: data[name] for name in ("delimiter", "encoding", "sheet") if name in data}
    try:
        Reading(**given)
    except BadReading as error:
        raise invalid(error.field, str(error), error.found) from None
    columns: Mapping[str, str] = data.get("columns", {})
    known = {*FIELDS, "", *_added()}
    for name, meant in columns.items():
        if meant not in known:
            listed = ", ".join(sorted(known - {""}))
            raise invalid(f"columns.{name}", f"There is no such field; known are {listed}.", meant)
    meanings = [meant for meant in columns.values() if meant]
    for twice in {meant for meant in meanings if meanings.count(meant) > 1}:
        raise invalid("columns", "Two columns are the same field.", twice)


def _added() -> set[str]:
    return {name for item in extensions_of("products.product") for name in item.columns()}


#: What says how a file is read, of requests that bring one.
PARAMETERS = (
    Parameter("profile", UUID, "Read it as the import profile with this id says."),
    Parameter("delimiter", str, "Of CSV: one character, or `tab`; found out when left out."),
    Parameter("encoding", str, "Of text, e.g. `cp1252`; found out when left out."),
    Parameter("sheet", str, "Of a workbook: a name or number; the first when left out."),
)


def how_of(request: Request) -> How:
    """Return how the file of a request is to be read.

    Raises:
        BadRequest: there is no such profile, or the file cannot be read so.
    """
    query = request.query
    profile = _profile(request, query["profile"]) if "profile" in query else Profile()
    parts = {
        name: query.get(name, getattr(profile, name)) for name in ("delimiter", "encoding", "sheet")
    }
    try:
        Reading(**parts)
    except BadReading as error:
        shown = f"Query parameter '{error.field}': {error}"
        raise BadRequest(shown, [FieldError(error.field, str(error), error.found)]) from None
    return How(profile.columns, **parts)


def _profile(request: Request, key: UUID) -> Profile:
    identity = request.identity
    found: Profile | None = Profile.find(key)
    own = found is not None and str(found.organization or "-") == identity.organization
    if found is None or not (own or identity.may("imports.all")):
        message = "There is no import profile with this id."
        raise BadRequest(f"'profile': {message}", [FieldError("profile", message, str(key))])
    return found
