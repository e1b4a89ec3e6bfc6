"""How workloads are served: what each kind becomes, what costs when idle, and which contradictions are refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandcastle.config import Deployment, Scaling, Serve, Variant
from tests.config.conftest import VALID, Project

ENDPOINT = "endpoint: {instance: ml.m5.large, capture_percent: 50}"
KEY = "workloads.spotty.endpoint"


def with_endpoint(text: str) -> str:
    """Return the environment file with another section ``endpoint`` for ``spotty``; plain has no endpoint."""
    return VALID.replace(ENDPOINT, f"endpoint: {text}").replace("plain: {}", "plain: {endpoint: {kind: none}}")


def serve(project: Project, text: str) -> Serve:
    return project.load(with_endpoint(text).replace("usd: 200", "usd: 2000")).workloads[1].serve


def test_a_real_time_endpoint_has_one_variant_unless_more_is_said(project: Project) -> None:
    found = serve(project, "{}")
    assert found.variants == (Variant("main", 1.0, "ml.m5.large", 1, None),)
    assert (found.kind, found.capture_percent, found.scaling, found.deployment) == ("real-time", 100, None, None)
    assert (found.idle_instances, found.alarms) == (Counter({"ml.m5.large": 1}), 2)


def test_variants_take_what_they_do_not_say_from_the_endpoint_and_train_when_they_have_hyperparameters(
    project: Project,
) -> None:
    found = serve(
        project,
        "{instance: ml.m5.xlarge, instances: 2, variants: {b: {weight: 0.25, hyperparameters: {eta: 0.5}}, "
        "a: {weight: 3, instance: ml.m5.large, instances: 1}}}",
    )
    assert found.variants == (
        Variant("main", 1.0, "ml.m5.xlarge", 2, None),
        Variant("a", 3.0, "ml.m5.large", 1, None),
        Variant("b", 0.25, "ml.m5.xlarge", 2, {"eta": "0.5", "num_round": "7"}),
    )
    assert found.variant_names == ("main", "a", "b")
    assert found.started_instances == {"ml.m5.xlarge": 4, "ml.m5.large": 1}
    assert found.alarms == 6


def test_scaling_counts_what_it_keeps(project: Project) -> None:
    found = serve(project, "{instances: 3, scaling: {min: 2, max: 4, invocations_per_minute: 100}}")
    assert found.scaling == Scaling(2, 4, 100.0)
    assert (found.started_instances["ml.m5.large"], found.idle_instances["ml.m5.large"], found.alarms) == (3, 2, 4)


def test_serverless_costs_nothing_when_idle(project: Project) -> None:
    found = serve(project, "{kind: serverless, memory_mb: 4096, max_concurrency: 7}")
    assert (found.memory_mb, found.max_concurrency, found.capture_percent) == (4096, 7, 0)
    assert (found.variant_names, found.idle_instances, found.alarms) == (("main",), Counter(), 0)


def test_async_may_scale_to_zero(project: Project) -> None:
    found = serve(project, "{kind: async, concurrency: 2, scaling: {min: 0, max: 2, backlog_per_instance: 5}}")
    assert (found.scaling, found.scales_to_zero, found.concurrency) == (Scaling(0, 2, 5.0), True, 2)
    assert (found.started_instances["ml.m5.large"], found.idle_instances, found.alarms) == (1, Counter(), 3)
    assert serve(project, "{kind: async}").idle_instances == {"ml.m5.large": 1}


def test_none_is_a_model_alone(project: Project) -> None:
    found = serve(project, "{kind: none}")
    assert (found.variants, found.variant_names, found.alarms) == ((), (), 0)
    assert found.instance == "ml.m5.large"


def test_deployments(project: Project) -> None:
    assert serve(project, "{deployment: {}}").deployment == Deployment("all-at-once", 10, 5)
    canary = serve(project, "{instances: 2, deployment: {kind: canary, percent: 20, wait_minutes: 1}}")
    assert canary.deployment == Deployment("canary", 20, 1)


MISTAKES = [
    # section, key below it, words of the message, words of what is allowed
    ("{kind: serverless, capture_percent: 10}", "capture_percent", "real-time endpoints only", "kind real-time"),
    ("{kind: async, capture_percent: 10}", "capture_percent", "lies in S3", "kind real-time"),
    ("{kind: serverless, instance: ml.m5.large}", "instance", "no instances", "real-time or async"),
    ("{kind: serverless, instances: 2}", "instances", "no instances", "real-time or async"),
    ("{kind: serverless, scaling: {max: 2, invocations_per_minute: 1}}", "scaling", "by itself", "real-time or async"),
    ("{kind: serverless, deployment: {}}", "deployment", "step by step", "kind real-time"),
    ("{kind: async, deployment: {}}", "deployment", "step by step", "kind real-time"),
    ("{kind: async, variants: {b: {weight: 1}}}", "variants", "divides requests", "kind real-time"),
    ("{memory_mb: 2048}", "memory_mb", "memory of their type", "kind serverless"),
    ("{max_concurrency: 2}", "max_concurrency", "only a serverless", "kind serverless"),
    ("{concurrency: 2}", "concurrency", "only an asynchronous", "kind async"),
    ("{kind: none, instances: 2}", "instances", "nothing to set", "no such key"),
    ("{kind: serverless, memory_mb: 1500}", "memory_mb", "whole gigabytes", "1024, 2048"),
    ("{kind: serverless, max_concurrency: 201}", "max_concurrency", "200", "1 to 200"),
    ("{variants: {main: {weight: 1}}}", "variants.main", "every endpoint has", "another name"),
    ("{variants: {b: {instances: 1}}}", "variants.b.weight", "required and missing", "0 or more"),
    ("{variants: {b: {weight: -1}}}", "variants.b.weight", "greater than or equal to 0", "0 or more"),
    ("{variants: {B: {weight: 1}}}", "variants.B", "right form", "at most 9 names"),
    ("{variants: {b: {weight: 1, instance: ml.m5.lage}}}", "variants.b.instance", "did you mean ml.m5.large?", "more"),
    ("{variants: {b: {weight: 1, hyperparameters: {eta: [1]}}}}", "variants.b.hyperparameters.eta", "one value", "text"),
    ("{scaling: {min: 3, max: 2, invocations_per_minute: 1}}", "scaling.min", "more than max", "at most 2"),
    ("{scaling: {min: 0, max: 2, invocations_per_minute: 1}}", "scaling.min", "only an asynchronous", "1 or more"),
    ("{scaling: {max: 2}}", "scaling.invocations_per_minute", "required and missing", "above 0"),
    ("{scaling: {max: 2, backlog_per_instance: 1, invocations_per_minute: 1}}", "scaling.backlog_per_instance", "no request waits", "invocations"),
    ("{kind: async, scaling: {max: 2}}", "scaling.backlog_per_instance", "required and missing", "above 0"),
    ("{kind: async, scaling: {max: 2, invocations_per_minute: 1, backlog_per_instance: 1}}", "scaling.invocations_per_minute", "queue", "its place"),
    ("{instances: 5, scaling: {max: 4, invocations_per_minute: 1}}", "instances", "change it at once", "1 to 4"),
    ("{scaling: {min: 2, max: 4, invocations_per_minute: 1}}", "instances", "change it at once", "2 to 4"),
    (
        "{scaling: {max: 2, invocations_per_minute: 1}, variants: {b: {weight: 1, instances: 3}}}",
        "variants.b.instances", "change it at once", "1 to 2",
    ),
    ("{instance: ml.t2.medium, scaling: {max: 2, invocations_per_minute: 1}}", "scaling", "burstable", "not ml.t2"),
    ("{deployment: {percent: 20}}", "deployment.percent", "no steps", "canary or linear"),
    ("{deployment: {kind: canary}}", "deployment.kind", "whole instances", "instances: 2"),
    ("{instances: 2, deployment: {kind: canary, percent: 51}}", "deployment.percent", "50", "1 to 50"),
    ("{instances: 2, deployment: {kind: linear, percent: 9}}", "deployment.percent", "at least 10", "10 to 50"),
    ("{instances: 2, deployment: {kind: linear, wait_minutes: 60}}", "deployment.wait_minutes", "8 hours", "1 to 42"),
    ("{autoscaling: {max: 2}}", "autoscaling", "did you mean scaling?", "deployment"),
]  # fmt: skip
# ruff: noqa: E501  # a mistake is a line of the table


@pytest.mark.parametrize(("section", "key", "message", "allowed"), MISTAKES)
def test_contradictions_are_refused_with_the_reason(
    project: Project, section: str, key: str, message: str, allowed: str
) -> None:
    error = project.refuse(with_endpoint(section).replace("usd: 200", "usd: 2000"))
    (found,) = error.problems
    assert (found.line, found.key) == (10, f"{KEY}.{key}"), str(error)
    assert message in found.message
    assert allowed in found.allowed


def test_no_capture_goes_with_every_kind(project: Project) -> None:
    assert serve(project, "{kind: serverless, capture_percent: 0}").capture_percent == 0


@pytest.mark.parametrize(
    ("section", "cost"),
    [
        ("{}", 84),
        ("{instances: 2}", 168),
        ("{variants: {b: {weight: 1, instance: ml.m5.xlarge}}}", 252),
        ("{instances: 2, scaling: {max: 2, invocations_per_minute: 1}}", 84),
        ("{kind: async, instances: 2}", 168),
        ("{kind: serverless}", 0),
        ("{kind: async, scaling: {min: 0, max: 2, backlog_per_instance: 5}}", 0),
        ("{kind: none}", 0),
    ],
)
def test_the_budget_is_checked_against_what_runs_idle(project: Project, section: str, cost: int) -> None:
    text = with_endpoint(section).replace("usd: 200", "usd: 1")
    if cost:
        (found,) = project.refuse(text).problems
        assert f"about {cost} US dollars" in found.message
    else:
        assert project.load(text).notes == ()


def test_what_has_no_price_is_named(project: Project) -> None:
    text = with_endpoint("{}").replace("us-east-1", "eu-west-1")
    instance, alarms = project.load(text).notes
    assert alarms == "no price is known for alarms in eu-west-1, so the budget is not checked against them"
    assert instance.startswith("no price is known for ml.m5.large hosting in eu-west-1")


def add_to_serve(addition: str) -> Any:
    return lambda text: text.replace("serve: {", f"serve: {{{addition}, ")


def test_a_script_needs_a_framework(project: Project) -> None:
    project.workload("plain", add_to_serve("script: inference.py"))
    (found,) = project.refuse(VALID).problems
    assert (found.file, found.key) == ("assets/workloads/plain/workload.yaml", "serve.script")
    assert "only a framework's runs a script" in found.message


def test_a_pre_trained_model_has_no_hyperparameters_to_vary(project: Project) -> None:
    before = "train: {algorithm: xgboost, artifact: {s3: 's3://bucket/model.tar.gz'}}\nserve:"
    project.workload("spotty", lambda text: text[: text.index("train:")] + before + text.partition("serve:")[2])
    text = with_endpoint("{variants: {b: {weight: 1, hyperparameters: {eta: 0.5}}}}").replace("usd: 200", "usd: 2000")
    text = text.replace("    train: {instance: ml.m5.xlarge}\n", "").replace(
        "    hyperparameters: {num_round: 7}\n", ""
    )
    (found,) = project.refuse(text).problems
    assert found.key == f"{KEY}.variants.b.hyperparameters"
    assert "pre-trained" in found.message


def test_the_container_may_reach_the_network_if_the_workload_says_so(project: Project) -> None:
    project.workload("plain", add_to_serve("internet: true"))
    assert [workload.serve.internet for workload in project.load(VALID).workloads] == [True, False]
