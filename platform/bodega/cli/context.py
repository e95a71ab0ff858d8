"""What commands share: the settings and the shop, opened when first asked for."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bodega.settings import Settings, read_settings
from bodega_sdk.runtime import bound

if TYPE_CHECKING:
    from bodega.assembly import Assembly
    from bodega.shop import Shop


@dataclass
class Context:
    """The settings and the shop of one call of the command line."""

    home: Path | None = None
    _shop: "Shop | None" = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """The deployment's settings."""
        return read_settings(home=self.home)

    def shop(self) -> "Shop":
        """The shop, made if it was never started."""
        from bodega.addons import lifecycle
        from bodega.shop import Shop
        from bodega.telemetry.logging import configure_logging

        if self._shop is None:
            settings = self.settings
            configure_logging(settings, "cli")
            shop = Shop(settings, connections=5)
            if not lifecycle.is_prepared(shop):
                told = lifecycle.prepare(shop)
                for line in told.lines:
                    click.echo(line, err=True)
            _recover(shop)
            shop.refresh()
            self._shop = shop
        return self._shop

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


#: ``--home`` of a command, for those who write it behind the command's name.
home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_take_home,
    help="Folder of everything the shop keeps; takes the place of BODEGA_HOME.",
)
