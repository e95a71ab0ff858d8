"""Secret settings from outside the shop: the environment, files, and addons of vaults.

They take the place of what an operator stored. Nothing of them is written down.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog

from bodega.setting_values import checked, parsed
from bodega.settings import OUTSIDE
from bodega_sdk.errors import InvalidInput, Unavailable
from bodega_sdk.runtime import bound
from bodega_sdk.settings import Setting

if TYPE_CHECKING:
    from bodega.shop import Session

log = structlog.get_logger(__name__)
#: Seconds for which a process keeps what it was told, and for which it asks nobody who failed.
KEPT_FOR, SPARED_FOR = 60.0, 5.0
_asking: ContextVar[bool] = ContextVar("bodega_asking_for_a_secret", default=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A secret from outside.

    Args:
        value: as its setting wants it.
        source: ``environment``, ``file`` or ``addon NAME``.
    """

    value: Any
    source: str


class SourceFailed(Unavailable):
    """A secret is to come from somewhere that does not give it."""

    def __init__(self, source: str, detail: str) -> None:
        super().__init__(detail, retry_after=int(SPARED_FOR))
        self.source = source


def variable_of(name: str) -> str:
    """Return the variable of a secret setting: ``BODEGA_SECRET_PAYMENTS_API_KEY``."""
    return OUTSIDE + name.replace(".", "_").upper()


def claims(names: Iterable[str]) -> Mapping[str, list[str]]:
    """Return each variable with the secret settings that it may be meant for."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for ending in ("", "_FILE"):
            found[variable_of(name) + ending].append(name)
    return found


class SecretSources:
    """Where the secrets of one Assembly come from."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        addons = session.assembly.addons
        self._declared = {
            f"{addon.name}.{item.name}": item
            for addon in addons
            for item in addon.manifest.settings
            if item.secret
        }
        self._claims = claims(self._declared)
        self._sources = [(addon.name, item) for addon in addons for item in addon.secret_sources]
        self._known: dict[str, tuple[float, Found | SourceFailed | None]] = {}

    def value(self, name: str) -> Found | None:
        """Return what is given for a setting of an enabled addon; None when nothing is.

        Raises:
            SourceFailed: something should have given it; the log says why it did not.
        """
        declared = self._declared.get(name)
        return None if declared is None else self.find(name, declared)

    def source(self, name: str, declared: Setting) -> str:
        """Return where a setting's value comes from if it comes from outside, else nothing."""
        try:
            found = self.find(name, declared)
        except SourceFailed as error:
            return f"{error.source} (failing)"
        return found.source if found else ""

    def find(self, name: str, declared: Setting) -> Found | None:
        """Return what is given for a secret setting; see :meth:`value`."""
        until, known = self._known.get(name, (0.0, None))
        if monotonic() >= until:
            known, kept_for = self._asked(name, declared)
            # What is found while a source is asked, is found without the sources.
            if not _asking.get():
                self._known[name] = (monotonic() + kept_for, known)
        if isinstance(known, SourceFailed):
            raise SourceFailed(known.source, known.detail)
        return known

    def _asked(self, name: str, declared: Setting) -> tuple[Found | SourceFailed | None, float]:
        try:
            for text, source in self._texts(name):
                return Found(_read(name, declared, text, source), source), KEPT_FOR
        except SourceFailed as failed:
            return failed, SPARED_FOR
        return None, KEPT_FOR

    def _texts(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield what is given for a setting, the source that wins first."""
        variable, outside = variable_of(name), self._session.shop.settings.outside
        given = [item for item in (variable, f"{variable}_FILE") if item in outside]
        for item in given:
            meant = sorted({name, *self._claims.get(item, ())})
            if len(meant) > 1:
                raise _failed(name, "environment", f"{item} may mean {' or '.join(meant)}")
        if len(given) > 1:
            raise _failed(name, "environment", f"both {given[0]} and {given[1]} are set")
        if given == [variable]:
            yield outside[variable], "environment"
        elif given:
            yield _content(name, given[0], outside[given[0]]), "file"
        yield from self._of_addons(name)

    def _of_addons(self, name: str) -> Iterator[tuple[str, str]]:
        if _asking.get():
            return  # What a source needs itself must come from elsewhere.
        for addon, source in self._sources:
            text = self._ask(addon, source, name)
            if text is not None:
                yield text, f"addon {addon}"

    def _ask(self, addon: str, source: Callable[[str], Any], name: str) -> str | None:
        token = _asking.set(True)
        try:
            with bound(self._session):
                text = source(name)
        # An addon may raise anything; what it says is not told: it may be a secret.
        except (Exception, SystemExit) as error:
            raise _failed(name, f"addon {addon}", _place(error)) from None
        finally:
            _asking.reset(token)
        if text is None or isinstance(text, str):
            return text
        reason = f"expected text or None, found {type(text).__name__}"
        raise _failed(name, f"addon {addon}", reason)


def _content(name: str, variable: str, path: str) -> str:
    try:
        text = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise _failed(name, "file", f"{variable}: cannot read {path}: {reason}") from None
    if not text:
        raise _failed(name, "file", f"{variable}: {path} is empty")
    return text


def _read(name: str, declared: Setting, text: str, source: str) -> Any:
    try:
        return checked(name, declared, parsed(name, declared, text), secret=True)
    except InvalidInput as error:
        raise _failed(name, source, error.detail) from None


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}{place}"


def _failed(name: str, source: str, reason: str) -> SourceFailed:
    """Log why a secret is not to be had; return the error that says it to whoever asked."""
    log.error("a secret setting cannot be read", setting=name, source=source, reason=reason)
    whose = f"the {source}" if source.startswith("addon") else f"its {source}"
    return SourceFailed(
        source, f"The secret setting {name} cannot be had from {whose}; the log says why."
    )
