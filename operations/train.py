"""``sandcastle train WORKLOAD``: a training job like the deployed one, once, with what one wants to try changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.by_hand import follow, goes_on, new_name
from operations.console import Console
from operations.definition import deployed_job, training_request, with_spot
from operations.errors import OperationError
from operations.job_log import LogTail, Metrics, shown
from operations.project import display
from operations.served import known_workload
from operations.stacks import workload_outputs
from operations.target import Target
from operations.words import duration


def train(
    target: Target,
    environment: str,
    workload: str,
    changes: dict[str, str],
    spot: bool | None,
    folder: Path,
    console: Console,
) -> dict[str, Any]:
    """Train once with the deployed definition and these hyperparameters changed; draw the metrics into the folder.

    The deployed model and its endpoint stay as they are. Raises OperationError when the workload is not deployed or
    the job does not complete.
    """
    known_workload(workload)
    described = deployed_job(target, workload, workload_outputs(target, environment, workload))
    name, request = new_name(environment, workload), training_request(described, environment, workload)
    request["HyperParameters"] |= changes
    target.client("sagemaker").create_training_job(TrainingJobName=name, **with_spot(request, name, spot))
    console.step(f"started {name}" + (f" with {', '.join(f'{k}={v}' for k, v in changes.items())}" if changes else ""))
    with goes_on(console, name, f"aws sagemaker stop-training-job --training-job-name {name}"):
        job, metrics = watch(target, name, console)
    final = {one["MetricName"]: one["Value"] for one in job.get("FinalMetricDataList", [])} or {
        metric: values[-1] for metric, values in metrics.series.items()
    }
    artifact, billed = job["ModelArtifacts"]["S3ModelArtifacts"], job.get("BillableTimeInSeconds", 0)
    console.say(
        f"{name} has trained a model; {duration(billed)} of {request['ResourceConfig']['InstanceType']} billed."
    )
    console.say(f"  {artifact}")
    for metric, value in final.items():
        console.say(f"  {metric} {value:.6g}")
    picture = _picture(metrics, workload, name, folder, console)
    console.say(f"Serve it with: sandcastle deploy-model {workload} {name} --environment {environment}")
    return {
        "workload": workload,
        "job": name,
        "artifact": artifact,
        "hyperparameters": job["HyperParameters"],
        "spot": bool(job.get("EnableManagedSpotTraining")),
        "metrics": final,
        "series": metrics.series,
        "billable_seconds": billed,
        "picture": picture,
    }


def watch(target: Target, name: str, console: Console) -> tuple[dict[str, Any], Metrics]:
    """Follow the job to its end, telling each change of its status and its metrics as they come.

    Raises OperationError with the reason when it does not complete.
    """
    sagemaker, tail, told = target.client("sagemaker"), LogTail(target, name), 0
    described = sagemaker.describe_training_job(TrainingJobName=name)
    metrics = Metrics(described["AlgorithmSpecification"].get("MetricDefinitions", []))

    def tell(found: dict[str, Any]) -> None:
        nonlocal told
        steps = found.get("SecondaryStatusTransitions", [])
        for step in steps[told:]:
            console.step(f"{step['Status']}: {step['StatusMessage']}".rstrip(": "))
        told = len(steps)
        if latest := metrics.read(tail.new_lines()):
            console.step(shown(latest))

    job = follow(
        target,
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda found: found["TrainingJobStatus"] in {"InProgress", "Stopping"},
        tell,
    )
    if job["TrainingJobStatus"] != "Completed":
        why = job.get("FailureReason") or job.get("SecondaryStatus", "")
        raise OperationError(f"{name} is {job['TrainingJobStatus']}: {why}\nIts log: sandcastle logs {name}")
    return job, metrics


def _picture(metrics: Metrics, workload: str, name: str, folder: Path, console: Console) -> str | None:
    """Draw the metrics that have more than one value; return the file, nothing when there is none to draw."""
    series = {metric: values for metric, values in metrics.series.items() if len(values) > 1}
    if not series:
        return None
    from operations.charts import write_series

    path = folder / f"{workload}-training.png"
    folder.mkdir(parents=True, exist_ok=True)
    write_series(series, path, workload, name)
    console.say(f"Written: {display(path)}")
    return str(path)
