"""What every tutorial needs to know: where it is, whose it is, and what it has made.

``workbench.at("bank")`` finds the environment by the settings that the start of the space, of the notebook instance or
of ``sandcastle tutorial`` has left, and asks AWS with the rights that you have there. Nothing here is needed for
SageMaker itself: it only spares every notebook the same thirty lines.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import logging
import os
import tarfile
import time
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd

SDK = "sagemaker>=3.27,<4"
"""The SageMaker SDK that the tutorials are written for; version 2 has other names for nearly everything."""

RESULTS = "application/vnd.sandcastle.results+json"
"""How results stand among a notebook's outputs, so that a test can read them."""

SERVING = ("ml.m5.large", "ml.m5.xlarge", "ml.t2.medium", "ml.c5.large")
"""Instance types for an endpoint, the one to take first; T3, which notebooks like, serves nothing."""


class NotHereError(Exception):
    """The tutorial cannot find what it needs; the text says what to do."""


def at(workload: str) -> Workbench:
    """Return the workbench for one workload. Raises NotHereError when this is no place of an environment."""
    _check_sdk()
    places = [os.environ.get("SANDCASTLE_SETTINGS", "")]
    places += [str(Path.home() / part / ".sandcastle" / "environment.json") for part in ("", "SageMaker")]
    for place in filter(None, places):
        if Path(place).is_file():
            settings = json.loads(Path(place).read_text(encoding="utf-8"))
            os.environ.setdefault("AWS_DEFAULT_REGION", settings["region"])
            return Workbench(workload=workload, **settings)
    raise NotHereError(
        "No environment was found. In Studio and on the notebook instance it is noted when they start: stop and start "
        "the app. On your own machine run: sandcastle tutorial " + workload
    )


@dataclass(frozen=True)
class Workbench:
    """One person at work on one workload of one environment."""

    workload: str
    environment: str
    region: str
    user: str
    """Your name in the environment; ``notebook`` for all who share the notebook instance."""
    home: str
    """Your folder in the data bucket, with a slash at the end."""
    data_bucket: str
    models_bucket: str
    role: str
    """What your jobs and endpoints run as: exactly what you are yourself."""
    instances: tuple[str, ...]
    """Instance types that your role may start."""

    def __repr__(self) -> str:
        """Say where one is, without names that differ from one account to the next."""
        return f"{self.workload} in environment {self.environment}, {self.region}; you are {self.user}"

    # -- whose things are ------------------------------------------------------------------------------------------

    @property
    def tags(self) -> list[dict[str, str]]:
        """Without these, or a name of your own, AWS answers AccessDenied: they say whose a thing is and who pays."""
        pairs = {"sandcastle:environment": self.environment, "sandcastle:user": self.user}
        return [{"Key": key, "Value": value} for key, value in pairs.items()]

    @property
    def name(self) -> str:
        """What the names begin with of all that this tutorial makes; you may read the logs of jobs called so."""
        return f"sandcastle-{self.environment}--users-{self.user}--{self.workload}"

    @property
    def folder(self) -> str:
        """Where this tutorial puts its files in S3, without a slash at the end."""
        return f"s3://{self.data_bucket}/{self.home}tutorials/{self.workload}"

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        return boto3.client(service, region_name=self.region)

    @cached_property
    def session(self) -> Any:
        """The SageMaker SDK's session: your folder as its default place, and nothing told to anybody about its use."""
        from sagemaker.core.helper.session_helper import Session
        from sagemaker.core.telemetry import telemetry_logging

        _quiet()
        telemetry_logging._send_telemetry_request = lambda *_, **__: (
            None
        )  # no setting of the SDK 3.27 does this quickly
        return Session(
            boto_session=boto3.Session(region_name=self.region),
            default_bucket=self.data_bucket,
            default_bucket_prefix=f"{self.home}tutorials/{self.workload}",
        )

    # -- what the environment has deployed ---------------------------------------------------------------------------

    @cached_property
    def dataset(self) -> str:
        """The address of the data that the environment has prepared: the newest, if there is more than one."""
        s3, prefix = self.client("s3"), f"{self.workload}/"
        found = s3.list_objects_v2(Bucket=self.data_bucket, Prefix=prefix).get("Contents", [])
        prepared = [one for one in found if one["Key"].endswith("/about/about.json")]
        if not prepared:
            raise NotHereError(f"The environment has no data of {self.workload}: is it deployed, and listed for you?")
        newest = max(prepared, key=lambda one: one["LastModified"])["Key"]
        return f"s3://{self.data_bucket}/{newest.removesuffix('/about/about.json')}"

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the data is: where it comes from, its columns, its classes."""
        found: dict[str, Any] = json.loads(self.read(f"{self.dataset}/about/about.json"))
        return found

    def rows(self, split: str) -> pd.DataFrame:
        """Return ``train``, ``validation`` or ``test`` as a table, the label in the first column."""
        names = [self.about["label"], *self.about["features"]]
        return pd.read_csv(io.BytesIO(self.read(f"{self.dataset}/{split}/{split}.csv")), header=None, names=names)

    @cached_property
    def endpoint(self) -> str | None:
        """The endpoint that the environment has deployed, None if it has none that answers at once."""
        begin = f"sandcastle-{self.environment}--{self.workload}--"
        found = self.client("sagemaker").list_endpoints(NameContains=begin)["Endpoints"]
        return next((one["EndpointName"] for one in found if one["EndpointName"].startswith(begin)), None)

    def ask_deployed(self, body: str | bytes, content_type: str = "text/csv", accept: str = "*/*") -> bytes | None:
        """Ask the deployed endpoint; None, with the reason, when there is none or it answers only asynchronously."""
        runtime = self.client("sagemaker-runtime")
        if self.endpoint is None:
            print("The environment has deployed no endpoint of this workload; you make one below.")
            return None
        try:
            reply = runtime.invoke_endpoint(
                EndpointName=self.endpoint, ContentType=content_type, Accept=accept, Body=body
            )
        except runtime.exceptions.ValidationError as error:
            print(f"The deployed endpoint does not answer at once: {error}")
            return None
        answer: bytes = reply["Body"].read()
        return answer

    # -- files and jobs ----------------------------------------------------------------------------------------------

    def read(self, address: str) -> bytes:
        """Return an object of S3."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        content: bytes = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def upload(self, name: str, content: str | bytes) -> str:
        """Write ``<channel>/<file>`` into your folder; return the channel's address, as a training job takes it."""
        bucket, _, prefix = self.folder.removeprefix("s3://").partition("/")
        body = content.encode() if isinstance(content, str) else content
        self.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body)
        return f"{self.folder}/{name.rpartition('/')[0]}/"

    def training_instance(self) -> str:
        """Return the instance type for a training job: a general one if your role has it, else what it has."""
        return next((one for one in SERVING if one in self.instances), self.instances[0])

    def variant(self, model: str) -> dict[str, Any]:
        """Return what runs a model behind an endpoint: an instance, or, where your role has none for it, serverless."""
        instance = next((one for one in SERVING if one in self.instances), None)
        if instance is None:
            from sagemaker.core.utils.utils import SPECIAL_SNAKE_TO_PASCAL_MAPPINGS as names

            # SDK 3.27 writes MemorySizeInMb, a name that SageMaker does not know
            names.setdefault("memory_size_in_mb", "MemorySizeInMB")
            serverless = {"memory_size_in_mb": 2048, "max_concurrency": 1}
            return {"variant_name": "main", "model_name": model, "serverless_config": serverless}
        return {"variant_name": "main", "model_name": model, "instance_type": instance, "initial_instance_count": 1}

    def wait_for_training(self, job: str) -> dict[str, Any]:
        """Wait until a training job has ended, say what it went through, and return its description.

        Raises RuntimeError with SageMaker's reason when it did not complete.
        """
        sagemaker = self.client("sagemaker")
        while (found := sagemaker.describe_training_job(TrainingJobName=job))["TrainingJobStatus"] in _RUNS:
            time.sleep(_pause())
        print(" > ".join(step["Status"] for step in found["SecondaryStatusTransitions"]))
        if found["TrainingJobStatus"] != "Completed":
            raise RuntimeError(f"the job is {found['TrainingJobStatus']}: {found.get('FailureReason')}")
        for metric in found.get("FinalMetricDataList", []):
            if not metric["MetricName"].endswith((":progress", ":throughput")):  # of the machine, not of the model
                print(f"{metric['MetricName']}: {metric['Value']:.4f}")
        described: dict[str, Any] = found
        return described

    def wait_for_tuning(self, job: str) -> pd.DataFrame:
        """Wait until a tuning job has ended; return its trials, the best first. Raises RuntimeError as above."""
        sagemaker, named = self.client("sagemaker"), {"HyperParameterTuningJobName": job}
        while (found := sagemaker.describe_hyper_parameter_tuning_job(**named))[
            "HyperParameterTuningJobStatus"
        ] in _RUNS:
            time.sleep(_pause())
        if found["HyperParameterTuningJobStatus"] != "Completed":
            raise RuntimeError(f"the job is {found['HyperParameterTuningJobStatus']}: {found.get('FailureReason')}")
        goal = found["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**named, MaxResults=100)
        rows = [
            {
                goal["MetricName"]: one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"],
                **{key: _plain(value) for key, value in one["TunedHyperParameters"].items()},
                "job": one["TrainingJobName"],
            }
            for one in trials["TrainingJobSummaries"]
            if "FinalHyperParameterTuningJobObjectiveMetric" in one
        ]
        table = pd.DataFrame(rows).sort_values(goal["MetricName"], ascending=goal["Type"] == "Minimize")
        return table.reset_index(drop=True)

    def wait_for_endpoint(self, name: str) -> None:
        """Wait until an endpoint answers. Raises RuntimeError with SageMaker's reason when it never will."""
        sagemaker = self.client("sagemaker")
        while (found := sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] in {"Creating", "Updating"}:
            time.sleep(_pause())
        if found["EndpointStatus"] != "InService":
            raise RuntimeError(f"the endpoint is {found['EndpointStatus']}: {found.get('FailureReason')}")
        print("InService")

    def log(self, job: str) -> list[str]:
        """Return the lines that a training job of yours wrote."""
        logs, group = self.client("logs"), "/aws/sagemaker/TrainingJobs"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return []
        where = {"logGroupName": group, "logStreamName": streams[0]["logStreamName"], "startFromHead": True}
        lines, token = [], ""
        while True:  # a page says where the next one begins, the last one says itself
            page = logs.get_log_events(**where, **({"nextToken": token} if token else {}))
            lines += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == token:
                return lines
            token = page["nextForwardToken"]

    # -- the end -----------------------------------------------------------------------------------------------------

    def results(self, **values: Any) -> None:
        """Show what came out, and leave it among the outputs for whoever checks this notebook."""
        from IPython.display import publish_display_data

        rounded = {key: round(value, 6) if isinstance(value, float) else value for key, value in values.items()}
        text = "\n".join(f"{key}: {value}" for key, value in rounded.items())
        publish_display_data({"text/plain": text, RESULTS: rounded})

    def clean_up(self) -> None:
        """Stop and delete everything that this tutorial has made, also in an earlier run that broke off.

        What belongs to it is known by its name, files by their folder. Nothing of the environment's own is touched.
        """
        sagemaker = self.client("sagemaker")
        kinds = (
            ("endpoint", sagemaker.list_endpoints, sagemaker.delete_endpoint, "Endpoints", "EndpointName"),
            (
                "endpoint configuration",
                sagemaker.list_endpoint_configs,
                sagemaker.delete_endpoint_config,
                "EndpointConfigs",
                "EndpointConfigName",
            ),
            ("model", sagemaker.list_models, sagemaker.delete_model, "Models", "ModelName"),
            (
                "running job",
                lambda **what: sagemaker.list_training_jobs(StatusEquals="InProgress", **what),
                sagemaker.stop_training_job,
                "TrainingJobSummaries",
                "TrainingJobName",
            ),
        )
        gone = []
        for word, lists, delete, listed, key in kinds:
            names = [one[key] for one in lists(NameContains=self.name)[listed] if one[key].startswith(self.name)]
            for name in names:
                delete(**{key: name})
            gone += [f"{len(names)} {word}{'s' * (len(names) > 1)}"] if names else []
        files = self._delete_files()
        gone += [f"{files} file{'s' * (files > 1)}"] if files else []
        print("deleted: " + (", ".join(gone) or "nothing, there was nothing left"))

    def _delete_files(self) -> int:
        bucket, _, prefix = self.folder.removeprefix("s3://").partition("/")
        s3, count = self.client("s3"), 0
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=one["Key"])
                count += 1
        return count


def csv_of(rows: Any) -> str:
    """Return numbers as lines of CSV, as short as six digits allow: what an endpoint reads."""
    text = io.StringIO()
    np.savetxt(text, np.atleast_2d(np.asarray(rows, dtype=float)), fmt="%.6g", delimiter=",")
    return text.getvalue()


def archive_of(*files: str) -> bytes:
    """Return files of this folder as a ``.tar.gz``: how a script reaches the container that runs it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in files:
            archive.add(name)
    return packed.getvalue()


_RUNS = {"InProgress", "Stopping"}


def _pause() -> float:
    """Seconds between two looks: AWS takes minutes, an embedded one does not."""
    return 0.2 if "AWS_ENDPOINT_URL" in os.environ else 5.0


def _plain(text: str) -> Any:
    try:
        return round(float(text), 4)
    except ValueError:
        return text


def _check_sdk() -> None:
    try:
        version = importlib.metadata.version("sagemaker")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    if not version.startswith("3."):
        raise NotHereError(
            f"The SageMaker SDK is {version}. Run this in a cell of its own, then restart the kernel: "
            f'%pip install -q "{SDK}"'
        )
    # Asks IAM before every job whether the role may do all that any job might; people here may not ask IAM anything.
    os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")


def _quiet() -> None:
    """Keep the SDK's own log, which has a time in every line, out of the notebook."""
    for name in ("sagemaker", "sagemaker.core", "botocore.credentials"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger().setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"sagemaker\.|pydantic\.")
