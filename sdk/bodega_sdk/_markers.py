"""The pluggy markers, in a module of their own so that no import circle forms."""

import pluggy

ADDON_PROJECT = "bodega"
MANIFEST_PROJECT = "bodega_manifest"

#: Marks a specification of the kernel, e.g. ``hookspec(lambda: None)``; addons use ``hook``.
hookspec = pluggy.HookspecMarker(ADDON_PROJECT)
#: Marks what a plugin implements of a hook of its name, e.g. ``hookimpl(specname="on_paid")``.
hookimpl = pluggy.HookimplMarker(ADDON_PROJECT)
manifest_spec = pluggy.HookspecMarker(MANIFEST_PROJECT)
#: Marks the function that returns the manifest, e.g. ``manifest_hook(lambda: about)``.
manifest_hook = pluggy.HookimplMarker(MANIFEST_PROJECT)
