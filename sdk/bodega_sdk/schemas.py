"""Schemas: marshmallow, made strict where JSON and PostgreSQL are.

marshmallow's own fields read ``"yes"`` as true and let NUL bytes through; these do not.
``validate`` and ``ValidationError`` are marshmallow's own: rules of a
field, e.g. ``String(validate=validate.OneOf(["gold", "silver"]))``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, ClassVar

import marshmallow
from marshmallow import fields, validate
from marshmallow.exceptions import ValidationError

from bodega_sdk.errors import FieldError, InvalidInput
from bodega_sdk.ids import UUID_TEXT
from bodega_sdk.mail import check_address
from bodega_sdk.money import LARGEST, read_decimal

__all__ = [
    "Amount", "Boolean", "Date", "Dict", "Email", "Integer", "List", "Nested", "Schema", "String",
    "Timestamp", "Url", "Uuid", "ValidationError", "load", "of_columns", "validate",
]  # fmt: skip

#: marshmallow's own: a JSON object, e.g. ``Dict(keys=String(), values=Integer())``.
Dict = fields.Dict
#: marshmallow's own: a JSON array, e.g. ``List(String(), load_default=list)``.
List = fields.List
#: marshmallow's own: an object with a schema, e.g. ``Nested(AwardSchema, many=True)``.
Nested = fields.Nested


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Errors of one request that are listed.
MOST_ERRORS = 50


class Schema(marshmallow.Schema):
    """A schema that refuses members it does not know and keeps the order of its fields.

    Example::

        >>> class AwardSchema(Schema):
        ...     id = Uuid(dump_only=True)
        ...     points = Integer(required=True, minimum=1)
        >>> load(AwardSchema(), {"points": 3})
        {'points': 3}
    """

    #: Attribute → what makes its value of a row, e.g. ``{"total": lambda row: row.sum()}``, as
    #: it is shown; a collection that fills a member in itself has it made as None. What is made
    #: of nothing but columns is faster by :class:`of_columns`.
    made: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}

    class Meta:
        """marshmallow's options."""

        unknown = marshmallow.RAISE

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return the value of a member; see ``made``."""
        made = self.made.get(attr)
        return made(obj) if made else super().get_attribute(obj, attr, default)


class of_columns:
    """What makes a member of columns of a row, for :attr:`Schema.made`.

    Args:
        make: is given the values of the columns, in their order.
        names: of fields of the model.

    Example::

        >>> class PointsSchema(Schema):
        ...     made = {"points": of_columns(str, "points")}
        ...     points = String()
        >>> PointsSchema().dump(Award(points=7))
        {'points': '7'}
    """

    def __init__(self, make: Callable[..., Any], *names: str) -> None:
        self.make, self.names = make, names

    def __call__(self, row: Any) -> Any:
        return self.make(*[getattr(row, name) for name in self.names])


class String(fields.String):
    """Text without NUL, ``max_length`` characters at most (200 unless said otherwise).

    Args:
        max_length: characters.
        min_length: characters, after stripping when ``strip``.
        strip: whether white space around it is dropped.

    Example::

        >>> String(min_length=1, max_length=80, strip=True).deserialize("  gold ")
        'gold'
    """

    def __init__(
        self, *, max_length: int = 200, min_length: int = 0, strip: bool = False, **kwargs: Any
    ) -> None:
        extra = kwargs.pop("validate", ())
        rules = [*(extra if isinstance(extra, list | tuple) else (extra,))]
        super().__init__(validate=[_length(min_length, max_length), *rules], **kwargs)
        self.strip = strip

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise ValidationError("NUL characters are not allowed.")
        return text.strip() if self.strip else text


def _length(least: int, most: int) -> validate.Length:
    return validate.Length(
        min=least,
        max=most,
        error=f"Must be {least} to {most} characters long."
        if least
        else f"Must be at most {most} characters long.",
    )


class Email(String):
    """An e-mail address, at most 254 characters (RFC 5321), lower-cased.

    Example::

        >>> Email().deserialize(" Ada@Shop.Example ")
        'ada@shop.example'
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, strip=True, validate=validate.Email(), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).lower()
        try:
            return check_address(text)
        except InvalidInput:
            raise ValidationError("Not a valid email address.") from None


class Url(String):
    """An absolute http or https address, at most 2000 characters.

    Example::

        >>> Url().deserialize("https://shop.example/a")
        'https://shop.example/a'
    """

    def __init__(self, **kwargs: Any) -> None:
        told = "Expected an address such as https://shop.example/page."
        rule = validate.URL(schemes={"http", "https"}, require_tld=False, error=told)
        super().__init__(max_length=2000, strip=True, validate=rule, **kwargs)


class Integer(fields.Integer):
    """A whole number; ``"1"``, ``1.0`` and ``true`` are none.

    Args:
        minimum, maximum: inclusive bounds; 64 bits unless said otherwise.

    Example::

        >>> Integer(minimum=0, maximum=9).deserialize(3)
        3
    """

    def __init__(self, *, minimum: int = -(2**63), maximum: int = 2**63 - 1, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(min=minimum, max=maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Boolean(fields.Boolean):
    """``true`` or ``false`` and nothing else.

    Example::

        >>> Boolean().deserialize("yes")
        Traceback (most recent call last):
        marshmallow.exceptions.ValidationError: Not a valid boolean.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Uuid(fields.UUID):
    """A UUID as text.

    Example::

        >>> Uuid().deserialize("0190f4a2-7c1e-7000-8000-000000000001").version
        7
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Timestamp(fields.AwareDateTime):
    """An instant in ISO 8601 with a zone; shown in UTC with ``Z``.

    Example::

        >>> Timestamp().deserialize("2026-01-31T12:00:00+01:00").utcoffset() is not None
        True
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        shown: str = value.astimezone(UTC).isoformat()
        return shown.replace("+00:00", "Z")


class Date(fields.Date):
    """A day in ISO 8601, ``"1990-12-31"``.

    Example::

        >>> Date().deserialize("1990-12-31").year
        1990
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="date")
        return super()._deserialize(value, attr, data, **kwargs)


class Amount(fields.Field[Decimal]):
    """A sum of money without its currency: a decimal string, ``"29.99"``.

    Read from a string or a JSON number; zero or more unless ``negative``.

    Args:
        negative: whether less than zero is allowed.

    Example::

        >>> Amount().deserialize("29.99")
        Decimal('29.99')
    """

    def __init__(self, *, negative: bool = False, **kwargs: Any) -> None:
        metadata = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "example": "29.99"}
        super().__init__(metadata=metadata | kwargs.pop("metadata", {}), **kwargs)
        self.negative = negative

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError('Expected a decimal amount such as "29.99".')
        amount = _decimal(value)
        if amount < 0 and not self.negative:
            raise ValidationError("Must not be negative.")
        return amount


def _decimal(value: str | int | float) -> Decimal:
    try:
        amount = read_decimal(value if isinstance(value, str) else _plain(value))
    except ValueError:
        raise ValidationError('Expected a decimal amount such as "29.99".') from None
    if abs(amount) > LARGEST:
        raise ValidationError(f"Must not be larger than {LARGEST}.")
    return amount


def _plain(value: int | float) -> str:
    """Return a JSON number as it is written without an exponent."""
    if isinstance(value, int) or not 1e-20 < abs(value) < 1e20:
        return str(value) if isinstance(value, int) and abs(value) < 10**20 else repr(value)
    return format(Decimal(repr(value)), "f")


def load(schema: Schema, data: Any, *, partial: bool = False) -> dict[str, Any]:
    """Check data against a schema.

    Args:
        data: as it came, e.g. a request's body.
        partial: whether required members may be missing.

    Raises:
        InvalidInput: with one error for each bad field.

    Example::

        >>> load(AwardSchema(), {"points": 0})
        Traceback (most recent call last):
        bodega_sdk.errors.InvalidInput: 1 value(s) are not acceptable: 'points'.
    """
    if not isinstance(data, Mapping):
        message = "Expected a JSON object."
        raise InvalidInput(message, [FieldError("body", message)])
    try:
        loaded: dict[str, Any] = schema.load(data, partial=partial)
    except ValidationError as error:
        raise invalid_input(error, _showable(schema, data)) from None
    return loaded


def _showable(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be shown again: no secrets, and nothing under a name we do not know."""
    known = schema.load_fields
    return {name: data[name] for name in data.keys() & known.keys() if not known[name].load_only}


def invalid_input(error: ValidationError, data: Any) -> InvalidInput:
    """Turn marshmallow's error into ours, with the values that were found."""
    errors = tuple(_flatten(error.messages, data, ""))
    named = ", ".join(f"'{item.field[:100]}'" for item in errors[:5])
    message = f"{len(errors)} value(s) are not acceptable: {named}."
    return InvalidInput(message, errors[:MOST_ERRORS])


def _flatten(messages: Any, data: Any, path: str) -> list[FieldError]:
    if isinstance(messages, Mapping):
        return [
            item
            for key, inner in messages.items()
            for item in _flatten(inner, _member(data, key), _join(path, key))
        ]
    lines = messages if isinstance(messages, list) else [messages]
    return [FieldError(path or "body", " ".join(map(str, lines)), data)]


def _join(path: str, key: Any) -> str:
    if key == "_schema":
        return path
    return f"{path}.{key}" if path else str(key)


def _member(data: Any, key: Any) -> Any:
    if key == "_schema":
        return None
    if isinstance(data, Mapping):
        return data.get(key)
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return data[key]
    return None
