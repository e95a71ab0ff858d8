"""The conformance suite: what every addon must keep, whoever wrote it; see docs/verify.md."""

from bodega_sdk.testing.conformance.findings import Finding, Report
from bodega_sdk.testing.conformance.running import verify

__all__ = ["Finding", "Report", "verify"]
