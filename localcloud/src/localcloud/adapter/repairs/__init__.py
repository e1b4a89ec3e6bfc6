"""Corrections of MiniStack behaviour that differs from AWS and that our templates meet.

One concept per module, each with a contract test in ``tests/localcloud/core`` that fails on plain MiniStack. A
module goes when the release that is pinned does the same by itself. ``LOCALCLOUD_REPAIRS=off`` is for those tests.
"""

from __future__ import annotations

import os

from localcloud.adapter.repairs import (
    alarm_arns,
    async_invocations,
    attributes,
    bucket_kms,
    bucket_policies,
    buckets,
    cancelled_creates,
    conditions,
    custom_resource_crashes,
    dashboard_tags,
    delete_order,
    deletion_sequence,
    event_rules,
    event_targets,
    exports,
    failed_creates,
    file_systems,
    function_errors,
    function_logs,
    function_workers,
    group_filters,
    group_rules,
    iam_requests,
    log_arns,
    log_groups,
    managed_policies,
    metric_namespaces,
    missing_targets,
    network,
    network_interfaces,
    policy_sizes,
    policy_variables,
    properties,
    roles,
    rollback_leftovers,
    rule_arns,
    stack_arns,
    tags,
    update_events,
    vpc_endpoints,
)

#: in the order they are applied; a later one wraps an earlier one
_ALL = (
    conditions,
    function_workers,
    function_errors,
    function_logs,
    async_invocations,
    event_targets,
    event_rules,
    buckets,
    bucket_policies,
    bucket_kms,
    log_groups,
    managed_policies,
    missing_targets,
    roles,
    policy_sizes,
    network,
    network_interfaces,
    vpc_endpoints,
    group_filters,
    group_rules,
    file_systems,
    attributes,
    exports,
    delete_order,
    deletion_sequence,
    rollback_leftovers,
    failed_creates,
    cancelled_creates,
    custom_resource_crashes,
    dashboard_tags,
    properties,
    update_events,
    log_arns,
    policy_variables,
    metric_namespaces,
    alarm_arns,
    rule_arns,
    stack_arns,
    iam_requests,
    tags,
)


def install() -> None:
    """Apply every repair."""
    if os.environ.get("LOCALCLOUD_REPAIRS") == "off":
        return
    for repair in _ALL:
        repair.install()
