"""The images of Model Monitor as processing jobs on a real server, without a ContainerEntrypoint."""

from __future__ import annotations

import json
from typing import Any

from localcloud.jobs.executor import InputSpec, OutputSpec
from tests.localcloud.jobs.cloud import MODEL_MONITOR, Cloud
from tests.localcloud.jobs.monitor_programs import CSV, DATA, OUT, environment

_SOURCE, _OUTPUT = f"/opt/ml/{DATA}", f"/opt/ml/{OUT}"


def baseline(cloud: Cloud, name: str, table: str, hosts: int = 1, **variables: str) -> Any:
    uri = cloud.put(f"{name}/data/rows.csv", table)
    return cloud.spec(
        "processing",
        cloud.full_role(),
        image=MODEL_MONITOR,
        instance_count=hosts,
        environment=environment(CSV, **variables),
        inputs=[InputSpec("baseline_dataset_input", uri, local_path=_SOURCE)],
        outputs=[OutputSpec("monitoring_output", f"s3://{cloud.bucket}/{name}/out", _OUTPUT)],
    )


def test_a_data_quality_baseline(cloud: Cloud) -> None:
    # every host has all the data: one of them does the work
    outcome, _ = cloud.run(baseline(cloud, "data", "label,x\n" + "1,0.5\n0,2\n" * 20, hosts=2))
    assert outcome.status == "Completed", outcome.failure_reason
    assert outcome.exit_message == "Completed: Job completed successfully with no violations."
    assert cloud.keys("data/out/") == ["data/out/constraints.json", "data/out/statistics.json"]
    constraints = json.loads(cloud.get(f"s3://{cloud.bucket}/data/out/constraints.json"))
    assert [(f["name"], f["inferred_type"]) for f in constraints["features"]] == [
        ("label", "Integral"),
        ("x", "Fractional"),
    ]


def test_what_is_wrong_is_the_failure_reason(cloud: Cloud) -> None:
    variables = {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "ground_truth_attribute": "label"}
    outcome, _ = cloud.run(baseline(cloud, "wrong", "prediction,label\n1,1\n", inference_attribute="y", **variables))
    assert (outcome.status, outcome.failure_reason) == (
        "Failed",
        "AlgorithmError: Error: inference_attribute 'y' is no column of the data; there are: prediction, label, "
        "exit code: 255",
    )
