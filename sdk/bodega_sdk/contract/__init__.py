"""The contract of the SDK as data: what is public, since when, and who uses what of it."""

from bodega_sdk.contract.comparing import breaches
from bodega_sdk.contract.symbols import Snapshot, Symbol, current, last_released, snapshots
from bodega_sdk.contract.usage import Use
from bodega_sdk.contract.using import Needs, needed, objections

__all__ = [
    "Needs",
    "Snapshot",
    "Symbol",
    "Use",
    "breaches",
    "current",
    "last_released",
    "needed",
    "objections",
    "snapshots",
]
