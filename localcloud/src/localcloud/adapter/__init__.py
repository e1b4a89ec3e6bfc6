"""Everything localcloud needs of MiniStack. The only package that imports ``ministack``.

MiniStack has no plug-in interface, so this package uses names that are private there. ``contract.check()``
compares every one of them with the pinned release at start; ``repairs`` corrects behaviour that differs from AWS.
"""

from localcloud.adapter.authorised_on import Query
from localcloud.adapter.calls import call_json, call_query, call_rest, put_metric
from localcloud.adapter.cfn import CfnError, Provisioned, physical_name, register_cfn_type
from localcloud.adapter.direct import DirectRequest, admit
from localcloud.adapter.events import put_event
from localcloud.adapter.file_systems import watch_file_systems
from localcloud.adapter.holds import clear_holds, hold_groups, release_groups
from localcloud.adapter.identity import (
    AssumeRoleDenied,
    Denied,
    account_id,
    authorize,
    endpoint_url,
    region,
    request_scope,
    role_credentials,
)
from localcloud.adapter.interfaces import NetworkRefused, attach_interface, release_interface
from localcloud.adapter.services import Response, register_service, register_tag_collector
from localcloud.adapter.sessions import session_keys
from localcloud.adapter.topics import publish_as_service

__all__ = [
    "AssumeRoleDenied",
    "CfnError",
    "Denied",
    "DirectRequest",
    "NetworkRefused",
    "Provisioned",
    "Query",
    "Response",
    "account_id",
    "admit",
    "attach_interface",
    "authorize",
    "call_json",
    "call_query",
    "call_rest",
    "clear_holds",
    "endpoint_url",
    "hold_groups",
    "physical_name",
    "publish_as_service",
    "put_event",
    "put_metric",
    "region",
    "register_cfn_type",
    "register_service",
    "register_tag_collector",
    "release_groups",
    "release_interface",
    "request_scope",
    "role_credentials",
    "session_keys",
    "watch_file_systems",
]
