"""``bodega new-addon``."""

import importlib.util
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodega import __version__
from bodega.errors import OperatorError
from bodega.reserved import ROOTS

if TYPE_CHECKING:
    from bodega_sdk.scaffold import NewAddon


@click.command("new-addon")
@click.argument("name")
@click.option("--title", default="", help="As people read it; made of NAME when it is not given.")
@click.option(
    "--in",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="Folder that the addon's own is made in; this one when it is not given.",
)
def new_addon(name: str, title: str, folder: Path) -> None:
    """Make a complete addon with its tests in a new folder NAME.

    NAME is lower_snake_case, e.g. gift_cards. The addon is a Python package bodega_NAME with a
    table and its migration, routes, schemas, a job, an event, a subscription, two settings, an
    extension of products, a hook that it wraps, and tests of all that, which pass. It is there to
    be changed: its README says what is where. Nothing that exists is overwritten.

    Example: bodega new-addon loyalty --title "Loyalty points"
    """
    from bodega_sdk.scaffold import render

    addon = _checked(name, title)
    target = folder / name
    _refuse_existing(target)
    files = render(addon, __version__)
    _write(files, target)
    _tell(addon, target, len(files))


def _checked(name: str, title: str) -> "NewAddon":
    from bodega_sdk.scaffold import NewAddon

    try:
        addon = NewAddon(name, title)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    taken = _taken(addon)
    if taken:
        raise click.BadParameter(f"{taken}; choose another name.")
    return addon


def _taken(addon: "NewAddon") -> str:
    """Return by whom a name is taken; nothing when it is free."""
    from bodega.addons.discovery import discover

    if addon.root in ROOTS or addon.name == "bodega":
        return f"{addon.name!r} is the kernel's"
    catalogue = discover()
    if addon.name in catalogue.manifests or addon.name in catalogue.faults:
        return f"an addon {addon.name!r} is installed here already"
    for other in catalogue.manifests.values():
        if addon.root in other.route_roots:
            return f"the addon {other.name!r} owns the routes below '/{addon.root}'"
    if importlib.util.find_spec(addon.package) is not None:
        return f"a package {addon.package!r} is installed here already"
    return ""


def _refuse_existing(target: Path) -> None:
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise OperatorError(
            f"{target} exists and is not an empty folder; nothing is overwritten: "
            "choose another name, or another folder with --in"
        )


def _write(files: Mapping[str, str], target: Path) -> None:
    """Write all files or none: beside their folder, which then gets its name."""
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        for place, content in files.items():
            path = staged / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        staged.rename(target)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise OperatorError(
            f"cannot write {target}: {error.strerror}; name a folder that can be written with --in"
        ) from None


def _tell(addon: "NewAddon", target: Path, files: int) -> None:
    click.echo(f"Made {addon.title} in {target}: {files} files. Its README.md says what is where.")
    click.echo("What to do next, in the environment that Bodega is installed in:")
    for command, meaning in (
        (f"cd {shlex.quote(str(target))}", ""),
        ("pip install -e '.[test]'", ""),
        ("pytest", "its tests, on a shop of their own"),
        (f"bodega verify {addon.name}", "the rules that every addon keeps"),
        (f"bodega addons install {addon.name} --plan", "what would be done to the shop"),
        (f"bodega addons enable {addon.name}", "on a running shop, too"),
    ):
        click.echo(f"    {command:42}{f'# {meaning}' if meaning else ''}".rstrip())
