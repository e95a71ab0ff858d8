"""V121 to V125: what happens while the package is imported, watched by an audit hook."""

import atexit
import contextlib
import decimal
import gc
import importlib
import locale
import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from bodega_sdk.testing.conformance.findings import Finding
from bodega_sdk.testing.conformance.subject import Subject

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_EVENTS = {
    "V121": ("_thread.start_new_thread", "_thread.start_joinable_thread", "subprocess.Popen",
             "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec"),
    "V122": ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo",
             "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"),
    "V123": ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink",
             "os.truncate", "os.chmod", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp",
             "sqlite3.connect"),
}  # fmt: skip
_RULE_OF = {event: rule for rule, events in _EVENTS.items() for event in events}
_WATCHED = ("builtins", "json", "os", "datetime", "peewee", "playhouse", "falcon", "marshmallow",
            "click", "pluggy", "bodega_sdk", "bodega")  # fmt: skip
_IGNORED = ("__annotations__", "__doc__", "__builtins__", "__warningregistry__", "__path__",
            "__slotnames__", "_field_counter")  # fmt: skip


@dataclass
class Watch:
    """Writes down what modules of the addon do while they are imported."""

    subject: Subject
    on: bool = False
    found: list[Finding] = field(default_factory=list)

    def start(self) -> None:
        """Listen from now on; an audit hook cannot be taken away."""
        sys.addaudithook(self._hear)
        atexit_register: Callable[..., Any] = atexit.register
        atexit.register = self._register(atexit_register)
        threading.Thread.start = self._starting(threading.Thread.start)  # type: ignore[assignment]
        warnings.simplefilter("default")
        warnings.showwarning = self._warned  # type: ignore[assignment]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        rule = _RULE_OF.get(event) or ("V123" if _writes(event, arguments) else None)
        place = self._culprit() if rule else ""
        if rule and place:
            shown = arguments[0] if arguments and isinstance(arguments[0], str) else ""
            self._note(Finding(rule, f"{event} {shown}".strip(), place))

    def _note(self, finding: Finding) -> None:
        if finding not in self.found:
            self.found.append(finding)

    def _register(self, register: Callable[..., Any]) -> Any:
        def watched(function: Any, *args: Any, **kwargs: Any) -> Any:
            frame = sys._getframe(1)
            if self.on and self.subject.owns(frame.f_code.co_filename):
                place = self.subject.place(frame.f_code.co_filename, frame.f_lineno)
                self._note(Finding("V124", "registers a function with atexit", place))
            return register(function, *args, **kwargs)

        return watched

    def _starting(self, start: Callable[[Any], None]) -> Callable[[Any], None]:
        # Python 3.11 tells audit hooks nothing of threads.
        def watched(thread: threading.Thread) -> None:
            if self.on and (place := self._culprit()):
                self._note(Finding("V121", f"starts the thread {thread.name}", place))
                self.on = False  # What else is heard of this start is the same.
                start(thread)
                self.on = True
                return
            start(thread)

        return watched

    def _warned(self, message: Any, category: Any, filename: str, lineno: int, *_: Any) -> None:
        if self.on and self.subject.owns(filename):
            told = f"warns: {category.__name__}: {message}"
            self._note(Finding("V125", told, self.subject.place(filename, lineno)))

    def _culprit(self) -> str:
        """Return the line of the addon that does it; none if a library does at its own import."""
        self.on, frame = False, sys._getframe(2)
        try:
            while frame is not None:
                name = frame.f_code.co_filename
                if self.subject.owns(name):
                    return self.subject.place(name, frame.f_lineno)
                if "importlib._bootstrap" in name:
                    return ""
                frame = frame.f_back  # type: ignore[assignment]
            return ""
        finally:
            self.on = True


def _writes(event: str, arguments: tuple[Any, ...]) -> bool:
    if event != "open" or len(arguments) < 3:
        return False
    path, mode, flags = arguments[:3]
    if isinstance(path, int) or "__pycache__" in str(path) or str(path) == os.devnull:
        return False
    by_mode = isinstance(mode, str) and bool(set(mode) & set("wax+"))
    return by_mode or (isinstance(flags, int) and bool(flags & _WRITING))


def check(subject: Subject) -> Iterator[Finding]:
    """Import the plugin and every other module of the package, watching."""
    for name in subject.needed():
        # What it depends on is imported first: its imports are not the addon's.
        _import(f"{subject.manifests[name].package}.plugin" if name in subject.manifests else "")
    watch = Watch(subject)
    before, printed = _State(), _written()
    watch.start()
    before.filters = list(warnings.filters)
    faults = list(_import_all(subject, watch))
    yield from watch.found
    yield from faults
    yield from before.differences()
    yield from _printed(subject, printed)


def _import_all(subject: Subject, watch: Watch) -> Iterator[Finding]:
    plugin = f"{subject.manifest.package}.plugin"
    others = [s for s in subject.sources if s.tree is not None and _importable(s)]
    watch.on = True
    try:
        _import(plugin)  # Whatever it raises is told by V201.
        for source in others:
            if error := _import(source.module):
                told = f"cannot be imported: {type(error).__name__}: {error}"
                yield Finding("V109", told, subject.place(source.path))
    finally:
        watch.on = False


def _importable(source: Any) -> bool:
    hidden = source.path.stem == "__main__" or source.module.endswith(".plugin")
    return not (source.migration or source.tests or hidden)


def _import(module: str) -> BaseException | None:
    if not module:
        return None
    try:
        importlib.import_module(module)
    except KeyboardInterrupt:
        raise
    # An addon may do anything at import, sys.exit() included.
    except BaseException as error:
        return error
    return None


def _written() -> int:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    return os.fstat(1).st_size + os.fstat(2).st_size


def _printed(subject: Subject, before: int) -> Iterator[Finding]:
    if _written() > before:
        yield Finding("V125", f"importing {subject.manifest.package} prints something")


class _State:
    """What of the process an import must not change."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self.signals = _signals()
        self.logging = _logging()
        self.path, self.folder = list(sys.path), os.getcwd()
        self.hooks = (sys.excepthook, threading.excepthook, sys.displayhook)
        self.numbers = _numbers()
        self.filters = list(warnings.filters)
        self.attributes = {name: _attributes(sys.modules[name]) for name in _watched()}

    def differences(self) -> Iterator[Finding]:
        """Yield what is different now."""
        pairs: tuple[tuple[str, Any, Any], ...] = (
            ("settings of the process", self.numbers, _numbers()),
            ("os.environ", self.environment, dict(os.environ)),
            ("signal handlers", self.signals, _signals()),
            ("logging", self.logging, _logging()),
            ("sys.path", self.path, list(sys.path)),
            ("the working folder", self.folder, os.getcwd()),
            ("hooks of sys", self.hooks, (sys.excepthook, threading.excepthook, sys.displayhook)),
            ("the filters of warnings", self.filters, list(warnings.filters)),
        )
        for what, before, now in pairs:
            if before != now:
                yield Finding("V124", f"importing changes {what}: {_change(before, now)}")
        for name, before in self.attributes.items():
            yield from _patched(name, before, _attributes(sys.modules[name]))


def _change(before: Any, now: Any) -> str:
    if isinstance(before, dict):
        names = sorted(str(k) for k in before.keys() ^ now.keys())
        return ", ".join(names or sorted(str(k) for k in before if before[k] != now[k]))
    if isinstance(before, list):
        return ", ".join(str(item) for item in now if item not in before) or "their order"
    return f"{now!r}"[:200]


def _numbers() -> dict[str, Any]:
    return {
        "decimal.getcontext().prec": decimal.getcontext().prec,
        "locale": locale.setlocale(locale.LC_ALL),
        "socket.getdefaulttimeout": socket.getdefaulttimeout(),
        "sys.getrecursionlimit": sys.getrecursionlimit(),
        "gc.isenabled": gc.isenabled(),
    }


def _signals() -> dict[str, Any]:
    return {item.name: signal.getsignal(item) for item in signal.valid_signals()
            if isinstance(item, signal.Signals)}  # fmt: skip


def _logging() -> dict[str, Any]:
    root = logging.getLogger()
    return {
        "the level of root": root.level,
        "the handlers of root": list(root.handlers),
        "the filters of root": list(root.filters),
        "logging.disable": root.manager.disable,
        "the class of loggers": logging.getLoggerClass(),
    }


def _watched() -> list[str]:
    return [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] in _WATCHED and "testing" not in name and module is not None
    ]


def _attributes(module: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in list(vars(module).items()):
        if isinstance(value, ModuleType) or name in _IGNORED:
            continue
        found[name] = value
        if isinstance(value, type) and value.__module__ == module.__name__:
            inner = {f"{name}.{k}": v for k, v in list(vars(value).items()) if k not in _IGNORED}
            found |= inner
    return found


def _patched(module: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[Finding]:
    changed = [name for name in now if name not in before or now[name] is not before[name]]
    changed += [name for name in before if name not in now]
    for name in changed:
        if not name.rpartition(".")[2].startswith("_abc_"):
            yield Finding("V124", f"importing changes {module}.{name}")
