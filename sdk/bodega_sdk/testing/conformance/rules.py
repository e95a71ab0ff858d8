"""The rules: their ids, what each expects and how to mend it; docs/verify.md says why."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Args:
        id: ``V`` and three digits; it never changes its meaning.
        title: what is expected.
        remedy: what to do, unless a finding says it better.
        stage: the part of the suite that looks.
    """

    id: str
    title: str
    remedy: str
    stage: str


_TABLE = """
V101 manifest | It is found | Mend what the message names
V102 manifest | The manifest imports nothing else of the addon | Move what the manifest needs into it, and the import out of __init__.py
V103 manifest | The manifest imports the standard library and bodega_sdk, nothing else | Import it where it is used
V104 manifest | The manifest's version is the distribution's | Raise both
V105 manifest | The summary is one sentence for the operator | Say what the shop has with this addon that it has not without
V106 manifest | The SDK range is bounded on both sides | Write sdk=">=1.0,<2"
V107 manifest | There is a README | Write what the addon does, what it needs, and its settings
V108 manifest | There is a py.typed in the package | Add an empty file and name it in the package data
V109 sources | Every Python file of the package can be parsed and imported | Mend the file
V111 sources | It imports the SDK, and api of what it depends on | Depend on the addon and use its api; extend, subscribe or implement a hook
V112 sources | Imports are absolute | Write the package's name
V113 sources | It imports no private names of the SDK | Use the public name, or ask for one
V114 sources | What it imports from outside is declared | Add it to 'dependencies' in pyproject.toml
V115 sources | It runs on every SDK that its manifest allows | Narrow 'sdk' in the manifest, or use what the contract has
V121 importing | Importing starts no thread and no process | Do it in a job, a command, a request or on_first_start
V122 importing | Importing opens no socket | Do it in a job, a command, a request or on_first_start
V123 importing | Importing writes, makes, renames and deletes no file or folder | Do it in a job, a command, a request or on_first_start
V124 importing | Importing changes nothing of the process | Do it in a job, a command, a request or on_first_start
V125 importing | Importing prints nothing and warns of nothing | Take it away
V126 importing | It ends and hangs nowhere | Take away what ends or blocks the process
V201 assembling | The kernel assembles it | Mend what the message names
V202 boot | It can be enabled beside the house | Mend what the message names
V301 migrations | Tables begin with the addon's name | Rename it
V302 migrations | Indexes, triggers and sequences begin with the addon's name | Rename it; in models and migrations legacy_table_names = False does so
V303 sources | Migrations are named, numbered and complete | Call it NNNN_words.py, with a number of its own, and give it a function up
V304 sources | Migrations are frozen | Write a copy of what it needs into the migration
V305 migrations | Models and migrated schema agree | Write a migration for what you changed in the model
V306 migrations | Migrations leave other addons' tables alone | Declare an extension: a companion table of your own
V307 migrations | Migrations run on filled tables | Add the column as null or with a default, fill it, then tighten it
V308 migrations | down undoes up | Undo everything up does, in reverse, or take down away
V309 lifecycle | A plan is what is done | Decide nothing in a migration by rows, time or chance
V311 lifecycle | Disabling keeps the data | Do nothing in hooks but declare
V312 lifecycle | Uninstalled data can be restored | Mend what the message names
V313 lifecycle | Purging leaves no trace in the schema | Return a model for every table from register_models; make nothing that is no table or index of one
V314 lifecycle | Purging leaves no rows | Write to tables of your own only
V401 declarations | Every route has a summary | Give the route one line that says what it does
V402 declarations | Every query parameter is documented | Give the parameter a help
V403 declarations | A route that reads a body says which | Give the route a schema as 'body', or 'media'
V404 api | A route that answers with a body says which | Give the route a schema as 'returns'
V405 api | Answers are what their schema says | Mend the schema or the answer
V406 api | Who may not, is refused | State the permission in the route
V407 declarations | What changes or deletes is not public | Ask for a permission
V408 api | Bad input is refused, never a 5xx | State bounds, lengths and choices; raise the SDK's errors for what the domain refuses
V409 api | What is not there is 404 | Raise NotFound
V410 api | Lists come in pages | Use Collection or pagination.paginate, and listing=True
V411 api | GET changes nothing | Write at POST
V412 api | The OpenAPI document is sound | Mend what the message names
V413 api | Answers tell nothing of the inside | Say what the caller did wrong, not what failed
V501 declarations | A job's payload is JSON | Take str and convert it in the handler
V502 declarations | A job has a docstring | Say in one line what it does
V503 declarations | A schedule can be kept | Give it an interval from a second to a year, and defaults
V504 jobs | A scheduled job runs | Expect nothing to be there
V505 api | Jobs that are enqueued are the declared ones, with a payload they take | Enqueue what the handler takes
V511 declarations | Events are named noun.past_participle | Name it after what has happened
V512 declarations | Events are documented | Say when it happens, and what each member means
V513 api | Events hold what they declare | Declare the member, or publish it
V514 declarations | Subscriptions are to events that exist | Depend on the addon that publishes it, or mend the name
V515 declarations | Channels are documented, and of events that exist | Mend what the message names
V521 declarations | Settings have help | Say what it means, with the unit
V522 declarations | Secrets have no default | Write secret=True and default=""
V523 declarations | Settings are used, and what is used is declared | Take it away, or declare it
V531 declarations | Permissions are documented | Say what it lets one do
V532 declarations | Permissions are used, and what is used is declared | Take it away, or declare it
V541 declarations | Implementations are annotated as their hook | Copy the hook's signature
V542 declarations | Published hooks are documented | Say when it is called and what to return
V551 declarations | Commands have help | Give the command a docstring
V561 declarations | An extension asks nothing of the base | Give the member or the column a default
V562 migrations | A companion goes with its base | Declare the key with REFERENCES … ON DELETE CASCADE in the migration
V563 lifecycle | Disabled, it is as if it were not there | Declare everything in the plugin's hooks
V571 declarations | api.py is documented and typed | Write docstring and annotations, or begin the name with _
"""  # noqa: E501


def _read(line: str) -> Rule:
    place, title, remedy = (part.strip() for part in line.split("|"))
    rule, stage = place.split()
    return Rule(rule, title, remedy, stage)


#: Every rule by its id, in order.
RULES: dict[str, Rule] = {
    rule.id: rule for rule in map(_read, filter(None, map(str.strip, _TABLE.splitlines())))
}
#: What keeps others from being looked for, so that it is always told.
STOPPING = ("V101", "V126", "V201", "V309")
#: The parts that look at the addon itself, in their order.
LOOKING = ("manifest", "sources", "importing", "assembling", "declarations")
#: The parts that need a shop; each runs on every engine.
LIVING = ("boot", "lifecycle", "migrations", "api", "jobs")


def chosen(prefixes: Iterable[str]) -> frozenset[str]:
    """Return the ids that begin with one of the prefixes; all without any.

    Raises:
        ValueError: nothing begins so.
    """
    prefixes = tuple(item.upper() for item in prefixes)
    for item in prefixes:
        if not any(rule.startswith(item) for rule in RULES):
            raise ValueError(f"there is no rule {item!r}; 'bodega verify --list' lists them")
    return frozenset(rule for rule in RULES if rule.startswith(prefixes or ("",)))
