"""Settings that an addon declares; the shop stores and checks their values."""

from dataclasses import dataclass
from typing import Any

from bodega_sdk.runtime import runtime


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an addon.

    Args:
        name: lower_snake_case, unique within the addon.
        type: ``str``, ``int``, ``float`` or ``bool``.
        default: the value when nobody set one.
        help: one sentence for the operator, with the unit.
        minimum, maximum: bounds of a number, inclusive.
        choices: the only values allowed.
        secret: stored encrypted, never shown.

    Example::

        >>> Setting("rate", int, default=1, help="Points for one USD", minimum=0).check(3)
        3
    """

    name: str
    type: type
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    secret: bool = False

    def check(self, value: Any) -> Any:
        """Return the value if it is allowed.

        Raises:
            ValueError: the wrong type, out of bounds, or not a choice.
        """
        kind: Any = type(value)
        if kind is not self.type:
            raise ValueError(f"expected {self.type.__name__}, found {value!r}")
        if value != value or (self.minimum is not None and value < self.minimum):
            raise ValueError(f"expected at least {self.minimum}, found {value!r}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"expected at most {self.maximum}, found {value!r}")
        if self.choices and value not in self.choices:
            raise ValueError(
                f"expected one of {', '.join(map(str, self.choices))}, found {value!r}"
            )
        return value


def setting(name: str) -> Any:
    """Return the value of ``"addon.name"`` in the Assembly this work is bound to.

    Args:
        name: the addon's and the setting's, ``"loyalty.rate"``.

    Raises:
        KeyError: no enabled addon declares it.
        CapabilityError: it is a secret of another addon, which the manifest of the
            calling one does not name in ``uses["secrets"]``.

    Example::

        >>> setting("products.currency")
        'USD'
    """
    return runtime().setting(name)
