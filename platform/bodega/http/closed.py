"""The addresses of quarantined addons: they answer 503, naming the addon and the remedy."""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import falcon

from bodega.addons.faults import PENDING, Fault
from bodega.http.errors import CATALOGUE
from bodega_sdk.errors import Unavailable

#: Seconds after which a caller may try again.
_RETRY = 5


class AddonQuarantined(Unavailable):
    """The addon that this address belongs to cannot be used; the others serve on."""

    code, title = "addon-quarantined", "This addon is quarantined"

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault), retry_after=_RETRY, extra=_told(fault))


class MigrationPending(AddonQuarantined):
    """The addon's tables and its code are of different versions just now."""

    code, title = PENDING, "This addon is being upgraded"


CATALOGUE.update({kind.code: kind for kind in (AddonQuarantined, MigrationPending)})


def _told(fault: Fault) -> dict[str, Any]:
    return {"addon": fault.addon, "culprit": fault.culprit, "remedy": fault.remedy}


def problem_of(fault: Fault) -> AddonQuarantined:
    """Return the problem that a quarantined addon's addresses answer with."""
    return (MigrationPending if fault.code == PENDING else AddonQuarantined)(fault)


def add_sinks(app: "falcon.App[Any, Any]", root: str, closed: Mapping[str, Fault]) -> None:
    """Close addresses; the routes of healthy addons come first.

    Args:
        closed: see :attr:`bodega.assembly.Assembly.closed`.
    """
    # Falcon asks the sink first that was added last: the most special one comes last.
    for template, fault in sorted(closed.items()):
        app.add_sink(_Closed(fault), re.compile(re.escape(root) + _pattern(template)))


def _pattern(template: str) -> str:
    if template.endswith("*"):
        return re.escape(template[:-1]) + "(/|$)"
    return "[^/]+".join(map(re.escape, template.split("{}"))) + "/?$"


class _Closed:
    """Answers every request to an address with its fault."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def __call__(self, req: falcon.Request, resp: falcon.Response, **params: str) -> NoReturn:
        raise problem_of(self._fault)
