"""Names that are the kernel's, which no addon may take."""

#: First segments below ``/api/v1`` that are the kernel's.
ROOTS = (
    "addons", "audit", "settings", "jobs", "events", "mail", "schedules", "resources", "hooks",
)  # fmt: skip
#: First segments below ``/console`` that are the kernel's.
CONSOLE = ("addons", "audit", "jobs", "mail", "events", "processes", "session", "static")
#: command → module that has it under the same name; imported when it is called.
COMMANDS = {
    "up": "bodega.cli.up",
    "serve": "bodega.cli.serve",
    "worker": "bodega.cli.worker",
    "realtime": "bodega.cli.realtime",
    "migrate": "bodega.cli.migrate",
    "addons": "bodega.cli.addons",
    "settings": "bodega.cli.settings",
    "jobs": "bodega.cli.jobs",
    "events": "bodega.cli.events",
    "mail": "bodega.cli.mail",
    "keys": "bodega.cli.keys",
    "audit": "bodega.cli.audit",
    "why": "bodega.cli.why",
    "explain": "bodega.cli.explain",
    "console": "bodega.cli.console",
    "openapi": "bodega.cli.openapi",
    "new-addon": "bodega.cli.new_addon",
    "doctor": "bodega.cli.doctor",
    "verify": "bodega.cli.verify",
    "sample-data": "bodega.cli.sample_data",
    "backup": "bodega.cli.backup",
    "restore": "bodega.cli.restore",
}
