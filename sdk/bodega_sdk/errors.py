"""Every error an addon may raise or meet.

::

    BodegaError
    ├── ManifestError           an addon's manifest cannot be used
    ├── UnboundError            the SDK was used outside a running shop
    ├── HookError               a function cannot be published as a hook
    ├── CapabilityError         an addon reaches for what it was not given
    ├── FetchFailed             another server could not be asked, or did not answer in time
    ├── LeaseLost               this job run no longer owns its job
    ├── PermanentFailure        a job that must not be tried again
    ├── TryLater                a job whose time has not come
    └── Problem                 an answer of the API (RFC 9457)
        ├── BadRequest          400  the request cannot be read
        ├── Unauthenticated     401  nobody is logged in
        ├── PermissionDenied    403  somebody is, but may not
        ├── NotFound            404
        ├── Conflict            409  the state of the resource forbids it
        │   └── Vetoed          409  an addon has a reason against it
        ├── PreconditionFailed  412  If-Match names another version
        ├── TooLarge            413
        ├── UnsupportedMedia    415
        ├── BadRange            416  the file has no such bytes
        ├── InvalidInput        422  the request was read, its values are wrong
        ├── PreconditionRequired 428 If-Match is missing
        ├── TooManyRequests     429
        └── Unavailable         503  try again later
            └── HookFailed      503  an addon failed where the operation needs it
"""

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar


class BodegaError(Exception):
    """The root of all errors of Bodega.

    Example::

        >>> issubclass(NotFound, BodegaError)
        True
    """


class ManifestError(BodegaError):
    """An addon's manifest breaks a rule; the message says which and how to mend it.

    Example::

        >>> Manifest(name="Loyalty", version="1", package="p", summary="Points")
        Traceback (most recent call last):
        bodega_sdk.errors.ManifestError: manifest of 'Loyalty': name must be lower_snake_case
    """


class UnboundError(BodegaError):
    """The SDK needs a running shop here: call it in a request, a job or a command.

    Example::

        >>> import contextvars
        >>> contextvars.Context().run(setting, "loyalty.rate")
        Traceback (most recent call last):
        bodega_sdk.errors.UnboundError: no shop is bound here: ...
    """


class HookError(BodegaError):
    """A function cannot be published as a hook; the message says why.

    Example::

        >>> hook("veto")(print)
        Traceback (most recent call last):
        bodega_sdk.errors.HookError: hook 'print' in an unknown place: it must be a function ...
    """


class CapabilityError(BodegaError):
    """An addon reaches for what its manifest does not name, or nobody approved.

    Args:
        addon, kind, name: who, and for what: ``"loyalty"``, ``"hosts"``, ``"points.example"``.
        reason: why not, and the remedy.

    Example::

        >>> print(CapabilityError("loyalty", "hosts", "x.example", "nobody approved that"))
        addon 'loyalty' may not do that: nobody approved that
    """

    def __init__(self, addon: str, kind: str, name: str, reason: str) -> None:
        super().__init__(f"addon {addon!r} may not do that: {reason}")
        self.addon, self.kind, self.name = addon, kind, name


class FetchFailed(BodegaError):
    """Another server could not be asked, or its answer did not come whole and in time.

    Example::

        >>> fetch("ftp://points.example")
        Traceback (most recent call last):
        bodega_sdk.errors.FetchFailed: GET ftp://points.example: expected a URL such as ...
    """


class LeaseLost(BodegaError):
    """Another worker owns the job now; this run must stop and has written nothing.

    Example::

        >>> def award(run: JobRun) -> None:
        ...     try:
        ...         with run.transaction():
        ...             run.save(done=1)
        ...     except LeaseLost:
        ...         raise  # Clean up what is outside the database, and let it go.
    """


class PermanentFailure(BodegaError):
    """The job cannot succeed, however often it is tried; the message tells the user why.

    Example::

        >>> def award(run: JobRun, order_id: str) -> None:
        ...     raise PermanentFailure(f"There is no order {order_id} any more.")
    """


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of a request.

    Args:
        field: dotted path of the field, query parameter or header, e.g. ``"price"``.
        message: what was expected and what to do, as a sentence.
        found: what was sent, shortened; ``None`` when nothing was sent.

    Example::

        >>> FieldError("points", "Must be at least 1.", 0).as_json()
        {'field': 'points', 'message': 'Must be at least 1.', 'found': 0}
    """

    field: str
    message: str
    found: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the error as it stands in a problem document."""
        shown = {"field": _shorten(self.field), "message": self.message}
        return shown if self.found is None else shown | {"found": _shorten(self.found)}


_shown = reprlib.Repr()
_shown.maxlevel, _shown.maxstring, _shown.maxother = 3, 100, 100


def _shorten(value: Any, limit: int = 100) -> Any:
    if isinstance(value, bool | int | float):
        return value if len(str(value)) <= limit else _shorten(str(value))
    # Never plain repr(): what a stranger sent can be nested deeper than Python recurses.
    text = value if isinstance(value, str) else _shown.repr(value)
    return text if len(text) <= limit else text[:limit] + "…"


class TryLater(BodegaError):
    """A job's time has not come: it is run again behind ``wait``, and no attempt is spent.

    Args:
        reason: in words, shown as the job's error meanwhile.
        wait: how long to wait at least.

    Example::

        >>> TryLater("another import is running", timedelta(seconds=1)).wait.seconds
        1
    """

    def __init__(self, reason: str, wait: timedelta) -> None:
        super().__init__(reason)
        self.wait = wait


class Problem(BodegaError):
    """An error that becomes an ``application/problem+json`` answer.

    Args:
        detail: one sentence for the person who reads it.
        errors: what is wrong, field by field.
        retry_after: seconds after which trying again makes sense.
        extra: further members of the problem document; those of RFC 9457 stay what they are.
        headers: further headers of the answer.

    Example::

        >>> class OutOfPoints(Problem):
        ...     status, code, title = 409, "out-of-points", "There are no points left"
        >>> OutOfPoints("You have 3 points.", extra={"points": 3}).status
        409
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        errors: Iterable[FieldError] = (),
        *,
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class BadRequest(Problem):
    """The request itself cannot be understood.

    Example::

        >>> raise BadRequest("The file is empty.", [FieldError("body", "Send a file.")])
        Traceback (most recent call last):
        bodega_sdk.errors.BadRequest: The file is empty.
    """

    status, code, title = 400, "bad-request", "The request cannot be read"


class Unauthenticated(Problem):
    """Nobody is logged in, or the token is no longer good.

    Example::

        >>> Unauthenticated("The link is older than a day; ask for another.").status
        401
    """

    status, code, title = 401, "unauthenticated", "Log in first"


class PermissionDenied(Problem):
    """The caller is known but lacks a permission.

    Example::

        >>> PermissionDenied("Only who placed an order may cancel it.").status
        403
    """

    status, code, title = 403, "permission-denied", "You may not do this"


class NotFound(Problem):
    """There is nothing here.

    Example::

        >>> NotFound("There is no award with this id.", [FieldError("id", "No award has it.")]).code
        'not-found'
    """

    status, code, title = 404, "not-found", "Not found"


class Conflict(Problem):
    """The state of the resource forbids it, e.g. a name that is taken.

    Example::

        >>> Conflict("The name is taken.", [FieldError("name", "Choose another.", "gold")]).status
        409
    """

    status, code, title = 409, "conflict", "In conflict with what is there"


class PreconditionFailed(Problem):
    """``If-Match`` names a version that is no longer the current one.

    Example::

        >>> PreconditionFailed("The award was changed since you read it.").status
        412
    """

    status, code, title = 412, "precondition-failed", "Somebody changed it meanwhile"


class TooLarge(Problem):
    """The body is larger than this route accepts.

    Example::

        >>> TooLarge("The file has more than 10 MB.").status
        413
    """

    status, code, title = 413, "too-large", "The request is too large"


class UnsupportedMedia(Problem):
    """The body's media type is not one this route reads.

    Example::

        >>> UnsupportedMedia("Send text/csv.").status
        415
    """

    status, code, title = 415, "unsupported-media-type", "Unsupported media type"


class BadRange(Problem):
    """``Range`` asks for bytes that the file does not have.

    Example::

        >>> BadRange("The file has 10 bytes.", headers={"Content-Range": "bytes */10"}).status
        416
    """

    status, code, title = 416, "bad-range", "There are no such bytes"


class InvalidInput(Problem):
    """The request was read, but values in it are not acceptable.

    Example::

        >>> InvalidInput("One value is wrong.", [FieldError("points", "Too few.", 0)]).status
        422
    """

    status, code, title = 422, "invalid-input", "Some values are not acceptable"


class PreconditionRequired(Problem):
    """This route only writes when ``If-Match`` is sent.

    Example::

        >>> PreconditionRequired("Send the ETag you read as If-Match.").status
        428
    """

    status, code, title = 428, "precondition-required", "If-Match is required"


class TooManyRequests(Problem):
    """The caller asks too often.

    Example::

        >>> TooManyRequests("Three codes an hour are enough.", retry_after=3600).retry_after
        3600
    """

    status, code, title = 429, "too-many-requests", "Too many requests"


class Unavailable(Problem):
    """The shop cannot answer now, but will again.

    Example::

        >>> Unavailable("The points are being added up.", retry_after=5).status
        503
    """

    status, code, title = 503, "unavailable", "Try again later"


class Vetoed(Conflict):
    """An addon has a reason against it.

    Args:
        addon, hook: who has it, and where it was asked.
        reason: one sentence for the person who reads it.

    Example::

        >>> print(Vetoed("fraud", "may_ship", "the card was stolen"))
        fraud forbids it: the card was stolen
    """

    status, code, title = 409, "vetoed", "An addon forbids it"

    def __init__(self, addon: str, hook: str, reason: str) -> None:
        super().__init__(f"{addon} forbids it: {reason}", extra={"addon": addon, "hook": hook})
        self.addon, self.hook, self.reason = addon, hook, reason


class HookFailed(Unavailable):
    """An addon failed, or is quarantined, in a hook that the operation cannot do without.

    Args:
        addon, hook: who failed, and where.
        retry_after: seconds.

    Example::

        >>> HookFailed("fraud", "may_ship").extra
        {'addon': 'fraud', 'hook': 'may_ship'}
    """

    status, code, title = 503, "hook-failed", "An addon stands in the way"

    def __init__(self, addon: str, hook: str, *, retry_after: int = 5) -> None:
        super().__init__(
            f"The addon {addon} fails in {hook}, which this needs; nothing was changed. "
            "'bodega addons list' tells an operator why.",
            retry_after=retry_after,
            extra={"addon": addon, "hook": hook},
        )
        self.addon, self.hook = addon, hook


def invalid(field: str, message: str, found: Any = None) -> InvalidInput:
    """Return the error for one bad field; raise what it returns.

    Args:
        field, message, found: see :class:`FieldError`.

    Example::

        >>> raise invalid("points", "Must be at least 1.", 0)
        Traceback (most recent call last):
        bodega_sdk.errors.InvalidInput: 'points': Must be at least 1.
    """
    return InvalidInput(f"'{field}': {message}", [FieldError(field, message, found)])
