"""The permissions that the kernel itself declares; only ``admin`` holds them."""

PERMISSIONS = {
    "bodega.read": "See addons, settings and jobs",
    "bodega.write": "Switch addons, change settings, retry and cancel jobs",
    "bodega.audit": "Read the audit log",
    "bodega.mail": "Read the mails that the shop writes, with the links in them",
}
