"""Every MiniStack name that localcloud uses, with what it must be. Checked at each start."""

from __future__ import annotations

import importlib
from importlib.metadata import version

PINNED = "1.5.33"


class ContractBroken(Exception):
    """The installed MiniStack is not the one this adapter was written for; the text lists what moved."""


def require() -> None:
    """Raise ContractBroken unless every name is where and what it was."""
    moved = check()
    if moved:
        raise ContractBroken("MiniStack changed:\n  " + "\n  ".join(moved))


def check() -> list[str]:
    """What differs from the contract, in words; empty when nothing does."""
    installed = version("ministack")
    moved = [] if installed == PINNED else [f"version is {installed}, pinned is {PINNED}"]
    for name, kind in CONTRACT.items():
        module, _, attribute = name.rpartition(".")
        try:
            found = type(getattr(importlib.import_module(module), attribute)).__name__
        except (ImportError, AttributeError) as error:
            moved.append(f"{name}: {error}")
            continue
        if found != kind:
            moved.append(f"{name} is {found}, expected {kind}")
    return moved or _check_text()


def _check_text() -> list[str]:
    """The two places in MiniStack's worker programs that are edited."""
    from localcloud.adapter.repairs import function_errors

    return [
        f"ministack.core.lambda_runtime.{script} reports exceptions in {count} places as expected, not in 1"
        for script, count in function_errors.reports_found().items()
        if count != 1
    ]


#: what ministack.core.responses gives every store that is kept per account and region
_STORE = "AccountRegionScopedDict"

CONTRACT: dict[str, str] = {
    "ministack.app.SERVICE_HANDLERS": "dict",
    "ministack.app.SERVICE_REGISTRY": "dict",
    "ministack.app._credential_failure": "function",
    "ministack.app._extract_s3_vhost_bucket": "function",
    "ministack.app._loaded_modules": "dict",
    "ministack.app._request_account_scope": "function",
    "ministack.app._state_map": "dict",
    "ministack.app.app": "function",
    "ministack.app.call_service_handler_sync": "function",
    "ministack.app.detect_service": "function",
    "ministack.core.concurrency.run_reentrant": "function",
    "ministack.core.iam_actions.SERVICE_TO_IAM_NAMESPACE": "dict",
    "ministack.core.iam_actions._load_botocore_model": "function",
    "ministack.core.iam_actions._query_param": "function",
    "ministack.core.iam_actions.access_denied_response": "function",
    "ministack.core.iam_actions.extract_iam_action": "function",
    "ministack.core.iam_actions.extract_resource_arn": "function",
    "ministack.core.iam_actions.identity_denial_message": "function",
    "ministack.core.iam_actions.request_tag_context": "function",
    "ministack.core.iam_evaluator.AuthError": "type",
    "ministack.core.iam_evaluator.EvalContext": "type",
    "ministack.core.iam_evaluator.SignedRequest": "type",
    "ministack.core.iam_evaluator._anonymous": "ContextVar",
    "ministack.core.iam_evaluator._RESOURCE_POLICY_LOOKUPS": "dict",
    "ministack.core.iam_evaluator._conditions_met": "function",
    "ministack.core.iam_evaluator._first_match": "function",
    "ministack.core.iam_evaluator._principal_keys": "function",
    "ministack.core.iam_evaluator._signed_request": "ContextVar",
    "ministack.core.iam_evaluator._verified_key": "ContextVar",
    "ministack.core.iam_evaluator._resolve_condition_key": "function",
    "ministack.core.iam_evaluator._gather_role_policies": "function",
    "ministack.core.iam_evaluator.enforce": "function",
    "ministack.core.iam_evaluator.is_root_access_key": "function",
    "ministack.core.iam_evaluator.parse_policy_document": "function",
    "ministack.core.iam_evaluator._resolve_managed_policy_document": "function",
    "ministack.core.iam_evaluator._role_name_from_assumed_arn": "function",
    "ministack.core.iam_evaluator.authenticate": "function",
    "ministack.core.iam_evaluator.evaluate": "function",
    "ministack.core.iam_evaluator.pin_request_origin": "function",
    "ministack.core.iam_evaluator.pin_signed_body": "function",
    "ministack.core.iam_evaluator.pin_signed_request": "function",
    "ministack.core.iam_evaluator.evaluate_resource_policy": "function",
    "ministack.core.iam_evaluator.resolve_credential": "function",
    "ministack.core.lambda_runtime.Worker": "type",
    "ministack.core.lambda_runtime._NODEJS_WORKER_SCRIPT": "str",
    "ministack.core.lambda_runtime._PYTHON_WORKER_SCRIPT": "str",
    "ministack.core.lambda_runtime._detect_runtime_binary": "function",
    "ministack.core.lambda_runtime.execution_credentials": "function",
    "ministack.core.lambda_runtime.invalidate_worker": "function",
    "ministack.core.lambda_runtime.subprocess": "module",
    "ministack.core.responses._BOTOCORE_NAME": "dict",
    "ministack.core.responses._service_model": "_lru_cache_wrapper",
    "ministack.core.responses._request_account_id": "ContextVar",
    "ministack.core.responses._request_region": "ContextVar",
    "ministack.core.responses.get_account_id": "function",
    "ministack.core.responses.get_region": "function",
    "ministack.core.responses.request_scope": "function",
    "ministack.core.responses.set_request_account_id": "function",
    "ministack.core.responses.set_request_client_ip": "function",
    "ministack.core.responses.set_request_region": "function",
    "ministack.core.router.SERVICE_PATTERNS": "dict",
    "ministack.core.router.detect_service": "function",
    "ministack.core.router.extract_access_key_id": "function",
    "ministack.core.router.extract_region": "function",
    "ministack.core.sigv4._remove_dot_segments": "function",
    "ministack.core.sigv4.derive_signing_key": "function",
    "ministack.core.sigv4.uri_encode": "function",
    "ministack.services.budgets._DISPATCH": "dict",
    "ministack.services.budgets._budgets": "AccountScopedDict",
    "ministack.services.budgets._notification_store": "AccountScopedDict",
    "ministack.services.budgets._tags": "AccountScopedDict",
    "ministack.services.budgets.reset": "function",
    "ministack.services.cloudformation._exports": _STORE,
    "ministack.services.cloudformation._stacks": _STORE,
    "ministack.services.cloudformation.changesets._deploy_stack_async": "function",
    "ministack.services.cloudformation.changesets._evaluate_conditions": "function",
    "ministack.services.cloudformation.custom_resource._pending": "dict",
    "ministack.services.cloudformation.custom_resource.deliver_response": "function",
    "ministack.services.cloudformation.custom_resource.invoke_custom_resource": "function",
    "ministack.services.cloudformation.custom_resource.register_token": "function",
    "ministack.services.cloudformation.engine._evaluate_conditions": "function",
    "ministack.services.cloudformation.engine._extract_deps": "function",
    "ministack.services.cloudformation.handlers._ACTION_HANDLERS": "dict",
    "ministack.services.cloudformation.handlers._delete_stack_async": "function",
    "ministack.services.cloudformation.handlers._deploy_stack_async": "function",
    "ministack.services.cloudformation.handlers._error": "function",
    "ministack.services.cloudformation.handlers._evaluate_conditions": "function",
    "ministack.services.cloudformation.handlers._imported_export_names": "function",
    "ministack.services.cloudformation.handlers._resolve_stack": "function",
    "ministack.services.cloudformation.handlers._xml": "function",
    "ministack.services.cloudformation.provisioners._REPLACING_PROPERTIES": "dict",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": "dict",
    "ministack.services.cloudformation.provisioners._STACK_TAG_PROPERTY": "dict",
    "ministack.services.cloudformation.provisioners._iam_policy_reconcile_entities": "function",
    "ministack.services.cloudformation.provisioners._physical_name": "function",
    "ministack.services.cloudformation.stacks._add_event": "function",
    "ministack.services.cloudformation.stacks._delete_resource": "function",
    "ministack.services.cloudformation.stacks._delete_stack_async": "function",
    "ministack.services.cloudformation.stacks._deploy_stack_async": "function",
    "ministack.services.cloudformation.stacks._evaluate_conditions": "function",
    "ministack.services.cloudformation.stacks._failed_operation": "function",
    "ministack.services.cloudformation.stacks._provision_resource": "function",
    "ministack.services.cloudformation.stacks._resolve_stack_outputs": "function",
    "ministack.services.cloudformation.stacks._roll_back_operation": "function",
    "ministack.services.cloudformation.stacks._rollback_failure_reason": "function",
    "ministack.services.cloudformation.stacks._runs_on_worker_thread": "function",
    "ministack.services.cloudformation.stacks._topological_sort": "function",
    "ministack.services.cloudformation.stacks._update_resource": "function",
    "ministack.services.cloudformation.stacks._with_dependencies": "function",
    "ministack.services.cloudformation.stacks.now_iso": "function",
    "ministack.services.cloudwatch._alarms": _STORE,
    "ministack.services.cloudwatch._calc_stats": "function",
    "ministack.services.cloudwatch._composite_alarms": _STORE,
    "ministack.services.cloudwatch._dims_key": "function",
    "ministack.services.cloudwatch._dispatch_alarm_actions": "function",
    "ministack.services.cloudwatch._error": "function",
    "ministack.services.cloudwatch._evaluate_alarm": "function",
    "ministack.services.cloudwatch._evaluate_all_alarms": "function",
    "ministack.services.cloudwatch._evaluate_parent_alarms": "function",
    "ministack.services.cloudwatch._evict_old_metrics": "function",
    "ministack.services.cloudwatch._metrics": _STORE,
    "ministack.services.cloudwatch._put_metric_alarm": "function",
    "ministack.services.cloudwatch._record_history": "function",
    "ministack.services.cloudwatch._stat_value": "function",
    "ministack.services.cloudwatch.record_metric": "function",
    "ministack.services.cloudwatch.time": "module",
    "ministack.services.cloudwatch_logs._log_groups": _STORE,
    "ministack.services.ec2._ACTION_MAP": "dict",
    "ministack.services.ec2._error": "function",
    "ministack.services.ec2._internet_gateways": _STORE,
    "ministack.services.ec2._network_interfaces": _STORE,
    "ministack.services.ec2._p": "function",
    "ministack.services.ec2._parse_filters": "function",
    "ministack.services.ec2._parse_member_list": "function",
    "ministack.services.ec2._parse_tag_specs": "function",
    "ministack.services.ec2._route_tables": _STORE,
    "ministack.services.ec2._rules_match": "function",
    "ministack.services.ec2._security_groups": _STORE,
    "ministack.services.ec2._subnets": _STORE,
    "ministack.services.ec2._tag_set_xml": "function",
    "ministack.services.ec2._tags": _STORE,
    "ministack.services.ec2._vpc_endpoints": _STORE,
    "ministack.services.ec2._vpcs": _STORE,
    "ministack.services.ec2._xml": "function",
    "ministack.services.efs._delete_file_system": "function",
    "ministack.services.efs._file_systems": _STORE,
    "ministack.services.efs._mount_targets": _STORE,
    "ministack.services.eventbridge._SUPPORTED_TARGET_SERVICES": "set",
    "ministack.services.eventbridge._archive_event": "function",
    "ministack.services.eventbridge._delete_rule": "function",
    "ministack.services.eventbridge._dispatch_event": "function",
    "ministack.services.eventbridge._dispatch_to_lambda": "function",
    "ministack.services.eventbridge._dispatch_to_sns": "function",
    "ministack.services.eventbridge._dispatch_to_sqs": "function",
    "ministack.services.eventbridge._ensure_default_bus": "function",
    "ministack.services.eventbridge._event_bus_name_from_ref": "function",
    "ministack.services.eventbridge._event_buses": _STORE,
    "ministack.services.eventbridge._event_pattern_error": "function",
    "ministack.services.eventbridge._invoke_target": "function",
    "ministack.services.eventbridge._pattern_event_view": "function",
    "ministack.services.eventbridge._put_targets": "function",
    "ministack.services.eventbridge._rule_key": "function",
    "ministack.services.eventbridge._tags": _STORE,
    "ministack.services.eventbridge._targets": _STORE,
    "ministack.services.eventbridge._validate_target_arn": "function",
    "ministack.services.eventbridge.error_response_json": "function",
    "ministack.services.eventbridge.parse_arn": "function",
    "ministack.services.iam._IAM_HANDLERS": "dict",
    "ministack.services.iam._boundary_usage_counts": "function",
    "ministack.services.iam._error": "function",
    "ministack.services.iam._groups": "AccountScopedDict",
    "ministack.services.iam._p": "function",
    "ministack.services.iam._policies": "AccountScopedDict",
    "ministack.services.iam._roles": "AccountScopedDict",
    "ministack.services.iam._users": "AccountScopedDict",
    "ministack.services.lambda_svc._emit_lambda_logs": "function",
    "ministack.services.lambda_svc._execute_function": "function",
    "ministack.services.lambda_svc._execute_function_warm": "function",
    "ministack.services.lambda_svc._execute_function_with_config_scope": "function",
    "ministack.services.lambda_svc._execution_record_for_config": "function",
    "ministack.services.lambda_svc._functions": _STORE,
    "ministack.services.lambda_svc._get_func_record_for_ref": "function",
    "ministack.services.lambda_svc._route_async_failure": "function",
    "ministack.services.lambda_svc._run_with_function_config_scope": "function",
    "ministack.services.lambda_svc.function_policy_for_arn": "function",
    "ministack.services.lambda_svc.invoke_async_with_retry": "function",
    "ministack.services.s3._resolve_sse_write_headers": "function",
    "ministack.services.sns.SnsPublishError": "type",
    "ministack.services.sns._deliver_to_lambda": "function",
    "ministack.services.sns.publish_internal": "function",
    "ministack.services.sns.topic_policy_for_arn": "function",
    "ministack.services.sqs._queue_by_arn": "function",
    "ministack.services.sqs.queue_policy_for_arn": "function",
    "ministack.services.ssm._tags": _STORE,
    "ministack.services.stepfunctions._tags": _STORE,
    "ministack.services.sts._sessions": "dict",
    "ministack.services.sts.register_session": "function",
    "ministack.services.tagging._COLLECTORS": "dict",
    "ministack.services.tagging._HANDLERS": "dict",
    "ministack.services.tagging._RESOURCE_TAG_COLLECTORS": "dict",
    "ministack.services.tagging._json": "function",
}
