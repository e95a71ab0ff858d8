"""The contract of the SDK: what is public is written down, and breaking it does not pass."""

import functools
import importlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner
from packaging.specifiers import SpecifierSet

import bodega_sdk
from bodega_sdk import hookspecs
from bodega_sdk.contract import breaches, current, last_released, needed, objections, snapshots
from bodega_sdk.contract.__main__ import main
from bodega_sdk.contract.comparing import renewed
from bodega_sdk.contract.reading import HOUSE, MODULES, Source
from bodega_sdk.contract.symbols import Snapshot, minor, read
from bodega_sdk.deprecations import DEPRECATED, Deprecation

ADDONS = HOUSE.parents[1] / "addons"
Edit = Callable[..., Source]
Write = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The source of the SDK with a file changed, as a later version would have it."""

    def edit(file: str = "", before: str = "", after: str = "") -> Source:
        folder = tmp_path / "bodega_sdk"
        if not folder.exists():
            shutil.copytree(
                HOUSE,
                folder,
                ignore=shutil.ignore_patterns("__pycache__", "scaffold", "conformance"),
            )
        if file:
            text = (folder / file).read_text()
            assert before in text, f"{file} does not hold {before!r}"
            (folder / file).write_text(text.replace(before, after, 1))
        return Source(folder)

    return edit


@pytest.fixture
def package(tmp_path: Path) -> Write:
    """An addon's package of one module."""

    def write(source: str) -> Path:
        folder = tmp_path / "bodega_loyalty"
        folder.mkdir(exist_ok=True)
        (folder / "plugin.py").write_text(dedent(source))
        return folder

    return write


@functools.cache
def released(version: str = "1.0", deprecated: str = "") -> Snapshot:
    """Return the contract as if it had been released; the cache knows what was deprecated."""
    return replace(renewed(Source().symbols(), version, None), released="2026-11-01")


def later(source: Source, version: str = "1.1") -> Snapshot:
    """Return the contract of a later version."""
    return renewed(source.symbols(), version, released())


# What is written down.


def test_the_contract_of_this_version_is_what_the_source_says() -> None:
    done = CliRunner().invoke(main, ["check"])
    remedy = "\nif it is meant, run 'python -m bodega_sdk.contract renew' and commit the file"
    assert done.exit_code == 0, done.output + remedy


def test_every_public_name_of_the_sdk_and_every_hook_is_in_the_contract() -> None:
    symbols = current().symbols
    assert {f"bodega_sdk.{name}" for name in bodega_sdk.__all__} <= symbols.keys()
    hooks = {name for name, item in symbols.items() if item.kind == "hook"}
    assert hooks == {f"bodega_sdk.hookspecs.{name}" for name in hookspecs.hook_names()} | {
        "bodega_sdk.hookspecs.addon_manifest"
    }


def test_every_public_name_can_be_imported() -> None:
    for name in current().symbols:
        module = max((item for item in MODULES if name.startswith(f"{item}.")), key=len)
        rest = name.removeprefix(f"{module}.").partition("(")[0].split(".")
        assert hasattr(importlib.import_module(module), rest[0]), name


def test_the_manifests_schema_is_in_the_contract() -> None:
    symbols = current().symbols
    assert symbols["bodega_sdk.Manifest(sdk)"].optional
    assert not symbols["bodega_sdk.Manifest(package)"].optional
    assert symbols["bodega_sdk.Manifest(settings)"].type == "tuple[Setting, ...]"


def test_a_snapshot_reads_as_it_was_written() -> None:
    for item in snapshots():
        assert read(item.written()) == item


def test_every_symbol_says_which_version_brought_it() -> None:
    for item in snapshots():
        assert all(symbol.since for symbol in item.symbols.values())


def test_what_is_deprecated_is_in_the_contract_and_goes_in_a_later_major_version() -> None:
    for name, said in DEPRECATED.items():
        assert name in current().symbols
        assert int(said.removed.partition(".")[0]) > int(said.since.partition(".")[0])


def test_this_version_breaks_nothing_of_the_last_release() -> None:
    before = last_released()
    assert before is None or list(breaches(before, current())) == []


def test_the_contract_is_that_of_the_version_of_the_sdk() -> None:
    assert current().version == minor(bodega_sdk.SDK_VERSION) == snapshots()[-1].version


# What breaks it.


@pytest.mark.parametrize(
    ("file", "before", "after", "told"),
    [
        ("ids.py", "def uuid7()", "def uuid8()", "bodega_sdk.uuid7 "),
        ("__init__.py", '    "now",\n', "", "bodega_sdk.now is gone"),
        (
            "identity.py", "(token: str, use: str)", "(token: str)",
            "bodega_sdk.read_token(use) is gone",
        ),
        (
            "identity.py", "(token: str, use: str)", "(use: str, token: str)",
            "bodega_sdk.read_token(token): was argument 1, is argument 2",
        ),
        (
            "identity.py", "(token: str, use: str)", "(token: str, use: str, age: int)",
            "bodega_sdk.read_token(age) is new and required",
        ),
        (
            "identity.py", "(token: str, use: str)", "(token: str, *, use: str)",
            "bodega_sdk.read_token(use): was argument 2, is a keyword only",
        ),
        ("files.py", "(name: str)", "(name: bytes)", "bodega_sdk.folder(name): took str, takes"),
        ("files.py", "-> Path", "-> str", "bodega_sdk.folder: was Path, is str"),
        (
            "identity.py", "-> dict[str, Any]:", "-> dict[str, Any] | None:",
            "bodega_sdk.read_token: was dict[str, Any], is dict[str, Any] | None",
        ),
        (
            "events.py", "    version: int = 1", "    version: int",
            "bodega_sdk.Event(version): could be left out, is required",
        ),
        (
            "manifest.py", "    routes: tuple[str, ...] = ()", "",
            "bodega_sdk.Manifest(routes) is gone",
        ),
        (
            "hookspecs.py", "register_routes(routes: Routes)", "register_routes()",
            "bodega_sdk.hookspecs.register_routes(routes) is gone",
        ),
        (
            "hookspecs.py", "def register_jobs()", "def register_work()",
            "bodega_sdk.hookspecs.register_jobs is gone",
        ),
        (
            "errors.py", "class NotFound(Problem)", "class NotFound(BodegaError)",
            "bodega_sdk.errors.NotFound: is no bodega_sdk.errors.Problem any more",
        ),
        ("errors.py", "= 404,", "= 410,", "bodega_sdk.errors.NotFound.status: was 404, is 410"),
        ("permissions.py", '= "public"', '= "all"', "bodega_sdk.PUBLIC: was 'public', is 'all'"),
        (
            "jobs.py", "    def enqueue", "    @property\n    def enqueue",
            "bodega_sdk.Job.enqueue: was a method, is a property",
        ),
        (
            "testing/plugin.py", "def bodega_clock", "def bodega_watch",
            "bodega_sdk.testing.plugin.bodega_clock is gone",
        ),
    ],
)  # fmt: skip
def test_a_break_is_found(edited: Edit, file: str, before: str, after: str, told: str) -> None:
    found = list(breaches(released(), later(edited(file, before, after))))
    assert any(line.startswith(told) for line in found), found


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("identity.py", "(token: str, use: str)", '(token: str, use: str = "access")'),
        ("identity.py", "(token: str, use: str)", "(token: str, use: str, age: int = 0)"),
        ("identity.py", "(token: str, use: str)", "(token: str | bytes, use: str)"),
        ("jobs.py", "-> JobState | None", "-> JobState"),
        ("manifest.py", "    def __post_init__", "    more: int = 1\n\n    def __post_init__"),
        ("hookspecs.py", "routes(routes: Routes)", "routes(routes: Routes, more: int)"),
        ("__init__.py", '"now",', '"now",\n    "job",'),
        ("events.py", "    def on(self", "    def off(self): ...\n    def on(self"),
    ],
)  # fmt: skip
def test_an_addition_breaks_nothing(edited: Edit, file: str, before: str, after: str) -> None:
    assert list(breaches(released(), later(edited(file, before, after)))) == []


def test_what_moves_to_a_base_class_is_still_there(edited: Edit) -> None:
    base = 'class _Named:\n    """A."""\n    def may(self, permission: str) -> bool: ...\n\n\n'
    edited("identity.py", "@dataclass(frozen=True, slots=True)\nclass Identity:",
           f"{base}@dataclass(frozen=True, slots=True)\nclass Identity(_Named):")  # fmt: skip
    source = edited("identity.py", "    def may(self", "    def _may(self")
    assert list(breaches(released(), later(source))) == []


def test_what_a_release_had_deprecated_may_go_in_the_version_that_it_named(
    edited: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = edited("__init__.py", '    "uuid7",\n', "")
    monkeypatch.setitem(DEPRECATED, "bodega_sdk.uuid7", Deprecation("1.1", "uuid8", "2.0"))
    announced = released("1.1", "bodega_sdk.uuid7")
    assert announced.symbols["bodega_sdk.uuid7"].removed == "2.0"
    assert list(breaches(announced, later(gone, "2.0"))) == []
    assert any("uuid7 is gone" in line for line in breaches(announced, later(gone, "1.2")))
    # Nobody was told yet: it is announced and taken away in one release.
    assert any("uuid7 is gone" in line for line in breaches(released(), later(gone)))


# Renewing it.


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A folder of snapshots in which this version was released."""
    folder = tmp_path / "snapshots"
    folder.mkdir()
    (folder / "1.0.toml").write_text(released().written())
    return folder


def contract(*words: str, history: Path, source: Source) -> tuple[int, str]:
    options = ["--folder", str(history), "--source", str(source.folder)]
    done = CliRunner().invoke(main, [*words, *options])
    return done.exit_code, done.output


def test_a_new_minor_version_says_since_when_there_is_what(
    edited: Edit, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_sdk.contract.__main__.SDK_VERSION", "1.1.0")
    source = edited("identity.py", "(token: str, use: str)", "(token: str, use: str, age: int = 0)")
    code, output = contract("check", history=history, source=source)
    assert code == 1
    assert "+ bodega_sdk.read_token(age)" in output
    assert contract("renew", history=history, source=source)[0] == 0
    assert contract("check", history=history, source=source)[0] == 0
    made = read((history / "1.1.toml").read_text())
    assert made.symbols["bodega_sdk.read_token(age)"].since == "1.1"
    assert made.symbols["bodega_sdk.read_token(use)"].since == "1.0"
    assert made.released == ""


def test_what_breaks_a_release_is_neither_written_down_nor_passes(
    edited: Edit, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodega_sdk.contract.__main__.SDK_VERSION", "1.1.0")
    source = edited("__init__.py", '    "uuid7",\n', "")
    for command in ("renew", "check"):
        code, output = contract(command, history=history, source=source)
        assert code == 1
        assert "bodega_sdk.uuid7 is gone; deprecate it in SDK 1.1" in output
    assert not (history / "1.1.toml").exists()


def test_the_contract_of_a_released_version_is_not_changed(edited: Edit, history: Path) -> None:
    source = edited("identity.py", "(token: str, use: str)", "(token: str, use: str, age: int = 0)")
    code, output = contract("renew", history=history, source=source)
    assert code == 1
    assert "SDK 1.0 was released 2026-11-01; raise SDK_VERSION" in output


# What an addon needs.


def test_the_addons_of_the_house_use_nothing_but_the_contract_and_run_on_this_sdk() -> None:
    for folder in sorted(ADDONS.glob("bodega_*")):
        found = needed(folder)
        assert found.outside == [], folder.name
        assert len(found.uses) > 30
        assert SpecifierSet(found.range).contains(bodega_sdk.SDK_VERSION), folder.name


def used(folder: Path, history: Path | None = None) -> set[tuple[str, int]]:
    return {(item.symbol.removeprefix("bodega_sdk."), item.line) for item in needed(folder).uses}


def test_uses_are_found_with_file_and_line(package: Write) -> None:
    folder = package("""
        import bodega_sdk as sdk
        from bodega_sdk import Collection, JobRun, Manifest, Money, fetch, hookimpl
        from bodega_sdk import errors as problems
        from bodega_sdk.schemas import String as Text

        about = Manifest(name="loyalty", version="1", package="p", summary="s", routes=("x",))
        price = Money.parse("1.00", "EUR")
        text = str(price.minor) + fetch("https://x.example", timeout=2).json()
        raise problems.NotFound("no", retry_after=3)

        class Awards(Collection):
            page_size = 5
            def select(self, request): return self.shape

        def run_it(run: "JobRun | None", Money): run.save(done=3); Money.parse()

        @hookimpl
        def register_routes(routes): sdk.uuid7()
        @hookimpl(specname="register_jobs")
        def work(): ...
        field = Text(max_length=3)
    """)
    found = used(folder)
    assert {
        ("Manifest(routes)", 7), ("Money.parse", 8), ("Money.parse(currency)", 8),
        ("Money.minor", 9), ("fetch(timeout)", 9), ("fetch(url)", 9),
        ("errors.NotFound", 10), ("errors.Problem(retry_after)", 10),
        ("Collection.page_size", 13), ("Collection.select", 14), ("Collection.shape", 14),
        ("JobRun.save", 16), ("JobRun.save(done)", 16),
        ("hookspecs.register_routes", 19), ("hookspecs.register_routes(routes)", 19),
        ("uuid7", 19), ("hookspecs.register_jobs", 21), ("schemas.String(max_length)", 22),
    } <= found  # fmt: skip
    assert ("Money.parse", 16) not in found
    assert {item.file for item in needed(folder).uses} == {"bodega_loyalty/plugin.py"}
    assert needed(folder).range == ">=1.0,<2"


def test_what_no_contract_promises_is_told(package: Write) -> None:
    folder = package("from bodega_sdk.http import METHODS\nfrom bodega_sdk import schemas\n")
    (found,) = needed(folder).outside
    assert (found.symbol, found.line) == ("bodega_sdk.http.METHODS", 1)


@pytest.fixture
def years(tmp_path: Path, edited: Edit, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Snapshots of 1.0; of 1.1 with an argument more; of 1.2, which deprecates; of 2.0 without."""
    first = released()
    more = edited("identity.py", "(token: str, use: str)", "(token: str, use: str, age: int = 0)")
    second = renewed(more.symbols(), "1.1", first)
    monkeypatch.setitem(DEPRECATED, "bodega_sdk.uuid7", Deprecation("1.2", "uuid8()", "2.0"))
    third = renewed(more.symbols(), "1.2", second)
    last = renewed(edited("__init__.py", '    "uuid7",\n', "").symbols(), "2.0", third)
    folder = tmp_path / "years"
    folder.mkdir()
    for item in (first, second, third, last):
        (folder / f"{item.version}.toml").write_text(item.written())
    return folder


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import bodega_sdk\nbodega_sdk.now()", ">=1.0,<2"),
        ("from bodega_sdk import read_token\nread_token('t', 'access')", ">=1.0,<2"),
        ("from bodega_sdk import read_token\nread_token('t', 'access', age=3)", ">=1.1,<2"),
        ("from bodega_sdk import read_token\nread_token('t', 'access', 3)", ">=1.1,<2"),
        ("from bodega_sdk import uuid7\nuuid7()", ">=1.0,<2.0"),
    ],
)
def test_the_versions_that_an_addon_runs_on_follow_from_what_it_uses(
    package: Write, years: Path, source: str, expected: str
) -> None:
    assert needed(package(source), years).range == expected


def test_what_is_deprecated_is_known_to_go_before_it_is_gone(package: Write, years: Path) -> None:
    (years / "2.0.toml").unlink()
    found = needed(package("from bodega_sdk import uuid7\n"), years)
    assert (found.least, found.removed_in) == ("1.0", "2.0")


@pytest.mark.parametrize(
    ("source", "allowed", "told"),
    [
        ("read_token('t', 'u', age=3)", ">=1.1,<2", []),
        (
            "read_token('t', 'u', age=3)", ">=1.0,<2",
            ["uses bodega_sdk.read_token(age), which SDK 1.0 has not, and sdk='>=1.0,<2' admits"],
        ),
        ("uuid7()", ">=1.0,<2", []),
        (
            "uuid7()", ">=1.0,<3",
            ["uses bodega_sdk.uuid7, which SDK 2.0 has not, and sdk='>=1.0,<3' admits"],
        ),
        (
            "METHODS", ">=1.1,<2",
            ["imports bodega_sdk.http.METHODS, which no version of the SDK promises"],
        ),
    ],
)  # fmt: skip
def test_a_manifest_that_allows_a_version_without_what_is_used_is_objected_to(
    package: Write, years: Path, source: str, allowed: str, told: list[str]
) -> None:
    name = source.partition("(")[0]
    module = "bodega_sdk.http" if name.isupper() else "bodega_sdk"
    found = needed(package(f"from {module} import {name}\n{source}\n"), years)
    assert [message for message, _ in objections(found, allowed, years)] == told


def test_the_command_says_what_an_addon_needs(package: Write) -> None:
    folder = package("from bodega_sdk import now\nfrom bodega_sdk.http import METHODS\n")
    done = CliRunner().invoke(main, ["needs", str(folder)])
    assert done.output.splitlines() == [
        "bodega_loyalty/plugin.py:1: bodega_sdk.now",
        "bodega_loyalty/plugin.py:2: bodega_sdk.http.METHODS is not part of the contract",
        "bodega_loyalty runs on SDK >=1.0,<2",
    ]


def test_the_command_names_the_line_that_cannot_be_read(package: Write) -> None:
    done = CliRunner().invoke(main, ["needs", str(package("x = 1\ndef (:\n"))])
    assert done.exit_code == 1
    assert "plugin.py:2: invalid syntax" in done.output
