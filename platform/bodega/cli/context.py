"""What commands share: the settings and the shop, opened when first asked for."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodega.errors import AddonError
from bodega.settings import Settings, read_settings
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.assembly import Assembly
    from bodega.shop import Shop


@dataclass
class Context:
    """The settings and the shop of one call of the command line."""

    home: Path | None = None
    strict: bool = False
    _shop: "Shop | None" = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """The deployment's settings."""
        return read_settings(home=self.home)

    def shop(self, connections: int = 5) -> "Shop":
        """The shop, made if it was never started.

        Args:
            connections: to PostgreSQL, at most: one for each thread that works at a time.
        """
        from bodega.addons import lifecycle
        from bodega.shop import Shop
        from bodega.telemetry.logging import configure_logging

        if self._shop is None:
            settings = self.settings
            configure_logging(settings, "cli")
            shop = Shop(settings, connections=connections)
            if not lifecycle.is_prepared(shop):
                told = lifecycle.prepare(shop)
                for line in told.lines:
                    click.echo(line, err=True)
            _recover(shop)
            shop.refresh()
            self.check(shop)
            self._shop = shop
        return self._shop

    def check(self, shop: "Shop") -> None:
        """Refuse to go on with quarantined addons when that is asked for.

        Raises:
            AddonError: naming each of them, with the culprit, the reason and the remedy.
        """
        faults = shop.assembly.faults
        if self.strict and faults:
            raise AddonError(" ".join(str(faults[name]) for name in sorted(faults)))

    def bind(self, ctx: click.Context) -> None:
        """Bind the shop's session until the command line ends."""
        ctx.find_root().with_resource(bound(self.shop().current))

    def assembly(self) -> "Assembly":
        """The shop's Assembly; what its edition would give when it was never started."""
        from bodega.addons import lifecycle
        from bodega.addons.discovery import discover
        from bodega.assembly import build
        from bodega.editions import read_edition
        from bodega.shop import Shop

        settings = self.settings
        if self._shop is None and not settings.database_url and not settings.home.exists():
            return build(discover(), read_edition(settings.edition).addons)
        if self._shop is None and not lifecycle.is_prepared(Shop(settings, connections=2)):
            return build(discover(), read_edition(settings.edition).addons)
        return self.shop().assembly


def _recover(shop: "Shop") -> None:
    """Take back or finish what an operator that died left behind, unless one is at work."""
    from bodega.addons import lifecycle
    from bodega.errors import Busy

    with suppress(Busy):
        lifecycle.recover(shop)


def _take_home(ctx: click.Context, _: click.Parameter, home: Path | None) -> None:
    if home is not None:
        ctx.ensure_object(Context).home = home


def _take_strict(ctx: click.Context, _: click.Parameter, strict: bool) -> None:
    if strict:
        ctx.ensure_object(Context).strict = True


#: ``--strict`` of commands that otherwise go on without what is quarantined.
strict_option = click.option(
    "--strict",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    envvar="BODEGA_STRICT",
    callback=_take_strict,
    help="Fail with exit code 3 when an enabled addon is quarantined.",
)
#: ``--home`` of a command, for those who write it behind the command's name.
home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_take_home,
    help="Folder of everything the shop keeps; takes the place of BODEGA_HOME.",
)
