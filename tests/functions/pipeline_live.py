"""A localcloud in which versions of the penguins' model are registered, tested, deployed and watched, for tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.localcloud.conftest import Localcloud
from tests.localcloud.sagemaker.live import SKLEARN, role, wait_for
from tests.workloads.conftest import Prepared
from tests.workloads.judging import Judged

ENVIRONMENT, BUCKET, ENDPOINT, GROUP = "live", "pipeline-live", "sandcastle-live--penguins--1a2b3c4d", "penguins-live"
ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
SCRIPT = Path(__file__).resolve().parents[2] / "assets" / "pipeline" / "monitor_records.py"
BROKEN = b"raise RuntimeError('this container does not start')\n"
_CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
_IN, _OUT = "/opt/ml/processing/input/baseline_dataset_input", "/opt/ml/processing/output"


@dataclass
class Live:
    """What the steps before the functions do, and what the functions are told."""

    localcloud: Localcloud
    variables: dict[str, str] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        self.sm, self.s3, self.runtime = (
            self.localcloud.client(one) for one in ("sagemaker", "s3", "sagemaker-runtime")
        )
        self.s3.create_bucket(Bucket=BUCKET)
        self.put("code/monitor_records.py", SCRIPT.read_bytes())
        self.role = role(self.localcloud, "pipeline-live")
        self.sm.create_model_package_group(ModelPackageGroupName=GROUP)
        self.variables |= {
            "ENDPOINT": ENDPOINT,
            "TAGS": json.dumps({"sandcastle:environment": ENVIRONMENT}),
            "INSTANCE": "ml.m5.large",
            "INSTANCES": "1",
            "CAPTURE_PERCENT": "100",
            "CAPTURE_URI": f"s3://{BUCKET}/capture",
            "SERVING_ROLE": self.role,
            "MONITOR_IMAGE": ANALYZER,
            "MONITOR_ROLE": self.role,
            "REPORTS_URI": f"s3://{BUCKET}/monitoring",
            "PROBLEM_TYPE": "MulticlassClassification",
            "CONTENT_TYPE": "text/csv",
            "ACCEPT": "application/json",
            "ANSWER": "json:prediction",
            "RECORDS_SCRIPT": f"s3://{BUCKET}/code/monitor_records.py",
        }

    def put(self, key: str, content: bytes | str) -> str:
        """Put an object; return its address."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content if isinstance(content, bytes) else content.encode())
        return f"s3://{BUCKET}/{key}"

    def baselines(self, prepared: Prepared, judged: Judged) -> dict[str, Any]:
        """Run both baselining jobs; return what the package has of them."""
        data = self._baseline("data", prepared.file("baseline", "baseline.csv").read_bytes())
        quality = self._baseline(
            "quality",
            (judged.output / "predictions" / "predictions.csv").read_bytes(),
            analysis_type="MODEL_QUALITY",
            problem_type="MulticlassClassification",
            inference_attribute="prediction",
            ground_truth_attribute="label",
        )
        return {"ModelDataQuality": _files(data), "ModelQuality": _files(quality)}

    def _baseline(self, name: str, table: bytes, **variables: str) -> str:
        folder = f"s3://{BUCKET}/baselines/{name}"
        given = {"S3Uri": self.put(f"rows/{name}/rows.csv", table), "LocalPath": _IN}
        output = {"S3Uri": folder, "LocalPath": _OUT, "S3UploadMode": "EndOfJob"}
        self.sm.create_processing_job(
            ProcessingJobName=f"baseline-{name}",
            AppSpecification={"ImageUri": ANALYZER},
            RoleArn=self.role,
            ProcessingResources=_CLUSTER,
            ProcessingInputs=[
                {"InputName": "in", "S3Input": {**given, "S3DataType": "S3Prefix", "S3InputMode": "File"}}
            ],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": output}]},
            Environment={
                "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
                "dataset_source": _IN,
                "output_path": _OUT,
                "publish_cloudwatch_metrics": "Disabled",
                **variables,
            },
        )
        job = wait_for(
            lambda: self.sm.describe_processing_job(ProcessingJobName=f"baseline-{name}"),
            lambda found: found["ProcessingJobStatus"] != "InProgress",
        )
        assert job["ProcessingJobStatus"] == "Completed", job
        return folder

    def register(
        self, model: Path, judged: Judged, baselines: dict[str, Any], code: bytes | None = None
    ) -> dict[str, Any]:
        """Do what a pipeline does up to its step Model; ``code`` takes the place of the handlers. Return the event."""
        self.version += 1
        prefix = f"runs/e{self.version}"
        for name in ("input.csv", "expected.jsonl"):
            self.put(f"{prefix}/smoke/{name}", (judged.output / "smoke" / name).read_bytes())
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": self.put(f"{prefix}/model.tar.gz", _packed(model, code)),
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            },
        }
        package = self.sm.create_model_package(
            ModelPackageGroupName=GROUP,
            InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
            ModelApprovalStatus="Approved",
            DriftCheckBaselines=baselines,
        )["ModelPackageArn"]
        name = f"sandcastle-live--penguins-e{self.version}"
        tags = [{"Key": "sandcastle:environment", "Value": ENVIRONMENT}]
        self.sm.create_model(
            ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer={"ModelPackageName": package}, Tags=tags
        )
        return {
            "package": package,
            "model": name,
            "folder": f"s3://{BUCKET}/{prefix}",
            "answers": f"s3://{BUCKET}/{prefix}/smoke-answers",
            "execution": f"e{self.version}",
        }

    def smoke_test(self, event: dict[str, Any]) -> str:
        """Run the transform job; return how it ended."""
        job = f"smoke-{event['execution']}"
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{event['folder']}/smoke/input.csv"}}
        self.sm.create_transform_job(
            TransformJobName=job,
            ModelName=event["model"],
            BatchStrategy="MultiRecord",
            TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
            TransformOutput={
                "S3OutputPath": event["answers"],
                "Accept": "application/json",
                "AssembleWith": "Line",
            },
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        found = wait_for(
            lambda: self.sm.describe_transform_job(TransformJobName=job),
            lambda found: found["TransformJobStatus"] != "InProgress",
        )
        return str(found["TransformJobStatus"])

    def ask(self, rows: Sequence[str], event_id: str) -> list[dict[str, Any]]:
        """Ask the endpoint, and leave an id for labels."""
        reply = self.runtime.invoke_endpoint(
            EndpointName=ENDPOINT,
            Body="\n".join(rows),
            ContentType="text/csv",
            Accept="application/json",
            InferenceId=event_id,
        )
        answers: list[dict[str, Any]] = json.load(reply["Body"])
        return answers

    @property
    def serving(self) -> str:
        """The model that answers."""
        endpoint = self.sm.describe_endpoint(EndpointName=ENDPOINT)
        assert endpoint["EndpointStatus"] == "InService", endpoint
        config = self.sm.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        return str(config["ProductionVariants"][0]["ModelName"])


def _packed(model: Path, code: bytes | None) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        for path in sorted(model.rglob("*")):
            if path.is_file() and not (code and path.name == "inference.py"):
                packed.add(path, str(path.relative_to(model)))
        if code:
            entry = tarfile.TarInfo("code/inference.py")
            entry.size = len(code)
            packed.addfile(entry, io.BytesIO(code))
    return archive.getvalue()


def _files(folder: str) -> dict[str, Any]:
    return {
        name: {"ContentType": "application/json", "S3Uri": f"{folder}/{name.lower()}.json"}
        for name in ("Statistics", "Constraints")
    }
