"""A kernel's hook that is deprecated says so when an addon that implements it is loaded."""

from typing import Any

import pytest

from bodega.addons.loading import load
from bodega_sdk import deprecations
from bodega_sdk.deprecations import DeprecatedInBodega, Deprecation


def test_loading_names_addon_place_and_what_takes_its_place(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("notes")
    said = Deprecation("1.2", "register_work", "2.0")
    table = {"bodega_sdk.hookspecs.register_jobs": said}
    monkeypatch.setattr(deprecations, "DEPRECATED", table)
    manifest = site.catalogue().manifests["notes"]
    text = (
        r"addon 'notes' \(bodega_sample_notes/plugin.py:\d+\) uses .*register_jobs, deprecated "
        r"since SDK 1\.2; use register_work instead; it goes in SDK 2\.0"
    )
    with pytest.warns(DeprecatedInBodega, match=text):
        load(manifest)
    # A second warning would be an error here.
    load(manifest)
