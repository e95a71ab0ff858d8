"""Settings as an operator sees and changes them.

A value is written together with the generation, so that every process computes its
next Assembly with it. Whoever writes holds the generation's row until the commit: two
operators at once come one after the other.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bodega import state
from bodega.database.tables import AddonRow, SettingRow
from bodega.secret_sources import claims
from bodega.security import secrets
from bodega.setting_values import checked
from bodega_sdk.errors import FieldError, NotFound
from bodega_sdk.settings import Setting

if TYPE_CHECKING:
    from bodega.shop import Shop

_KERNEL = "bodega"
_UNSET = object()


@dataclass(frozen=True, slots=True)
class OperatorSetting:
    """A setting of an installed addon, with what the operator made of it.

    Args:
        name: ``"addon.setting"``.
        state: of its addon: enabled, quarantined or disabled.
        declared: what the manifest says.
        stored: the value as it stands in the database.
        outside: tells where a value from outside the shop comes from; nothing without one.
    """

    name: str
    addon: str
    state: str
    declared: Setting
    stored: Any = _UNSET
    outside: Callable[[], str] = field(default=str, repr=False, compare=False)

    @property
    def changed(self) -> bool:
        """Whether the operator gave it a value."""
        return self.stored is not _UNSET

    @property
    def secret(self) -> bool:
        """Whether its value is never shown; also of one that an older manifest kept secret."""
        return self.declared.secret or secrets.is_sealed(self.stored)

    @property
    def source(self) -> str:
        """Where its value comes from: environment, file, addon NAME, stored or default."""
        return self.outside() or ("stored" if self.changed else "default")

    @property
    def value(self) -> Any:
        """Its value, as it may be shown."""
        if self.outside():
            return secrets.MASK
        return self._shown(self.stored if self.changed else self.declared.default)

    def _shown(self, value: Any) -> Any:
        return secrets.MASK if self.secret and value != "" else value

    def as_json(self) -> dict[str, Any]:
        """Return the setting as the API and ``--json`` show it."""
        declared = self.declared
        return {
            "name": self.name,
            "addon": self.addon,
            "state": self.state,
            "type": declared.type.__name__,
            "value": self.value,
            "default": self._shown(declared.default),
            "help": declared.help,
            "minimum": declared.minimum,
            "maximum": declared.maximum,
            "choices": list(map(self._shown, declared.choices)),
            "secret": self.secret,
            "source": self.source,
            "changed": self.changed,
        }


Expectation = Callable[[OperatorSetting], None]


def listing(shop: "Shop", *, disabled: bool = False) -> list[OperatorSetting]:
    """Return the settings of the enabled addons.

    Args:
        disabled: whether those of installed but disabled addons are listed too.
    """
    stored = {row.name: row.value for row in SettingRow.select()}
    return [
        item for item in _declared(shop, stored) if disabled or item.state != "disabled"
    ]  # fmt: skip


def _declared(shop: "Shop", stored: Mapping[str, Any]) -> Iterator[OperatorSetting]:
    there = AddonRow.installed | AddonRow.enabled
    for row in AddonRow.select().where(there).order_by(AddonRow.name):
        manifest = shop.catalogue.manifests.get(row.name)
        # What begins with "bodega." is the kernel's own, whatever an addon calls itself.
        if manifest is None or row.name == _KERNEL:
            continue
        word = _state(shop, row)
        for declared in manifest.settings:
            name = f"{row.name}.{declared.name}"
            kept = stored.get(name, _UNSET)
            asker = _asker(shop, name, declared)
            yield OperatorSetting(name, row.name, word, declared, kept, asker)


def _asker(shop: "Shop", name: str, declared: Setting) -> Callable[[], str]:
    return partial(shop.current.outside.source, name, declared) if declared.secret else str


def unknown_variables(shop: "Shop") -> list[str]:
    """Return the variables that are set as if for a secret setting that no addon here has."""
    known = claims(item.name for item in listing(shop, disabled=True) if item.declared.secret)
    return sorted(shop.settings.outside.keys() - known.keys())


def _state(shop: "Shop", row: AddonRow) -> str:
    if not row.enabled:
        return "disabled"
    return "quarantined" if row.name in shop.assembly.faults else "enabled"


def find(shop: "Shop", name: str) -> OperatorSetting:
    """Return a setting of an installed addon.

    Raises:
        NotFound: there is none of this name; the message names what is close.
    """
    known = {item.name: item for item in listing(shop, disabled=True)}
    if name in known:
        return known[name]
    hint = _hint(name, list(known))
    raise NotFound(
        f"No installed addon has a setting '{name}'; {hint}",
        [FieldError("name", f"Unknown setting; {hint}", name)],
    )


def _hint(name: str, known: list[str]) -> str:
    if close := difflib.get_close_matches(name, known, cutoff=0.75):
        return f"did you mean {' or '.join(close)}?"
    addon = f"{name.partition('.')[0]}."
    if own := [item for item in known if item.startswith(addon)]:
        return f"there are {', '.join(own)}."
    addons = sorted({item.partition(".")[0] for item in known})
    return f"addons that have settings are {', '.join(addons) or 'none'}."


def change(
    shop: "Shop", name: str, value: Any, expected: Expectation = lambda found: None
) -> tuple[OperatorSetting, int]:
    """Give a setting a value.

    Args:
        expected: called with the setting as it is; what it raises, leaves it so.

    Returns:
        The setting, and the generation from which on the value holds.

    Raises:
        NotFound: there is no such setting.
        InvalidInput: the value is not allowed; nothing has changed.
    """
    with shop.transaction():
        generation = state.raise_generation()
        found = find(shop, name)
        expected(found)
        kept: Any = checked(name, found.declared, value, secret=found.secret)
        if found.declared.secret:
            kept = secrets.seal(shop.settings.key(), name, kept)
        SettingRow.insert(name=name, value=kept).on_conflict(
            conflict_target=[SettingRow.name], update={SettingRow.value: kept}
        ).execute()
        changed = find(shop, name)
        _audit(shop, "setting.changed", found, changed)
    return changed, generation


def reset(
    shop: "Shop", name: str, expected: Expectation = lambda found: None
) -> tuple[OperatorSetting, int]:
    """Give a setting its default back; see :func:`change`."""
    with shop.transaction():
        generation = state.raise_generation()
        found = find(shop, name)
        expected(found)
        SettingRow.delete().where(SettingRow.name == name).execute()
        changed = find(shop, name)
        _audit(shop, "setting.reset", found, changed)
    return changed, generation


def _audit(shop: "Shop", action: str, was: OperatorSetting, now: OperatorSetting) -> None:
    # One that is secret now and was not before, or the other way round, is shown in neither.
    values = {} if was.secret or now.secret else {"was": was.value, "now": now.value}
    shop.audit(action, f"setting:{now.name}", **values)
