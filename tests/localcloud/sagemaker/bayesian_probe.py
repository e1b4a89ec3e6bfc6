"""Tuning jobs that search a known landscape, in localcloud's own environment: optuna is there and nowhere else.

Run by localcloud's interpreter with a JSON list of ``[strategy, type, seed, trials, parallel]`` on stdin; prints for
each the trials as ``[hyperparameters, value]``. Every trial goes through the service as a request would.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

from localcloud.jobs.spec import JobOutcome  # noqa: E402 - after the path
from localcloud.sagemaker import durations  # noqa: E402
from tests.localcloud.sagemaker.scripted_backend import IMAGE, ROLE, World  # noqa: E402

RANGES = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.0001", "MaxValue": "1", "ScalingType": "Logarithmic"},
        {"Name": "decay", "MinValue": "0", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"},
        {"Name": "alpha", "MinValue": "-1", "MaxValue": "2"},
    ],
    "IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "10"}],
    "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart", "gblinear"]}],
}


def landscape(tuned: dict[str, str]) -> float:
    """Highest, 0, at eta 0.01, alpha 0.5, depth 6, dart; decay does not matter."""
    return -(
        abs(math.log10(float(tuned["eta"])) + 2)
        + abs(float(tuned["alpha"]) - 0.5)
        + abs(int(tuned["depth"]) - 6) / 4
        + (tuned["booster"] != "dart")
    )


def search(strategy: str, kind: str, seed: int, trials: int, parallel: int) -> list[tuple[dict[str, str], float]]:
    """One tuning job to its end."""
    world = World()
    world.call(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="tuning",
        HyperParameterTuningJobConfig={
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": kind, "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": RANGES,
            "RandomSeed": seed,
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    found = []
    while len(found) < trials:
        world.clock.advance(durations.JOB_STARTING)
        world.clock.advance(durations.JOB_IMAGE_DOWNLOAD)
        for job in world.backend.jobs[len(found) :]:
            tuned = {name: value for name, value in job.spec.hyperparameters.items() if not name.startswith("_")}
            value = landscape(tuned) if kind == "Maximize" else -landscape(tuned)
            found.append((tuned, value))
            job.on_done(JobOutcome("Completed", metrics=[("score", value, 1.0)], seconds_running=1))
    best = world.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName="tuning")["BestTrainingJob"]
    choose = max if kind == "Maximize" else min
    assert best["TunedHyperParameters"] == choose(found, key=lambda pair: pair[1])[0]
    return found


if __name__ == "__main__":
    print(json.dumps([search(*request) for request in json.load(sys.stdin)]))
