"""``sandcastle tune WORKLOAD``: a tuning job over the ranges of its workload.yaml, its trials as they end."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.live import Live
from rich.table import Table

from operations.by_hand import follow, goes_on, tags_of
from operations.console import Console
from operations.definition import deployed_job, described_in, training_request
from operations.errors import OperationError, UsageError
from operations.project import display
from operations.served import known_workload
from operations.stacks import workload_outputs
from operations.target import Target
from operations.words import count
from sandcastle import tuning_names

_KINDS = {"continuous": "Continuous", "integer": "Integer", "categorical": "Categorical"}


@dataclass(frozen=True)
class Trial:
    """One training job of a tuning job; ``value`` is its objective, None before it ended well."""

    name: str
    status: str
    tuned: dict[str, str]
    value: float | None


def tune(
    target: Target,
    environment: str,
    workload: str,
    max_jobs: int | None,
    parallel: int | None,
    folder: Path,
    console: Console,
) -> dict[str, Any]:
    """Run a tuning job with the deployed definition and the workload's ranges; draw its trials into the folder.

    Raises UsageError when the workload has no ``tuning``, OperationError when it is not deployed or nothing trained.
    """
    known_workload(workload)
    tuning = described_in(workload)["train"].get("tuning")
    if not tuning:
        raise UsageError(f"Workload {workload} says nothing of tuning: its workload.yaml has no train.tuning.")
    outputs = workload_outputs(target, environment, workload)
    described = deployed_job(target, workload, outputs)
    name = tuning_name(environment, workload, outputs["Fingerprint"])
    limits = {
        "MaxNumberOfTrainingJobs": max_jobs or tuning["max_jobs"],
        "MaxParallelTrainingJobs": min(parallel or tuning["parallel_jobs"], max_jobs or tuning["max_jobs"]),
    }
    sagemaker = target.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        **tuning_request(training_request(described, environment, workload), tuning, limits),
        Tags=tags_of(environment, workload),
    )
    objective = tuning["objective"]
    maximise = tuning.get("goal", "Maximize") == "Maximize"
    console.step(f"started {name}: {limits['MaxNumberOfTrainingJobs']} trials for {objective}")
    with goes_on(
        console, name, f"aws sagemaker stop-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name {name}"
    ):
        job, trials = _watch(target, name, objective, maximise, console)
    best = job.get("BestTrainingJob", {}).get("TrainingJobName")
    if job["HyperParameterTuningJobStatus"] != "Completed" or not best:
        why = job.get("FailureReason") or "no trial reached an objective"
        raise OperationError(f"{name} is {job['HyperParameterTuningJobStatus']}: {why}")
    console.show(trial_table(objective, trials, best))
    ended = [(one.value, one.tuned) for one in trials if one.value is not None]
    from operations.charts import write_trials  # matplotlib takes longer to load than all of the above

    picture = folder / f"{workload}-tuning.png"
    folder.mkdir(parents=True, exist_ok=True)
    write_trials(objective, maximise, ended, picture, f"{workload}: {count(len(ended), 'trial')}")
    console.say(f"Written: {display(picture)}")
    console.say(f"Serve the best with: sandcastle deploy-model {workload} --best-of {name} --environment {environment}")
    return {
        "workload": workload,
        "tuning_job": name,
        "objective": objective,
        "best": next(asdict(one) for one in trials if one.name == best),
        "trials": [asdict(one) for one in trials],
        "picture": str(picture),
    }


def tuning_name(environment: str, workload: str, fingerprint: str) -> str:
    """Return a name of at most 32 characters; its first part is the workload's."""
    return f"{tuning_names.of_workload(environment, workload)}-{fingerprint[:8]}-{secrets.token_hex(4)}"


def tuning_request(training: dict[str, Any], tuning: dict[str, Any], limits: dict[str, int]) -> dict[str, Any]:
    """Return the request, without name and tags, that varies the training job over the workload's ranges."""
    ranges: dict[str, list[dict[str, Any]]] = {}
    for name, one in tuning["ranges"].items():
        ranges.setdefault(f"{_KINDS[one['kind']]}ParameterRanges", []).append(_range(name, one))
    fixed = {key: value for key, value in training["HyperParameters"].items() if key not in tuning["ranges"]}
    kept = {key: value for key, value in training.items() if key not in ("HyperParameters", "Tags")}
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.get("strategy", "Bayesian"),
            "HyperParameterTuningJobObjective": {
                "Type": tuning.get("goal", "Maximize"),
                "MetricName": tuning["objective"],
            },
            "ResourceLimits": limits,
            "ParameterRanges": ranges,
        },
        "TrainingJobDefinition": {**kept, "StaticHyperParameters": fixed},
    }


def _range(name: str, one: dict[str, Any]) -> dict[str, Any]:
    if one["kind"] == "categorical":
        return {"Name": name, "Values": [str(value) for value in one["values"]]}
    bounds = {"Name": name, "MinValue": str(one["min"]), "MaxValue": str(one["max"])}
    return bounds | ({"ScalingType": one["scale"]} if "scale" in one else {})


def _watch(
    target: Target, name: str, objective: str, maximise: bool, console: Console
) -> tuple[dict[str, Any], list[Trial]]:
    """Follow the job to its end: a table that changes on a terminal, a line for each trial that ended elsewhere."""
    sagemaker, told = target.client("sagemaker"), set[str]()
    trials: list[Trial] = []

    def tell(_: dict[str, Any]) -> None:
        trials[:] = trials_of(target, name)
        if console.progress.is_terminal:
            live.update(trial_table(objective, trials, _best(trials, maximise)), refresh=True)
            return
        for one in trials:
            if one.status not in {"InProgress", "Stopping"} and one.name not in told:
                told.add(one.name)
                console.step(f"{one.name} {one.status}: {objective} {_shown(one.value)}")

    with Live(console=console.progress, auto_refresh=False, transient=True) as live:
        job = follow(
            target,
            lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
            lambda found: found["HyperParameterTuningJobStatus"] in {"InProgress", "Stopping"},
            tell,
        )
    return job, trials


def trials_of(target: Target, name: str) -> list[Trial]:
    """Return the trials of a tuning job in the order of their start."""
    pages = target.client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    found = []
    for page in pages.paginate(HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"):
        for one in page["TrainingJobSummaries"]:
            metric = one.get("FinalHyperParameterTuningJobObjectiveMetric")
            value = metric["Value"] if metric else None
            found.append(Trial(one["TrainingJobName"], one["TrainingJobStatus"], one["TunedHyperParameters"], value))
    return found


def trial_table(objective: str, trials: list[Trial], best: str | None) -> Table:
    """Return the trials as a table, the best one marked."""
    table = Table(box=box.SIMPLE)
    names = list(dict.fromkeys(key for one in trials for key in one.tuned))
    for heading in ("", "trial", "status", objective, *names):
        table.add_column(heading, overflow="fold")
    for one in trials:
        mark = "best" if one.name == best else ""
        table.add_row(mark, one.name, one.status, _shown(one.value), *(one.tuned.get(key, "") for key in names))
    return table


def _best(trials: list[Trial], maximise: bool) -> str | None:
    ended = [(one.value if maximise else -one.value, one.name) for one in trials if one.value is not None]
    return max(ended)[1] if ended else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
