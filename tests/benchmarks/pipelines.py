"""What localcloud's pipelines cost: reading and resolving a definition of 200 steps, and executing as many.

The steps are as pipelines have them: inputs that are outputs of the step before, joined texts, parameters, values of
property files. Nothing of AWS is called and no job runs; the baseline is reading the same text as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.measure import ROOT

STEPS = 200
_RUNS = 5
_FILE = "Steps.{}.PropertyFiles.Report"


def run() -> None:
    """Print both figures."""
    sys.path.insert(0, str(ROOT / "localcloud" / "src"))
    from localcloud.sagemaker.pipelines.definition import parse
    from localcloud.sagemaker.pipelines.expressions import resolve

    text = definition()
    values = _Values()

    def read_and_resolve() -> None:
        for step in parse(text, "CreatePipeline").steps.values():
            resolve(step.asked, values)

    print(f"pipelines: a definition of {STEPS} steps ({len(text) / 1000:.0f} KB) read, checked and resolved, against")
    print("  json.loads of its text")
    ours, baseline = _median(read_and_resolve), _median(lambda: json.loads(text))
    print(f"  {ours * 1000:.0f} ms against {baseline * 1000:.2f} ms: {ours / baseline:.0f} times as long")
    seconds = _median(_execution)
    print(f"  an execution of {STEPS} conditions, one after the other: {seconds * 1000:.0f} ms")


def definition() -> str:
    """Each step takes what the one before has left."""
    parameters = [{"Name": "rounds", "Type": "Integer", "DefaultValue": 3}]
    steps = [_step(number) for number in range(STEPS)]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def _step(number: int) -> dict[str, Any]:
    before = f"Step{number - 1}"
    inputs = [{"InputName": "code", "S3Input": {"S3Uri": "s3://bucket/code.zip", "LocalPath": "/opt/ml/code"}}]
    environment: dict[str, Any] = {"ROUNDS": {"Get": "Parameters.rounds"}}
    if number:
        uri = f"Steps.{before}.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"
        inputs.append({"InputName": "data", "S3Input": {"S3Uri": {"Get": uri}, "LocalPath": "/opt/ml/data"}})
        file = {"Get": _FILE.format(before)}
        environment["ACCURACY"] = {"Std:JsonGet": {"PropertyFile": file, "Path": "metrics.accuracy.value"}}
    place = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Execution.PipelineExecutionId"}, str(number)]}}
    output = {"S3Uri": place, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
    return {
        "Name": f"Step{number}",
        "Type": "Processing",
        "PropertyFiles": [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}],
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
        "RetryPolicies": [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2}],
        "Arguments": {
            "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["python3", "main.py"]},
            "Environment": environment,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": output}]},
            "RoleArn": "arn:aws:iam::000000000000:role/jobs",
        },
    }


class _Values:
    """What references lead to."""

    def parameter(self, _name: str) -> int:
        return 3

    def execution(self, name: str) -> str:
        return name

    def properties(self, step: str) -> dict[str, Any]:
        output = {"OutputName": "report", "S3Output": {"S3Uri": f"s3://bucket/{step}"}}
        return {"ProcessingOutputConfig": {"Outputs": [output]}}

    def property_file(self, _step: str, _name: str) -> dict[str, Any]:
        return {"metrics": {"accuracy": {"value": 0.9}}}


def _execution() -> None:
    """From the call that starts it to the end of its last step, in the service's own process."""
    from tests.localcloud.sagemaker import pipeline_parts as parts
    from tests.localcloud.sagemaker.pipeline_runs import start, wait_for_end
    from tests.localcloud.sagemaker.scripted_backend import World

    world = World()
    always = [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}]
    chain = [
        parts.condition(f"C{number}", always, [], [], DependsOn=[f"C{number - 1}"] if number else [])
        for number in range(STEPS)
    ]
    parts.create(world, *chain)
    assert wait_for_end(world, start(world))["PipelineExecutionStatus"] == "Succeeded"


def _median(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)
