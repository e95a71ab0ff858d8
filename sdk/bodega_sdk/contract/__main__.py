"""``python -m bodega_sdk.contract``: check and renew the contract, or read an addon's needs."""

import sys
from pathlib import Path

import click

from bodega_sdk.contract.comparing import breaches, renewed
from bodega_sdk.contract.reading import HOUSE, Source
from bodega_sdk.contract.symbols import FOLDER, Snapshot, last_released, minor, snapshots
from bodega_sdk.contract.using import needed
from bodega_sdk.manifest import SDK_VERSION

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def main() -> None:
    """Check and renew the contract of the SDK, or read what an addon needs of it."""


@main.command()
@click.option("--folder", type=_FOLDER, default=FOLDER, help="Of the snapshots.")
@click.option("--source", type=_FOLDER, default=HOUSE, help="Of the package bodega_sdk.")
def check(folder: Path, source: Path) -> None:
    """Say how the source differs from the contract; exit code 1 when it does."""
    wanted, there = _found(folder, source)
    lines = list(_differences(there, wanted))
    before = last_released(folder)
    lines += breaches(before, wanted) if before and before.version != wanted.version else []
    _end(lines, f"SDK {wanted.version}: the source is what the contract says")


@main.command()
@click.option("--folder", type=_FOLDER, default=FOLDER, help="Of the snapshots.")
@click.option("--source", type=_FOLDER, default=HOUSE, help="Of the package bodega_sdk.")
def renew(folder: Path, source: Path) -> None:
    """Write the contract of the version being developed; refuse what breaks a released one."""
    wanted, there = _found(folder, source)
    before = last_released(folder)
    broken = list(breaches(before, wanted)) if before else []
    if there and there.released and wanted.symbols != there.symbols:
        broken.append(f"SDK {there.version} was released {there.released}; raise SDK_VERSION")
    if not broken:
        for line in _differences(there, wanted):
            click.echo(line)
        (folder / f"{wanted.version}.toml").write_text(wanted.written(), "utf-8")
    _end(broken, f"SDK {wanted.version}: {len(wanted.symbols)} symbols")


@main.command()
@click.argument("package", type=click.Path(path_type=Path, exists=True, file_okay=False))
def needs(package: Path) -> None:
    """Say on which versions of the SDK the addon in the folder PACKAGE runs, and why."""
    try:
        found = needed(package)
    except SyntaxError as error:
        raise click.ClickException(f"{error.filename}:{error.lineno}: {error.msg}") from None
    for symbol, file, line in found.uses:
        click.echo(f"{file}:{line}: {symbol}")
    for symbol, file, line in found.outside:
        click.echo(f"{file}:{line}: {symbol} is not part of the contract")
    click.echo(f"{package.name} runs on SDK {found.range}")


def _found(folder: Path, source: Path) -> tuple[Snapshot, Snapshot | None]:
    """Return what the contract should be, and what it is."""
    version = minor(SDK_VERSION)
    there = next((item for item in snapshots(folder) if item.version == version), None)
    return renewed(Source(source).symbols(), version, last_released(folder), there), there


def _differences(there: Snapshot | None, wanted: Snapshot) -> list[str]:
    was, now = dict(there.symbols if there else {}), dict(wanted.symbols)
    found = [f"- {name}" for name in sorted(was.keys() - now.keys())]
    found += [f"+ {name}" for name in sorted(now.keys() - was.keys())]
    both = sorted(was.keys() & now.keys())
    return found + [f"~ {name} {now[name].written()}" for name in both if was[name] != now[name]]


def _end(faults: list[str], otherwise: str) -> None:
    for line in faults:
        click.echo(line, err=True)
    if faults:
        sys.exit(1)
    click.echo(otherwise)


if __name__ == "__main__":
    main()
