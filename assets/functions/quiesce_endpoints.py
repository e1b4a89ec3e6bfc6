"""Endpoints that were made at run time, with what they are made of and what scales them.

Endpoints of stacks are left to CloudFormation. An endpoint in progress cannot be deleted and is waited for, up to half
an hour when its container crashes (facts on teardown, 1.10). Nothing keeps configurations and models from being deleted
while an endpoint uses them (1.8), so they wait here until no endpoint is left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ours import Ours, counted


def endpoints_of(ours: Ours) -> tuple[dict[str, str], list[str]]:
    """Return the endpoints made at run time with their status, and the names of those of stacks. Raises ClientError."""
    made, of_stacks = {}, []
    for endpoint in ours.listed("list_endpoints", "Endpoints", "EndpointName", "EndpointArn"):
        name = endpoint["EndpointName"]
        if ours.from_a_stack(endpoint["EndpointArn"]):
            of_stacks.append(name)
        else:
            made[name] = endpoint["EndpointStatus"]
    return made, of_stacks


def delete_endpoints(
    ours: Ours, endpoints: Mapping[str, str], watched: Collection[str], autoscaling: Any, cloudwatch: Any
) -> list[str]:
    """Take one step with these endpoints (names and status); return what is left in words. Raises ClientError.

    Those that a monitoring schedule still watches wait for its end: it would go on without them (facts, 1.18).
    """
    refusal = ""
    for name, status in endpoints.items():
        if status == "Deleting":
            continue
        if name in watched:
            refusal = refusal or "a monitoring schedule watches it"
            continue
        if components := _delete_components(ours, name):
            refusal = components
            continue
        _delete_alarms(ours, autoscaling, cloudwatch, name)
        refusal = ours.ask(ours.sagemaker.delete_endpoint, EndpointName=name) or refusal
    return [text for text in [counted("endpoint", list(endpoints), refusal)] if text]


def delete_parts(ours: Ours) -> list[str]:
    """Delete configurations and models; return which were still there, in words. Raises ClientError."""
    configs, models = [], []
    for config in ours.listed("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"):
        if not ours.from_a_stack(config["EndpointConfigArn"]):
            configs.append(config["EndpointConfigName"])
            ours.ask(ours.sagemaker.delete_endpoint_config, EndpointConfigName=config["EndpointConfigName"])
    for model in ours.listed("list_models", "Models", "ModelName", "ModelArn"):
        if not ours.from_a_stack(model["ModelArn"]):
            models.append(model["ModelName"])
            ours.ask(ours.sagemaker.delete_model, ModelName=model["ModelName"])
    return [text for text in [counted("endpoint configuration", configs), counted("model", models)] if text]


def _delete_components(ours: Ours, endpoint: str) -> str:
    """Delete the models that share the endpoint's instances: an endpoint that holds any is not deleted."""
    pages = ours.sagemaker.get_paginator("list_inference_components").paginate(EndpointNameEquals=endpoint)
    names = [item["InferenceComponentName"] for page in pages for item in page["InferenceComponents"]]
    for name in names:
        ours.ask(ours.sagemaker.delete_inference_component, InferenceComponentName=name)
    return counted("inference component", names)


def _delete_alarms(ours: Ours, autoscaling: Any, cloudwatch: Any, endpoint: str) -> None:
    """Delete the alarms of step scaling: deleting the endpoint takes its scaling along, but not these (facts, 1.27).

    They are alarms of whoever scales, and call the policy: nothing else ties them to it.
    """
    pages = autoscaling.get_paginator("describe_scaling_policies").paginate(ServiceNamespace="sagemaker")
    policies = [policy for page in pages for policy in page["ScalingPolicies"]]
    steps = {
        policy["PolicyARN"]
        for policy in policies
        if policy["PolicyType"] == "StepScaling" and policy["ResourceId"].startswith(f"endpoint/{endpoint}/")
    }
    if not steps:
        return
    alarms = [
        alarm["AlarmName"]
        for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
        for alarm in page["MetricAlarms"]
        if steps & set(alarm.get("AlarmActions", ()))
    ]
    for alarm in alarms:
        ours.ask(cloudwatch.delete_alarms, AlarmNames=[alarm])
