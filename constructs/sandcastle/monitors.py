"""The two monitors of an endpoint: what each makes its baseline of, and what it asks its engine for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import aws_cdk as cdk
from constructs import Construct

from sandcastle.baseline_request import MINUTES, VOLUME_GB, Analyzer, baseline_request, of_predictions
from sandcastle.code import UploadedAsset
from sandcastle.config import Monitor, MonitorKind, Workload
from sandcastle.fingerprint import fingerprint
from sandcastle.job_resource import JobResource
from sandcastle.monitor_places import MonitorPlaces
from sandcastle.naming import WorkloadNames
from sandcastle.pipeline.parts import Judging
from sandcastle.processing_request import (
    BASELINE,
    INPUT,
    OUTPUT,
    Machine,
    Program,
    processing_output,
    processing_request,
)
from sandcastle.resource import Resource

ENDPOINT_INPUT = f"{INPUT}/endpoint"
"""Where captured data lie in a job."""

LATE: Mapping[str, str] = {"StartTimeOffset": "-PT{}H", "EndTimeOffset": "-PT1H"}
"""Model quality looks an hour further back than data quality: labels come later than the requests they belong to."""


@dataclass(frozen=True)
class Watched:
    """What both monitors of an endpoint have in common. ``analyzer`` is the engine's, ``tags`` those of its jobs.

    ``records`` makes rows of what is captured (``assets/pipeline/monitor_records.py``).
    """

    workload: Workload
    names: WorkloadNames
    places: MonitorPlaces
    analyzer: Analyzer
    records: UploadedAsset
    tags: Mapping[str, str]

    @property
    def reading(self) -> dict[str, str]:
        """Where the prediction is in an answer: variables of ``records``."""
        return reading_of(self.workload)


class _QualityMonitor(Construct):
    """A baseline, made by a job of the deploy, and what is compared with it.

    The baseline's address follows from its fingerprint: another baseline is another definition, and the same one is
    not made twice.
    """

    type: ClassVar[Literal["DataQuality", "ModelQuality"]]
    folder: ClassVar[Literal["data", "model"]]

    def __init__(self, scope: Construct, construct_id: str, *, monitor: Monitor, watched: Watched) -> None:
        super().__init__(scope, construct_id)
        self.monitor, self._watched = monitor, watched
        self.fingerprint = ""

    @property
    def kind(self) -> MonitorKind:
        """Which of the two it is."""
        return self.monitor.kind

    @property
    def schedule(self) -> str:
        """The name of its schedule."""
        data, model = self._watched.names.schedules
        return data if self.type == "DataQuality" else model

    @property
    def baseline(self) -> str:
        """The address of the folder with statistics.json and constraints.json."""
        return self._watched.places.baseline(self.fingerprint, self.folder)

    def definition(self, endpoint: str) -> Resource:
        """Add Model Monitor's job definition. Its name is generated: whatever changes makes another one."""
        watched, kind = self._watched, self.type
        output = {"S3Uri": watched.places.reports, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
        cluster = {"InstanceCount": 1, "InstanceType": watched.workload.prepare.instance, "VolumeSizeInGB": VOLUME_GB}
        captured = {
            "EndpointName": endpoint,
            "LocalPath": ENDPOINT_INPUT,
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        }
        own: dict[str, Any] = {
            f"{kind}BaselineConfig": self._compared_with(),
            f"{kind}AppSpecification": {"ImageUri": watched.analyzer.image, **self._application()},
            f"{kind}JobInput": self._input(captured),
            f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        }
        return Resource(
            self,
            "Definition",
            f"AWS::SageMaker::{kind}JobDefinition",
            JobResources={"ClusterConfig": cluster},
            NetworkConfig={"EnableNetworkIsolation": True},
            RoleArn=watched.analyzer.role_arn,
            StoppingCondition={"MaxRuntimeInSeconds": MINUTES * 60},
            **own,
        )

    def _run(
        self,
        construct_id: str,
        resource_type: str,
        *,
        service_token: str,
        fingerprint: str,
        result: str,
        request: dict[str, Any],
        siblings: Sequence[str],
        after: Sequence[cdk.CfnResource],
    ) -> JobResource:
        job = JobResource(
            self,
            construct_id,
            resource_type=resource_type,
            kind="processing",
            service_token=service_token,
            names=self._watched.names,
            fingerprint=fingerprint,
            result=result,
            request=request,
            siblings=[one for one in siblings if one != fingerprint],
        )
        for one in after:
            job.add_resource_dependency(one)
        return job

    def _baseline_job(
        self,
        service_token: str,
        dataset: str,
        variables: Mapping[str, str],
        siblings: Sequence[str],
        *after: cdk.CfnResource,
    ) -> JobResource:
        request = baseline_request(
            self._watched.analyzer,
            dataset,
            self.baseline,
            instance=self._watched.workload.prepare.instance,
            tags=self._watched.tags,
            variables=variables,
        )
        return self._run(
            "Baseline",
            "Custom::SandcastleBaseline",
            service_token=service_token,
            fingerprint=self.fingerprint,
            result=self.baseline,
            request=request,
            siblings=siblings,
            after=after,
        )

    def _compared_with(self) -> dict[str, Any]:
        return {"ConstraintsResource": {"S3Uri": f"{self.baseline}/constraints.json"}}

    def _application(self) -> dict[str, Any]:
        raise NotImplementedError

    def _input(self, captured: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError


class DataQualityMonitor(_QualityMonitor):
    """Are the columns still as they were in the training rows: types, gaps, values, distributions."""

    type = "DataQuality"
    folder = "data"

    def __init__(
        self, scope: Construct, construct_id: str, *, monitor: Monitor, watched: Watched, dataset: str, analyzer: str
    ) -> None:
        """``dataset`` is the data's fingerprint, ``analyzer`` stands for the program that makes the baseline."""
        super().__init__(scope, construct_id, monitor=monitor, watched=watched)
        self.fingerprint = fingerprint(data=dataset, analyzer=analyzer, kind=self.type)
        self.fingerprints = [self.fingerprint]

    def run(self, service_token: str, rows: str, siblings: Sequence[str], *after: cdk.CfnResource) -> list[JobResource]:
        """Add the job that makes the baseline; ``rows`` is the address of the prepared data."""
        return [self._baseline_job(service_token, f"{rows}/{BASELINE}", {}, siblings, *after)]

    def _compared_with(self) -> dict[str, Any]:
        statistics = {"StatisticsResource": {"S3Uri": f"{self.baseline}/statistics.json"}}
        return {**super()._compared_with(), **statistics}

    def _application(self) -> dict[str, Any]:
        return {"RecordPreprocessorSourceUri": self._watched.records.url, "Environment": self._watched.reading}

    def _input(self, captured: dict[str, Any]) -> dict[str, Any]:
        return {"EndpointInput": captured}


class ModelQualityMonitor(_QualityMonitor):
    """Are the answers still right, by labels that somebody delivers later.

    The baseline is made of the model's answers to the test split, which it gives before it serves, in the image that
    trained it and by the code that will serve it.
    """

    type = "ModelQuality"
    folder = "model"

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitor: Monitor,
        watched: Watched,
        dataset: str,
        model: str,
        judge: Program,
        analyzer: str,
    ) -> None:
        """``dataset`` and ``model`` are fingerprints; ``judge`` asks the model, ``analyzer`` makes the baseline."""
        super().__init__(scope, construct_id, monitor=monitor, watched=watched)
        self._judge, self._judging = judge, Judging.of(watched.workload)
        self._asking = self._judging.variables(watched.workload.serve)
        code = [one.rpartition("/")[2] for one in judge.code.values()]
        self._asked = fingerprint(data=dataset, model=model, code=code, image=judge.image, variables=self._asking)
        self.fingerprint = fingerprint(asked=self._asked, analyzer=analyzer, kind=self.type)
        self.fingerprints = [self._asked, self.fingerprint]

    def run(
        self, service_token: str, rows: str, archive: str, siblings: Sequence[str], *after: cdk.CfnResource
    ) -> list[JobResource]:
        """Add the job that asks the model in ``archive``, and the one that makes the baseline of its answers."""
        prepare, answers = self._watched.workload.prepare, self._watched.places.evaluation(self._asked)
        request = processing_request(
            self._judge,
            Machine(prepare.instance, prepare.volume_gb, prepare.max_runtime_minutes),
            inputs={"model": archive, "test": f"{rows}/test", "about": f"{rows}/about"},
            outputs=[processing_output("results", answers, OUTPUT)],
            variables=self._asking,
            tags=self._watched.tags,
        )
        asked = self._run(
            "Evaluation",
            "Custom::SandcastleEvaluation",
            service_token=service_token,
            fingerprint=self._asked,
            result=answers,
            request=request,
            siblings=siblings,
            after=after,
        )
        variables = of_predictions(self._judging.problem_type)
        made = self._baseline_job(service_token, f"{answers}/predictions", variables, siblings, asked)
        return [asked, made]

    def _application(self) -> dict[str, Any]:
        return {"ProblemType": self._judging.problem_type}

    def _input(self, captured: dict[str, Any]) -> dict[str, Any]:
        late = {key: value.format(self.monitor.hours + 1) for key, value in LATE.items()}
        truth = {"GroundTruthS3Input": {"S3Uri": self._watched.places.truth}}
        return {"EndpointInput": {**captured, **self.attributes, **late}, **truth}

    @property
    def variables(self) -> dict[str, str]:
        """What the portable analyzer is told of the model and its answers, in the words of Model Monitor's."""
        return variables_of(self._judging)

    @property
    def attributes(self) -> dict[str, Any]:
        """Where in a captured answer the prediction is: a key of JSON, or the number of a CSV column."""
        return attributes_of(self._judging)


def attributes_of(judging: Judging) -> dict[str, Any]:
    """Return where in a captured answer the prediction is, in members of an endpoint's input of a job definition."""
    place = judging.answer.removeprefix("json:") if judging.answer.startswith("json:") else "0"
    if judging.kind == "binary":
        return {"ProbabilityAttribute": place, "ProbabilityThresholdAttribute": judging.threshold}
    return {"InferenceAttribute": place}


def variables_of(judging: Judging) -> dict[str, str]:
    """Return the same, and what is judged, in variables of an analyzer."""
    names = {
        "InferenceAttribute": "inference_attribute",
        "ProbabilityAttribute": "probability_attribute",
        "ProbabilityThresholdAttribute": "probability_threshold_attribute",
    }
    said = {"analysis_type": "MODEL_QUALITY", "problem_type": judging.problem_type}
    return said | {names[key]: str(value) for key, value in attributes_of(judging).items()}


def reading_of(workload: Workload) -> dict[str, str]:
    """Return where the prediction is in an answer: variables of ``assets/pipeline/monitor_records.py``."""
    found = workload.evaluate
    return {
        "SANDCASTLE_KIND": found.kind,
        "SANDCASTLE_ANSWER": found.answer,
        "SANDCASTLE_THRESHOLD": str(found.threshold),
    }
