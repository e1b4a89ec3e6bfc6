"""What runs the trials of a tuning job: so many at a time, until none is left or none is wanted.

Nothing waits on a thread of its own: the end of each training job asks again what can start.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.kinds.training_job import TrainingJobs
from localcloud.sagemaker.tuning import bayesian
from localcloud.sagemaker.tuning.trials import Trial, TuningRecord

logger = logging.getLogger("localcloud.sagemaker")

#: members that a definition and the training jobs of it have alike
SHARED: Final = (
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "Environment",
    "RetryStrategy",
)
#: training jobs without a value, from the start, after which AWS gives up ([R])
_HOPELESS = 5


class Runner:
    """Starts and stops trials."""

    def __init__(self, core: Core, jobs: TrainingJobs, announce: Callable[[TuningRecord], None]) -> None:
        """``jobs`` are the trials; ``announce`` hears of every change of status, under the lock."""
        self._core = core
        self._jobs = jobs
        self._announce = announce

    def advance(self, record: TuningRecord) -> None:
        """Start as many trials as may run, or end. Called again whenever a trial is over."""
        with self._core.store.lock:
            claimed = self._claim(record)
            watchers = [] if claimed else self._conclude(record)
        for trial in claimed:
            self._start(record, trial)
        for callback in watchers:
            callback()

    def stop_trials(self, record: TuningRecord) -> None:
        """Ask every training job that runs to stop."""
        with self._core.store.lock:
            jobs = [trial.job for trial in record.running if trial.job]
        for job in jobs:
            self._jobs.stop_record(job)

    def suggest(self, record: TuningRecord, number: int) -> dict[str, str]:
        """The hyperparameters of a trial (from 1)."""
        match record.request["HyperParameterTuningJobConfig"]["Strategy"]:
            case "Grid":
                return record.search.grid(number)
            case "Bayesian":
                maximise = record.objective["Type"] == "Maximize"
                pending = [trial.tuned for trial in record.running]
                return bayesian.suggest(record.search, number, record.told, pending, maximise=maximise)
            case _:
                return record.search.random(number)

    def enter(self, record: TuningRecord, status: str) -> None:
        """Change the status; hold the lock."""
        record.status = status
        record.modified = self._core.clock.now()
        self._announce(record)
        self._core.store.changed.notify_all()

    def _claim(self, record: TuningRecord) -> list[Trial]:
        """The trials to start now, so that nobody else starts them too. Hold the lock."""
        if record.status != "InProgress" or record.failure:
            return []
        room = min(record.parallel - len(record.running), record.limit - len(record.trials))
        claimed = []
        for _ in range(room):
            number = len(record.trials) + 1
            digest = hashlib.sha256(f"{record.arn}/{record.created}/{number}".encode()).hexdigest()[:8]
            trial = Trial(number, f"{record.name}-{number:03d}-{digest}", self.suggest(record, number))
            record.trials.append(trial)
            claimed.append(trial)
        return claimed

    def _start(self, record: TuningRecord, trial: Trial) -> None:
        request = {**request_of(record, trial.tuned), "TrainingJobName": trial.name}
        try:
            job = self._jobs.launch(record.scope, request, {"TuningJobArn": record.arn})
        except ServiceError as refused:
            self._give_up(record, trial, f"{refused.code}: {refused.message}")
            return
        # whatever is wrong here is localcloud's fault and must end the tuning job, or it would go on for ever
        except Exception as error:
            logger.exception("a trial of %s could not be started", record.arn)
            self._give_up(record, trial, f"InternalServerError: [localcloud] {error}")
            return
        with self._core.store.lock:
            trial.job = job
            stopping = record.status != "InProgress" or record.failure is not None
        if stopping:
            self._jobs.stop_record(job)
        self._core.store.watch(job, partial(self._trial_ended, record))

    def _give_up(self, record: TuningRecord, trial: Trial, failure: str) -> None:
        """A trial could not even be started: the rest is stopped."""
        with self._core.store.lock:
            record.trials.remove(trial)
            record.failure = failure
        self.stop_trials(record)
        self.advance(record)

    def _trial_ended(self, record: TuningRecord) -> None:
        with self._core.store.lock:
            if record.status == "InProgress" and not record.failure:
                record.failure = _hopeless(record)
            giving_up = record.failure is not None
        if giving_up:
            self.stop_trials(record)
        self.advance(record)

    def _conclude(self, record: TuningRecord) -> list[Callable[[], None]]:
        """The end, when no trial runs any more; what is to be called then. Hold the lock."""
        if record.status not in ("InProgress", "Stopping") or record.running:
            return []
        record.ended = self._core.clock.now()
        if record.status == "Stopping":
            self.enter(record, "Stopped")
        else:
            self.enter(record, "Failed" if record.failure else "Completed")
        watchers, record.watchers = record.watchers, []
        return watchers


def request_of(record: TuningRecord, tuned: Mapping[str, str]) -> dict[str, Any]:
    """CreateTrainingJob of a trial, but for its name ([R] what AWS adds: facts containers 6)."""
    definition = record.request["TrainingJobDefinition"]
    algorithm = dict(definition["AlgorithmSpecification"])
    objective = record.objective["MetricName"]
    metrics = algorithm.get("MetricDefinitions", [])
    extra = [{"Name": "ObjectiveMetric", "Regex": m["Regex"]} for m in metrics if m["Name"] == objective]
    if metrics:
        algorithm["MetricDefinitions"] = [*metrics, *extra]
    static = definition.get("StaticHyperParameters", {})
    return {
        **{member: definition[member] for member in SHARED if member in definition},
        "AlgorithmSpecification": algorithm,
        "HyperParameters": {**static, **tuned, "_tuning_objective_metric": objective},
        "Tags": [{"Key": key, "Value": value} for key, value in record.tags.items()],
    }


def _hopeless(record: TuningRecord) -> str | None:
    """Why AWS gives up after the first trials ([R] both texts), None while there is hope."""
    finished = record.finished
    if record.best or len(finished) < min(_HOPELESS, record.limit):
        return None
    if all(job.status == "Failed" for job in finished):
        return (
            f"No training job succeeded after {len(finished)} attempts. For additional details, please take a look at "
            "the training job failures by listing training jobs for the hyperparameter tuning job."
        )
    return (
        f"No objective metrics found after running {len(finished)} training jobs. Please ensure that the custom "
        "algorithm is emitting the objective metric as defined by the regular expression provided."
    )
