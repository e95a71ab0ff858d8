"""What an addon says of itself, readable without importing its code."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from bodega_sdk import capabilities
from bodega_sdk.errors import ManifestError
from bodega_sdk.permissions import ROLES
from bodega_sdk.settings import Setting

#: The version of the SDK, which manifests state a range of, e.g. ``SDK_VERSION.split(".")``.
SDK_VERSION = "1.0.0"

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another addon that must be enabled first.

    Args:
        name: the addon's name.
        versions: the versions that will do (PEP 440).

    Example::

        >>> Dependency.parse("orders>=1.0,<2").accepts("1.4.2")
        True
    """

    name: str
    versions: SpecifierSet

    @classmethod
    def parse(cls, text: str) -> "Dependency":
        """Read ``"orders"`` or ``"orders>=1.0,<2"``.

        Raises:
            ManifestError: it is neither.
        """
        return _parsed(text)

    def accepts(self, version: str) -> bool:
        """Whether a version will do."""
        return self.versions.contains(version, prereleases=True)


@lru_cache(maxsize=1000)
def _parsed(text: str) -> Dependency:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise ManifestError(
            f"dependency {text!r} cannot be read ({error}); write e.g. 'orders>=1.0'"
        ) from None
    return Dependency(requirement.name, requirement.specifier)


@dataclass(frozen=True)
class Manifest:
    """An addon's manifest.

    Args:
        name: lower_snake_case; its tables, routes, permissions and settings begin with it.
        version: PEP 440.
        package: the import name of its code; ``package.plugin`` holds its hooks.
        summary: one sentence for the operator.
        sdk: the SDK versions it works with, PEP 440, e.g. ``">=1.0,<2"``.
        depends: addons it needs, e.g. ``("accounts", "orders>=1.0")``.
        auto_enable_with: enable it as soon as all of these are enabled.
        conflicts: addons that must not be enabled beside it.
        permissions: name → what it lets one do; each name begins with ``name.``.
        grants: role → the permissions it holds; ``admin`` holds all without saying.
        uses: what of others it reaches for: ``events``, ``hosts``, ``secrets``, ``jobs``
            and ``addons`` → names, e.g. ``{"events": ("order.paid",)}``.
        settings: what the operator can set.
        routes: first segments of its routes below ``/api/v1``; its name when empty.

    Example::

        >>> about = Manifest(
        ...     name="loyalty", version="1.0.0", package="bodega_loyalty",
        ...     summary="Points on every paid order", depends=("products",),
        ...     permissions={"loyalty.award": "Give points"}, grants={"staff": ("loyalty.award",)},
        ... )
        >>> about.route_roots
        ('loyalty',)
    """

    name: str
    version: str
    package: str
    summary: str
    sdk: str = ">=1.0,<2"
    depends: tuple[str, ...] = ()
    auto_enable_with: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    settings: tuple[Setting, ...] = ()
    routes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            raise ManifestError(f"manifest of {self.name!r}: " + "; ".join(faults))

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The parsed ``depends``."""
        return tuple(map(Dependency.parse, self.depends))

    @property
    def route_roots(self) -> tuple[str, ...]:
        """First segments of the routes it may own."""
        return self.routes or (self.name.replace("_", "-"),)


def _faults(manifest: Manifest) -> Iterator[str]:
    for name in ("depends", "auto_enable_with", "conflicts", "settings", "routes"):
        if not isinstance(getattr(manifest, name), tuple):
            yield f"{name} must be a tuple, such as ('orders',) with its comma"
            return
    for name in ("depends", "auto_enable_with", "conflicts", "routes"):
        if not all(isinstance(item, str) for item in getattr(manifest, name)):
            yield f"{name} must hold names, found {getattr(manifest, name)!r}"
            return
    if not isinstance(manifest.summary, str):
        yield f"summary must be text, found {manifest.summary!r}"
    if not isinstance(manifest.name, str) or not _NAME.fullmatch(manifest.name):
        yield "name must be lower_snake_case"
        return
    if manifest.name == "bodega":
        yield "the name 'bodega' is the kernel's"
    package = manifest.package
    if not isinstance(package, str) or not all(map(str.isidentifier, package.split("."))):
        yield f"package {package!r} is no import name such as 'bodega_notes'"
    yield from _version_faults(manifest)
    for text in manifest.depends:
        try:
            Dependency.parse(text)
        except ManifestError as error:
            yield str(error)
    yield from _permission_faults(manifest)
    yield from capabilities.faults(manifest.uses)
    yield from _setting_faults(manifest.settings)


def _version_faults(manifest: Manifest) -> Iterator[str]:
    try:
        Version(manifest.version)
    except (InvalidVersion, TypeError):
        yield f"version {manifest.version!r} is no PEP 440 version such as '1.2.0'"
    try:
        SpecifierSet(manifest.sdk)
    except (InvalidSpecifier, TypeError, AttributeError):
        yield f"sdk {manifest.sdk!r} is no PEP 440 range such as '>=1.0,<2'"


def _permission_faults(manifest: Manifest) -> Iterator[str]:
    for name in manifest.permissions:
        if not name.startswith(f"{manifest.name}."):
            yield f"permission {name!r} must begin with '{manifest.name}.'"
    for role, names in manifest.grants.items():
        if role not in ROLES:
            yield f"grants: role {role!r} is unknown, expected one of {', '.join(ROLES)}"
        for name in names:
            if name not in manifest.permissions:
                yield f"grants: {role} is given {name!r}, which 'permissions' does not declare"


def _setting_faults(settings: tuple[Setting, ...]) -> Iterator[str]:
    names = [item.name for item in settings]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"setting {name!r} is declared twice"
    for item in settings:
        if not _NAME.fullmatch(item.name):
            yield f"setting {item.name!r}: its name must be lower_snake_case"
        try:
            item.check(item.default)
        except ValueError as error:
            yield f"setting {item.name}: its default is not allowed: {error}"


def sdk_accepts(manifest: Manifest, version: str = SDK_VERSION) -> bool:
    """Whether this SDK is one that the addon works with."""
    return SpecifierSet(manifest.sdk).contains(version, prereleases=True)
