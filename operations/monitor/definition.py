"""The job of a monitor, as requests for a run by hand: what a schedule would run, over a window that somebody chose.

The requests are those that Model Monitor makes itself (facts of the containers, section 5.1), with the image, role,
baseline, script, instances and network of the schedule's job definition. What a run by hand finds lies beside the
schedule's reports, in a folder of its own, and goes into no metric: nobody is alarmed by somebody who looks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from operations.errors import OperationError
from operations.monitor.monitors import Monitor
from operations.monitor.windows import Window, at

_ROOT = "/opt/ml/processing"
_TRUTH = f"{_ROOT}/groundtruth"
_MERGER = "sagemaker-model-monitor-groundtruth-merger"
_LONGEST = 3600
"""Seconds that a job may take whose definition says nothing."""

_ATTRIBUTES = {
    "FeaturesAttribute": "features_attribute",
    "InferenceAttribute": "inference_attribute",
    "ProbabilityAttribute": "probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold_attribute",
    "ExcludeFeaturesAttribute": "exclude_features_attribute",
}
_SCRIPTS = {
    "RecordPreprocessorSourceUri": ("preprocessing", "record_preprocessor_script"),
    "PostAnalyticsProcessorSourceUri": ("postprocessing", "post_analytics_processor_script"),
}


@dataclass(frozen=True)
class Definition:
    """A monitor's job definition as SageMaker describes it, and where the endpoint's captured requests are."""

    monitor: Monitor
    described: Mapping[str, Any]
    capture: str
    variants: tuple[str, ...]

    @classmethod
    def of(cls, sagemaker: Any, monitor: Monitor) -> Definition:
        """Ask for it. Raises OperationError when the endpoint captures nothing."""
        describe = (
            sagemaker.describe_data_quality_job_definition
            if monitor.kind == "DataQuality"
            else sagemaker.describe_model_quality_job_definition
        )
        described = describe(JobDefinitionName=monitor.definition)
        endpoint = sagemaker.describe_endpoint(EndpointName=monitor.endpoint)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        capture = config.get("DataCaptureConfig", {})
        if not capture.get("EnableCapture"):
            raise OperationError(f"Endpoint {monitor.endpoint} captures no requests: there is nothing to look at.")
        names = tuple(one["VariantName"] for one in config["ProductionVariants"])
        return cls(monitor, described, capture["DestinationS3Uri"].rstrip("/"), names)

    @property
    def silent(self) -> str:
        """What is the case when nothing was captured."""
        return silent(self.monitor)

    def place(self, variant: str) -> str:
        """Return the folder below which the hours of a variant are."""
        return f"{self.capture}/{self.monitor.endpoint}/{variant}"

    @property
    def truth(self) -> str | None:
        """Where labels come to, of a monitor of the model's quality."""
        found = self._inputs.get("GroundTruthS3Input", {}).get("S3Uri")
        return found.rstrip("/") if found else None

    @property
    def offsets(self) -> tuple[str, str]:
        """From when until when the schedule looks, seen from when it runs; ISO 8601 durations."""
        return self._watched.get("StartTimeOffset", "-PT1H"), self._watched.get("EndTimeOffset", "-PT0H")

    def requests(self, name: Callable[[], str], window: Window, labels: list[datetime]) -> list[dict[str, Any]]:
        """Return the jobs to run one after the other; the last one judges.

        ``name`` gives each its name; ``labels`` are the hours in which labels came, where the model is judged.
        """
        if self.monitor.kind == "DataQuality":
            return [self.analyse(name(), window, None)]
        merge = name()
        return [self.merge(merge, window, labels), self.analyse(name(), window, merge)]

    def merge(self, name: str, window: Window, labels: list[datetime]) -> dict[str, Any]:
        """Return the request for a job that puts the labels of these hours beside the answers of the window."""
        inputs = [
            source(f"groundtruth_input_{number}", at(str(self.truth), hour), at(_TRUTH, hour))
            for number, hour in enumerate(labels, start=1)
        ]
        variables = {
            "dataset_source": self._watched["LocalPath"],
            "ground_truth_source": _TRUTH,
            "output_path": f"{_ROOT}/output",
        }
        image = f"{self._application['ImageUri'].partition('/')[0]}/{_MERGER}"
        data = self._data(self.capture, window)
        return self._job(name, {"ImageUri": image}, [*inputs, *data], self.merged(name), f"{_ROOT}/output", variables)

    def merged(self, name: str) -> str:
        """Return where a merging job of this name leaves its results."""
        return f"{self._output['S3Uri'].rstrip('/')}/merge/{name}"

    def analyse(self, name: str, window: Window, merge: str | None) -> dict[str, Any]:
        """Return the request for the job that judges; ``merge`` names the job that has merged labels, if any."""
        inputs = self._data(self.merged(merge) if merge else self.capture, window)
        variables = {
            "dataset_source": self._watched["LocalPath"],
            "output_path": self._output["LocalPath"],
            "publish_cloudwatch_metrics": "Disabled",
            "sagemaker_endpoint_name": self.monitor.endpoint,
            "sagemaker_monitoring_schedule_name": self.monitor.schedule,
            "start_time": f"{window.begin:%Y-%m-%dT%H:%M:%SZ}",
            "end_time": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
            **self._of_kind(),
            **{variable: str(self._watched[key]) for key, variable in _ATTRIBUTES.items() if key in self._watched},
            **self._application.get("Environment", {}),
        }
        baseline = self.described.get(f"{self.monitor.kind}BaselineConfig", {})
        for key, folder in (("Statistics", "stats"), ("Constraints", "constraints")):
            if uri := baseline.get(f"{key}Resource", {}).get("S3Uri"):
                inputs.append(source(key.lower(), uri, f"{_ROOT}/baseline/{folder}"))
                variables[f"baseline_{key.lower()}"] = f"{_ROOT}/baseline/{folder}/{PurePosixPath(uri).name}"
        for key, (folder, variable) in _SCRIPTS.items():
            if uri := self._application.get(key):
                inputs.append(source(folder, uri, f"{_ROOT}/code/{folder}"))
                variables[variable] = f"{_ROOT}/code/{folder}/{PurePosixPath(uri).name}"
        application = {"ImageUri": self._application["ImageUri"]}
        for key in ("ContainerEntrypoint", "ContainerArguments"):
            if key in self._application:
                application[key] = self._application[key]
        folder = "/".join(part for part in (self.monitor.endpoint, self.monitor.schedule, "by-hand", name) if part)
        target = f"{self._output['S3Uri'].rstrip('/')}/{folder}"
        return self._job(name, application, inputs, target, self._output["LocalPath"], variables)

    def _of_kind(self) -> dict[str, str]:
        if form := self._watched.get("DatasetFormat"):
            [(kind, options)] = form.items()
            return {"dataset_format": json.dumps({kind.lower(): {key.lower(): one for key, one in options.items()}})}
        if self.monitor.kind == "DataQuality":
            names = {"captureIndexNames": ["endpointInput", "endpointOutput"]}
            return {
                "dataset_format": json.dumps({"sagemakerCaptureJson": names}),
                "sagemaker_endpoint_datacapture_prefix": self.capture,
            }
        return {
            "dataset_format": json.dumps({"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}),
            "analysis_type": "MODEL_QUALITY",
            "problem_type": self._application.get("ProblemType", ""),
        }

    def _data(self, base: str, window: Window) -> list[dict[str, Any]]:
        """Return an input for each variant and hour of the window that has something."""
        local = self._watched["LocalPath"].rstrip("/")
        folders = [at(f"{self.monitor.endpoint}/{variant}", hour) for variant, hour in window.found]
        return [
            source(f"endpoint_input_{number}", f"{base}/{folder}", f"{local}/{folder}")
            for number, folder in enumerate(folders, start=1)
        ]

    def _job(
        self,
        name: str,
        application: Mapping[str, Any],
        inputs: list[dict[str, Any]],
        target: str,
        local: str,
        variables: Mapping[str, str],
    ) -> dict[str, Any]:
        output = {"S3Uri": target, "LocalPath": local, "S3UploadMode": "EndOfJob"}
        longest = self.described.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _LONGEST)
        network = self.described.get("NetworkConfig")
        return {
            "ProcessingJobName": name,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
            "ProcessingResources": {"ClusterConfig": self.described["JobResources"]["ClusterConfig"]},
            "StoppingCondition": {"MaxRuntimeInSeconds": longest},
            "AppSpecification": dict(application),
            "Environment": {key: value for key, value in variables.items() if value},
            **({"NetworkConfig": network} if network else {}),
            "RoleArn": self.described["RoleArn"],
        }

    @property
    def _application(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.described[f"{self.monitor.kind}AppSpecification"]
        return found

    @property
    def _inputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.described[f"{self.monitor.kind}JobInput"]
        return found

    @property
    def _watched(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._inputs.get("EndpointInput") or self._inputs["BatchTransformInput"]
        return found

    @property
    def _output(self) -> Mapping[str, Any]:
        outputs = self.described[f"{self.monitor.kind}JobOutputConfig"]["MonitoringOutputs"]
        found: Mapping[str, Any] = outputs[0]["S3Output"]
        return found


def silent(monitor: Monitor) -> str:
    """Return what is the case, and what to do, when an endpoint has captured nothing lately."""
    return (
        f"endpoint {monitor.endpoint} has captured nothing; what it captures is written within some minutes. "
        "Ask it something first."
    )


def source(name: str, uri: str, local: str) -> dict[str, Any]:
    """Return an input of a job: whatever lies below ``uri``, at the path ``local``."""
    found = {
        "S3Uri": uri,
        "LocalPath": local,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "AppManaged": False, "S3Input": found}
