"""The SDK: what an addon of Bodega is written with.

Whatever is listed in ``__all__`` here, and the public names of the modules
``schemas`` and ``errors``, is the contract of SDK version :data:`SDK_VERSION`.
"""

from bodega_sdk._markers import hookimpl, hookspec, manifest_hook
from bodega_sdk.addresses import network_of, public_url
from bodega_sdk.auditing import audit
from bodega_sdk.capabilities import addon_api
from bodega_sdk.companions import Companion, extends
from bodega_sdk.console import ConsolePage
from bodega_sdk.events import Channel, Event, Occurrence, Subscription, Subscriptions
from bodega_sdk.extensions import Extension, extensions_of
from bodega_sdk.files import folder
from bodega_sdk.filters import Filter
from bodega_sdk.hooks import Hook, hook
from bodega_sdk.hookspecs import FirstStart
from bodega_sdk.http import Parameter, Reply, Request, Route, Routes
from bodega_sdk.identity import (
    ANONYMOUS,
    Credential,
    Holder,
    Identity,
    acting_for,
    actor,
    issue_token,
    read_token,
    revoke_session,
)
from bodega_sdk.ids import uuid7
from bodega_sdk.includes import Include
from bodega_sdk.jobs import Job, JobRun, JobState, cancel_job, job, job_state, work_here
from bodega_sdk.log import event_types, newest_offset, read_log
from bodega_sdk.mail import send_mail
from bodega_sdk.manifest import SDK_VERSION, Dependency, Manifest
from bodega_sdk.models import (
    Entity,
    Model,
    UTCDateTimeField,
    database,
    hold_words,
    locked,
    now,
    transaction,
)
from bodega_sdk.money import Money
from bodega_sdk.outgoing import Fetched, fetch, vetted_addresses
from bodega_sdk.permissions import AUTHENTICATED, PUBLIC, ROLES, permissions_held_by
from bodega_sdk.resources import Collection
from bodega_sdk.samples import SampleData, SampleRun, sample_id, sample_ids
from bodega_sdk.secrets import derive_key, seal, unseal
from bodega_sdk.services import Service, ServiceRun
from bodega_sdk.settings import Setting, setting
from bodega_sdk.throttling import RateLimit

__all__ = [
    "ANONYMOUS",
    "AUTHENTICATED",
    "PUBLIC",
    "ROLES",
    "SDK_VERSION",
    "Channel",
    "Collection",
    "Companion",
    "ConsolePage",
    "Credential",
    "Dependency",
    "Entity",
    "Event",
    "Extension",
    "Fetched",
    "Filter",
    "FirstStart",
    "Holder",
    "Hook",
    "Identity",
    "Include",
    "Job",
    "JobRun",
    "JobState",
    "Manifest",
    "Model",
    "Money",
    "Occurrence",
    "Parameter",
    "RateLimit",
    "Reply",
    "Request",
    "Route",
    "Routes",
    "SampleData",
    "SampleRun",
    "Service",
    "ServiceRun",
    "Setting",
    "Subscription",
    "Subscriptions",
    "UTCDateTimeField",
    "acting_for",
    "actor",
    "addon_api",
    "audit",
    "cancel_job",
    "database",
    "derive_key",
    "event_types",
    "extends",
    "extensions_of",
    "fetch",
    "folder",
    "hold_words",
    "hook",
    "hookimpl",
    "hookspec",
    "issue_token",
    "job",
    "job_state",
    "locked",
    "manifest_hook",
    "network_of",
    "newest_offset",
    "now",
    "permissions_held_by",
    "public_url",
    "read_log",
    "read_token",
    "revoke_session",
    "sample_id",
    "sample_ids",
    "seal",
    "send_mail",
    "setting",
    "transaction",
    "unseal",
    "uuid7",
    "vetted_addresses",
    "work_here",
]
