"""The pluggy markers, in a module of their own so that no import circle forms."""

import pluggy

ADDON_PROJECT = "bodega"
MANIFEST_PROJECT = "bodega_manifest"

hookspec = pluggy.HookspecMarker(ADDON_PROJECT)
hookimpl = pluggy.HookimplMarker(ADDON_PROJECT)
manifest_spec = pluggy.HookspecMarker(MANIFEST_PROJECT)
manifest_hook = pluggy.HookimplMarker(MANIFEST_PROJECT)
