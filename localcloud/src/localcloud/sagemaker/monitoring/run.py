"""The processing jobs of one monitoring execution (names, inputs and environment: facts containers 5.1).

Data quality is one job over what was captured, requests of an endpoint or what went into transform jobs, by their
manifests. Model quality is two: captured answers are merged with the labels that
came, below ``merge`` of the reports, and that is analysed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from localcloud.sagemaker.monitoring.analysis import Analysis
from localcloud.sagemaker.monitoring.rhythm import Window

_ROOT = "/opt/ml/processing"
_TRUTH = f"{_ROOT}/groundtruth"
#: in the registry that the definition's own image is in: AWS has both in one
_MERGER = "sagemaker-model-monitor-groundtruth-merger"
#: job name prefix by type
_NAMES = {"DataQuality": "model-monitoring", "ModelQuality": "model-quality-monitoring"}
#: member of the input -> variable that the analyzer reads
_ATTRIBUTES = {
    "FeaturesAttribute": "features_attribute",
    "InferenceAttribute": "inference_attribute",
    "ProbabilityAttribute": "probability_attribute",
    "ProbabilityThresholdAttribute": "probability_threshold_attribute",
    "ExcludeFeaturesAttribute": "exclude_features_attribute",
}
#: member of the application -> name of its input, folder, variable that the analyzer reads
_SCRIPTS = {
    "RecordPreprocessorSourceUri": ("pre_processor_script", "preprocessing", "record_preprocessor_script"),
    "PostAnalyticsProcessorSourceUri": ("post_processor_script", "postprocessing", "post_analytics_processor_script"),
}


@dataclass(frozen=True)
class Run:
    """One execution: of which schedule, for when, over which data."""

    schedule: str
    schedule_arn: str
    analysis: Analysis
    scheduled: float
    window: Window
    default_runtime: int
    tags: Mapping[str, str]

    @property
    def job_name(self) -> str:
        """``model-monitoring-202601021500-<24 hex digits>``."""
        return self._name(_NAMES[self.analysis.type])

    @property
    def captured(self) -> str:
        """The S3 URI below which captured traffic is."""
        return self.analysis.source.destination

    @property
    def merged(self) -> str:
        """The S3 URI below which captured answers with their labels are."""
        return f"{self.analysis.output['S3Uri'].rstrip('/')}/merge"

    @property
    def prefixes(self) -> list[str]:
        """Below the capture destination, one for each variant and hour: ``<endpoint>/<variant>/yyyy/mm/dd/hh``.

        Of transform jobs one for each hour, ``input/yyyy/mm/dd/hh``: the quality of data is that of the inputs ([I],
        from AWS's example notebook, whose baseline has no column for an answer).
        """
        source = self.analysis.source
        hours = [_utc(hour, "%Y/%m/%d/%H") for hour in self.window.hours(self.scheduled)]
        if self.analysis.batch:
            return [f"input/{hour}" for hour in hours]
        return [f"{source.endpoint}/{variant}/{hour}" for variant in source.variants for hour in hours]

    @property
    def label_hours(self) -> list[str]:
        """Below the ground truth, ``yyyy/mm/dd/hh`` of each hour in which labels for the window may have come.

        The folder is the hour in which a label was collected, which is no earlier than its request.
        """
        return [_utc(hour, "%Y/%m/%d/%H") for hour in Window(self.window.start, 0.0).hours(self.scheduled)]

    def merge_request(self, prefixes: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
        """CreateProcessingJob that merges what was captured under these prefixes with the labels of these hours."""
        truth = str(self.analysis.ground_truth).rstrip("/")
        inputs = [
            _input(f"groundtruth_input_{number}", f"{truth}/{hour}", f"{_TRUTH}/{hour}")
            for number, hour in enumerate(labels, start=1)
        ]
        environment = {
            "dataset_source": self.analysis.data["LocalPath"],
            "ground_truth_source": _TRUTH,
            "output_path": f"{_ROOT}/output",
        }
        registry = self.analysis.application["ImageUri"].partition("/")[0]
        return self._job(
            self._name("groundtruth-merge"),
            {"ImageUri": f"{registry}/{_MERGER}"},
            [*inputs, *self.data_inputs(self.captured, prefixes)],
            {"S3Uri": self.merged, "LocalPath": f"{_ROOT}/output", "S3UploadMode": "EndOfJob"},
            environment,
        )

    def request(self, data: Sequence[dict[str, Any]], baseline: Mapping[str, str]) -> dict[str, Any]:
        """CreateProcessingJob that analyses these inputs. ``baseline`` is the S3 URI of statistics and constraints."""
        analysis, inputs = self.analysis, list(data)
        inputs += [_input(name, uri, str(PurePosixPath(_place(name, uri)).parent)) for name, uri in baseline.items()]
        environment = {**self._environment(baseline), **analysis.environment}
        application = analysis.application
        for member, (name, folder, variable) in _SCRIPTS.items():
            if member in application:
                place = f"{_ROOT}/code/{folder}"
                inputs.append(_input(name, application[member], place))
                environment[variable] = f"{place}/{PurePosixPath(application[member]).name}"
        command = {k: application[k] for k in ("ContainerEntrypoint", "ContainerArguments") if k in application}
        hour = _utc(self.scheduled, "%Y/%m/%d/%H")
        folder = "/".join(part for part in (analysis.source.endpoint, self.schedule, hour) if part)
        target = f"{analysis.output['S3Uri'].rstrip('/')}/{folder}"
        output = {
            "S3Uri": target,
            "LocalPath": analysis.output["LocalPath"],
            "S3UploadMode": analysis.output.get("S3UploadMode", "EndOfJob"),
        }
        return self._job(self.job_name, {"ImageUri": application["ImageUri"], **command}, inputs, output, environment)

    def _name(self, kind: str) -> str:
        digest = hashlib.sha256(f"{self.schedule_arn}@{self.scheduled}".encode()).hexdigest()[:24]
        return f"{kind}-{_utc(self.scheduled, '%Y%m%d%H%M')}-{digest}"

    def data_inputs(self, base: str, prefixes: Sequence[str]) -> list[dict[str, Any]]:
        """Inputs, one for each of these prefixes below ``base``."""
        local = self.analysis.data["LocalPath"].rstrip("/")
        return [
            _input(f"endpoint_input_{number}", f"{base}/{prefix}", f"{local}/{prefix}")
            for number, prefix in enumerate(prefixes, start=1)
        ]

    def manifest_inputs(self, manifests: Sequence[str]) -> list[dict[str, Any]]:
        """Inputs, one for each of these manifests, with the objects that it lists."""
        local = self.analysis.data["LocalPath"].rstrip("/")
        return [
            _input(f"batch_transform_input_{number}", uri, f"{local}/{number}", "ManifestFile")
            for number, uri in enumerate(manifests, start=1)
        ]

    def _job(
        self,
        name: str,
        application: Mapping[str, Any],
        inputs: list[dict[str, Any]],
        output: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> dict[str, Any]:
        analysis = self.analysis
        return {
            "ProcessingJobName": name,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
            "ProcessingResources": {"ClusterConfig": dict(analysis.cluster)},
            "StoppingCondition": {"MaxRuntimeInSeconds": analysis.max_runtime or self.default_runtime},
            "AppSpecification": dict(application),
            "Environment": dict(environment),
            **({"NetworkConfig": dict(analysis.network)} if analysis.network else {}),
            "RoleArn": analysis.role_arn,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }

    def _environment(self, baseline: Mapping[str, str]) -> dict[str, str]:
        data, source = self.analysis.data, self.analysis.source
        variables = {
            "dataset_source": data["LocalPath"],
            "output_path": self.analysis.output["LocalPath"],
            "publish_cloudwatch_metrics": "Enabled",
            **({"sagemaker_endpoint_name": source.endpoint} if source.endpoint else {}),
            "sagemaker_monitoring_schedule_name": self.schedule,
            "start_time": _utc(self.scheduled + self.window.start, "%Y-%m-%dT%H:%M:%SZ"),
            "end_time": _utc(self.scheduled + self.window.end, "%Y-%m-%dT%H:%M:%SZ"),
            "metric_time": _utc(self.scheduled + self.window.start, "%Y-%m-%dT%H:%M:%SZ"),
        }
        variables |= self._of_type()
        variables |= {f"baseline_{name}": _place(name, uri) for name, uri in baseline.items()}
        variables |= {variable: str(data[member]) for member, variable in _ATTRIBUTES.items() if member in data}
        return variables

    def _of_type(self) -> dict[str, str]:
        form = {"dataset_format": self.analysis.dataset_format}
        if self.analysis.batch:
            return form
        if self.analysis.type == "DataQuality":
            return {**form, "sagemaker_endpoint_datacapture_prefix": self.captured}
        return {
            **form,
            "analysis_type": "MODEL_QUALITY",
            **({"problem_type": self.analysis.problem_type} if self.analysis.problem_type else {}),
        }


def _place(name: str, uri: str) -> str:
    """Where a baseline file appears inside the job."""
    folder = "stats" if name == "statistics" else name
    return f"{_ROOT}/baseline/{folder}/{PurePosixPath(uri).name}"


def _input(name: str, uri: str, local: str, data_type: str = "S3Prefix") -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": local,
        "S3DataType": data_type,
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "AppManaged": False, "S3Input": source}


def _utc(moment: float, form: str) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(form)
