"""Hyperparameter tuning jobs: training jobs, so many at a time, until the last of them is over.

    InProgress -> Completed | Failed
               -> Stopping -> Stopped (when every training job has stopped)

Its training jobs are ordinary ones, named ``<tuning job>-001-<8 hex digits>``, with the tuning job's tags ([B]).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from localcloud.sagemaker import durations, errors, events, listing
from localcloud.sagemaker.api.supported import ANY, TAGS, Tree, only
from localcloud.sagemaker.core import Core, Operation, Request
from localcloud.sagemaker.kinds import training_job
from localcloud.sagemaker.kinds.training_job import TrainingJobs
from localcloud.sagemaker.store import Table, tag_map
from localcloud.sagemaker.tuning.runner import SHARED, Runner, request_of
from localcloud.sagemaker.tuning.search import Search
from localcloud.sagemaker.tuning.trials import TuningRecord

PATH = "hyper-parameter-tuning-job"
_MEMBER = "HyperParameterTuningJobName"
_RANGE: Tree = {"Name": ANY, "MinValue": ANY, "MaxValue": ANY, "ScalingType": ANY}
_CREATE: Tree = {
    _MEMBER: ANY,
    "HyperParameterTuningJobConfig": {
        "Strategy": only("Bayesian", "Random", "Grid"),
        "HyperParameterTuningJobObjective": {"Type": ANY, "MetricName": ANY},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": ANY, "MaxParallelTrainingJobs": ANY},
        "ParameterRanges": {
            "IntegerParameterRanges": _RANGE,
            "ContinuousParameterRanges": _RANGE,
            "CategoricalParameterRanges": {"Name": ANY, "Values": ANY},
        },
        "TrainingJobEarlyStoppingType": only("Off"),
        "RandomSeed": ANY,
    },
    "TrainingJobDefinition": {
        **{member: training_job.CREATE[member] for member in SHARED},
        "DefinitionName": ANY,
        "StaticHyperParameters": ANY,
        "AlgorithmSpecification": {"TrainingImage": ANY, "TrainingInputMode": ANY, "MetricDefinitions": ANY},
        "ResourceConfig": {
            "InstanceType": ANY,
            "InstanceCount": ANY,
            "VolumeSizeInGB": ANY,
            "KeepAlivePeriodInSeconds": only(0),
        },
    },
    "Tags": TAGS,
}
_NAME: Tree = {_MEMBER: ANY}
_RESOURCE = (PATH, _MEMBER)
_LISTING = listing.Listing("HyperParameterTuningJobSummaries", "Ascending", sort_by="Name")
_LIST_JOBS: Tree = {
    _MEMBER: ANY,
    "NextToken": ANY,
    "MaxResults": ANY,
    "StatusEquals": ANY,
    "SortBy": ANY,
    "SortOrder": ANY,
}


class TuningJobs:
    """Create, Describe, List, Stop and Delete of tuning jobs, and the list of their training jobs."""

    def __init__(self, core: Core, jobs: TrainingJobs) -> None:
        """None yet; ``jobs`` run the trials."""
        self._core = core
        self._jobs = jobs
        self._runner = Runner(core, jobs, self._announce)
        self._table: Table[TuningRecord] = Table(core.store)

    def operations(self) -> Mapping[str, Operation]:
        """Operation name to what serves it."""
        noun = "HyperParameterTuningJob"
        return {
            f"Create{noun}": Operation(self.create, _CREATE, _RESOURCE),
            f"Describe{noun}": Operation(self.describe, _NAME, _RESOURCE),
            f"List{noun}s": Operation(self.list_page, listing.STATUS_LIST),
            f"Stop{noun}": Operation(self.stop, _NAME, _RESOURCE),
            f"Delete{noun}": Operation(self.delete, _NAME, _RESOURCE),
            f"ListTrainingJobsFor{noun}": Operation(self.list_jobs, _LIST_JOBS, _RESOURCE),
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Check the definition as that of a training job, then start the first trials."""
        asked, scope = request.parameters, request.scope
        name, arn = asked[_MEMBER], scope.arn(PATH, asked[_MEMBER])
        if "TrainingJobDefinition" not in asked:
            raise errors.validation("TrainingJobDefinition must be specified.")
        config, definition = asked["HyperParameterTuningJobConfig"], asked["TrainingJobDefinition"]
        search = Search.of(config.get("ParameterRanges", {}), str(config.get("RandomSeed", name)))
        objective = self._objective(config, definition)
        fixed = sorted(search.names & set(definition.get("StaticHyperParameters", {})))
        if fixed:
            raise errors.validation(f"Hyperparameter {fixed[0]} is both static and tuned.")
        limit, parallel = _limits(config, search)
        now = self._core.clock.now()
        record = TuningRecord(
            scope,
            name,
            arn,
            asked,
            now,
            now,
            "InProgress",
            tag_map(asked.get("Tags")),
            search=search,
            limit=limit,
            parallel=parallel,
            objective=objective,
        )
        self._jobs.check(scope, request_of(record, self._runner.suggest(record, 1)))
        self._core.require_tagging(request, arn)
        self._core.require_role(request, definition["RoleArn"])
        self._core.backend.check_image(definition["AlgorithmSpecification"]["TrainingImage"])
        with self._core.store.lock:
            if self._table.get(scope, name) is not None:
                raise errors.resource_in_use(f"A hyperparameter tuning job with this name already exists ({arn})")
            self._table.add(record)
            self._announce(record)
        self._runner.advance(record)
        return {"HyperParameterTuningJobArn": arn}

    def describe(self, request: Request) -> dict[str, Any]:
        """The request, the counters and the best trial so far."""
        with self._core.store.lock:
            return _description(self._require(request))

    def list_page(self, request: Request) -> dict[str, Any]:
        """One page of summaries."""
        with self._core.store.lock:
            return listing.page(request.parameters, self._table.of(request.scope), _LISTING, _summary)

    def list_jobs(self, request: Request) -> dict[str, Any]:
        """One page of the training jobs; sorted by their value, those without one are left out ([B])."""
        with self._core.store.lock:
            record = self._require(request)
            jobs = [trial.job for trial in record.trials if trial.job]
            if request.parameters.get("SortBy") == "FinalObjectiveMetricValue":
                jobs = [job for job in jobs if record.value(job) is not None]
            by_value = listing.Listing(
                "TrainingJobSummaries",
                "Ascending",
                sort_by="Name",
                keys={"FinalObjectiveMetricValue": lambda job: record.value(job) or 0.0},
            )
            return listing.page(request.parameters, jobs, by_value, record.summary)

    def stop(self, request: Request) -> dict[str, Any]:
        """Stop the training jobs that run; Stopped when they have ([B])."""
        with self._core.store.lock:
            record = self._require(request)
            if record.status != "InProgress":
                raise errors.validation(
                    f"The request was rejected because the tuning job is in status {record.status}."
                )
            self._runner.enter(record, "Stopping")
        self._runner.stop_trials(record)
        self._runner.advance(record)
        return {}

    def delete(self, request: Request) -> dict[str, Any]:
        """Forget a tuning job that is over; its training jobs stay ([B])."""
        with self._core.store.lock:
            record = self._require(request)
            if not record.over or record.status == "Deleting":
                raise errors.resource_in_use(
                    f"Could not delete tuning job {record.name} because it is in status {record.status}."
                )
            self._runner.enter(record, "Deleting")
            self._core.clock.call_later(durations.JOB_DELETE, partial(self._forget, record), kind="settle")
        return {}

    def reset(self) -> None:
        """Forget every record; training jobs end with their own kind."""
        with self._core.store.lock:
            for record in self._table.all():
                record.status = "Stopped"
            self._table.clear()

    def _objective(self, config: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, str]:
        """The metric must be one that the image reports or the definition defines. Raises ValidationException ([R])."""
        objective = config.get("HyperParameterTuningJobObjective")
        if objective is None:
            raise errors.validation("HyperParameterTuningJobObjective must be specified.")
        algorithm = definition["AlgorithmSpecification"]
        image = algorithm.get("TrainingImage", "")
        own = self._core.backend.metric_names(image)
        given = {metric["Name"] for metric in algorithm.get("MetricDefinitions", [])}
        name = objective["MetricName"]
        if own and not given and name not in own:
            raise errors.validation(
                f"The objective metric for the hyperparameter tuning job, [{name}], isn't valid for the [{image}] "
                "algorithm. Choose a valid objective metric."
            )
        if name not in own | given:
            raise errors.validation(
                "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
                "definitions."
            )
        return dict(objective)

    def _require(self, request: Request) -> TuningRecord:
        name = request[_MEMBER]
        record = self._table.get(request.scope, name)
        if record is None:
            raise errors.resource_not_found(f"Amazon SageMaker can't find a tuning job with the name {name}.")
        return record

    def _announce(self, record: TuningRecord) -> None:
        """Hold the lock."""
        detail = events.described("DescribeHyperParameterTuningJob", _description(record), record)
        kind = "SageMaker HyperParameter Tuning Job State Change"
        self._core.announce(record.scope, kind, [record.arn], detail)

    def _forget(self, record: TuningRecord) -> None:
        with self._core.store.lock:
            self._table.remove(record)


def _limits(config: Mapping[str, Any], search: Search) -> tuple[int, int]:
    """How many training jobs in all, and at a time. Raises ValidationException (texts ours)."""
    limits = config["ResourceLimits"]
    most, parallel = limits.get("MaxNumberOfTrainingJobs"), limits["MaxParallelTrainingJobs"]
    if config["Strategy"] == "Grid":
        if search.numbers:
            raise errors.validation("A tuning job with strategy Grid takes categorical hyperparameter ranges only.")
        if most not in (None, search.combinations):
            raise errors.validation(
                f"With strategy Grid, MaxNumberOfTrainingJobs must be left out or be {search.combinations}, the number "
                "of combinations."
            )
        most = search.combinations
    if most is None:
        raise errors.validation("ResourceLimits must contain MaxNumberOfTrainingJobs.")
    if parallel > most:
        raise errors.validation("MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs.")
    return most, parallel


def _description(record: TuningRecord) -> dict[str, Any]:
    best = record.best
    return {
        **record.request,
        **_summary(record),
        "BestTrainingJob": record.summary(best) if best else None,
        "FailureReason": record.failure_reason,
    }


def _summary(record: TuningRecord) -> dict[str, Any]:
    config = record.request["HyperParameterTuningJobConfig"]
    return {
        "HyperParameterTuningJobName": record.name,
        "HyperParameterTuningJobArn": record.arn,
        "HyperParameterTuningJobStatus": record.status,
        "Strategy": config["Strategy"],
        "CreationTime": record.created,
        "HyperParameterTuningEndTime": record.ended,
        "LastModifiedTime": record.modified,
        **record.counters(),
        "ResourceLimits": config["ResourceLimits"],
    }
