"""Where the references of an execution lead: parameters, the execution itself, and what finished steps left."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.sagemaker.core import Core
from localcloud.sagemaker.errors import ServiceError
from localcloud.sagemaker.pipelines.expressions import Unresolvable
from localcloud.sagemaker.pipelines.records import ExecutionRecord, StepRun
from localcloud.sagemaker.pipelines.steps import API_STEPS
from localcloud.sagemaker.ports import Scope

#: (role, operation, parameters, scope) -> reply: a call of the API as a role. Raises ServiceError.
CallAs = Callable[[str, str, dict[str, Any], Scope], dict[str, Any]]


class ExecutionValues:
    """Implements ``expressions.Values`` for one execution; everything is read as the execution's role."""

    def __init__(self, core: Core, call: CallAs, execution: ExecutionRecord) -> None:
        """Reads nothing yet."""
        self._core = core
        self._call = call
        self._execution = execution

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter."""
        return self._execution.parameters[name]

    def execution(self, name: str) -> Any:
        """A value of the execution."""
        execution = self._execution
        moments = {"StartDateTime": execution.created, "CurrentDateTime": self._core.clock.now()}
        if name in moments:
            return datetime.fromtimestamp(moments[name], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "PipelineName": execution.pipeline.name,
            "PipelineArn": execution.pipeline.arn,
            "PipelineExecutionId": execution.id,
            "PipelineExecutionArn": execution.arn,
        }[name]

    def properties(self, step: str) -> Any:
        """The reply of the step's Describe; of a condition its outcome. Raises Unresolvable."""
        run = self._finished(step)
        if run.properties is None:
            run.properties = self._describe(step, run)
        return run.properties

    def property_file(self, step: str, name: str) -> Any:
        """The JSON document that a processing step wrote. Raises Unresolvable."""
        output, path = self._execution.definition.steps[step].property_files[name]
        outputs = self.properties(step).get("ProcessingOutputConfig", {}).get("Outputs", [])
        folder = next((o["S3Output"]["S3Uri"] for o in outputs if o["OutputName"] == output), None)
        if folder is None:
            raise Unresolvable(f"step {step} has no output {output}")
        try:
            return self.document(f"{folder.rstrip('/')}/{path}")
        except Unresolvable as error:
            raise Unresolvable(f"property file {name}: {error}") from None

    def document(self, uri: str) -> Any:
        """A JSON document in S3, read as the execution's role ([DG] build-and-manage-access). Raises Unresolvable."""
        try:
            return json.loads(self._core.backend.get_object(self._execution.scope, self._execution.role_arn, uri))
        except (RuntimeError, ValueError) as error:
            raise Unresolvable(f"{uri}: {error}") from None

    def _finished(self, step: str) -> StepRun:
        with self._core.store.lock:
            run = self._execution.runs.get(step)
        if run is None or run.status != "Succeeded":
            raise Unresolvable(f"step {step} has no properties: it has not succeeded")
        return run

    def _describe(self, step: str, run: StepRun) -> dict[str, Any]:
        definition, execution = self._execution.definition.steps[step], self._execution
        api = API_STEPS.get(definition.type)
        if api is None or run.made is None:
            return {"Outcome": str(run.outcome)}
        name = run.made if definition.type == "RegisterModel" else run.made.rpartition("/")[2]
        try:
            reply = self._call(execution.role_arn, api.describe, {api.name: name}, execution.scope)
            if definition.type == "Tuning":
                reply |= self._trials(name, reply)
        except ServiceError as refused:
            raise Unresolvable(f"{api.describe}: {refused.message}") from None
        return reply

    def _trials(self, name: str, tuning: dict[str, Any]) -> dict[str, Any]:
        """TrainingJobSummaries, the best first: what ``get_top_model_s3_uri`` of the SDK refers to.

        Of equally good ones the first to be started comes first, which is also the BestTrainingJob of the tuning job.
        """
        objective = tuning["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
        maximize = objective.get("Type") == "Maximize"
        asked = {
            "HyperParameterTuningJobName": name,
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Descending" if maximize else "Ascending",
            "MaxResults": 50,
        }
        operation = "ListTrainingJobsForHyperParameterTuningJob"
        reply = self._call(self._execution.role_arn, operation, asked, self._execution.scope)
        by_name = sorted(reply["TrainingJobSummaries"], key=lambda trial: str(trial["TrainingJobName"]))
        return {"TrainingJobSummaries": sorted(by_name, key=_objective, reverse=maximize)}


def _objective(trial: dict[str, Any]) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
