"""Jobs against a real server: roles with real policies, buckets with real objects."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[3]
RUNNERS = Path(os.environ.get("LOCALCLOUD_RUNNERS") or ROOT / ".localcloud" / "runners")
# before the modules under test are imported: they read the first of these once
os.environ.setdefault("LOCALCLOUD_JOB_SLOTS", "2")
os.environ["LOCALCLOUD_RUNNERS"] = str(RUNNERS)
os.environ["LOCALCLOUD_STOP_GRACE_SECONDS"] = "2"

from localcloud.jobs.executor import JobOutcome, JobSpec, start_job  # noqa: E402
from localcloud.jobs.platform import RoleUnusable  # noqa: E402

if TYPE_CHECKING:
    from tests.localcloud.conftest import Localcloud

ACCOUNT, REGION = "000000000000", "us-east-1"
REGISTRY = f"683313688378.dkr.ecr.{REGION}.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.0-5"
DEEP_LEARNING = f"763104351884.dkr.ecr.{REGION}.amazonaws.com"
PYTORCH_TRAINING = f"{DEEP_LEARNING}/pytorch-training:2.10.0-cpu-py313"
PYTORCH_INFERENCE = f"{DEEP_LEARNING}/pytorch-inference:2.6.0-cpu-py312"
LINEAR_LEARNER = f"382416733822.dkr.ecr.{REGION}.amazonaws.com/linear-learner:1"
MODEL_MONITOR = f"156813124566.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-analyzer"
GROUND_TRUTH_MERGER = f"156813124566.dkr.ecr.{REGION}.amazonaws.com/sagemaker-model-monitor-groundtruth-merger"
KMEANS = f"382416733822.dkr.ecr.{REGION}.amazonaws.com/kmeans:1"


def allow(actions: str | Sequence[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


PULL = allow("ecr:BatchGetImage", "arn:aws:ecr:*:*:repository/*")
LOGS = allow(
    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/*",
)
METRICS = allow("cloudwatch:PutMetricData", "*")


@dataclass
class RemotePlatform:
    """What the server offers its own jobs, reached from outside: STS and IAM of the same server."""

    server: Localcloud

    def endpoint_url(self) -> str:
        return self.server.endpoint

    def role_credentials(self, role_arn: str) -> Mapping[str, str]:
        sts = self.server.client("sts")
        try:
            credentials: dict[str, str] = sts.assume_role(RoleArn=role_arn, RoleSessionName="SageMaker")["Credentials"]
        except sts.exceptions.ClientError as error:
            raise RoleUnusable(str(error)) from error
        return credentials

    def denied(self, role_arn: str, region: str, action: str, resource: str) -> str | None:
        del region
        answer = self.server.client("iam").simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[resource]
        )
        if answer["EvaluationResults"][0]["EvalDecision"] == "allowed":
            return None
        return f"User: {role_arn} is not authorized to perform: {action} on resource: {resource}"

    def now(self) -> float:
        return time.time()


@dataclass
class Cloud:
    """One bucket, and roles and jobs that use it."""

    server: Localcloud
    bucket: str
    platform: RemotePlatform = field(init=False)

    def __post_init__(self) -> None:
        self.platform = RemotePlatform(self.server)
        self.s3 = self.server.client("s3")
        self.s3.create_bucket(Bucket=self.bucket)

    @property
    def data(self) -> list[dict[str, Any]]:
        """Statements that read and write the whole bucket."""
        arn = f"arn:aws:s3:::{self.bucket}"
        return [allow("s3:ListBucket", arn), allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{arn}/*")]

    def role(self, *statements: dict[str, Any]) -> str:
        name = f"job-{uuid.uuid4().hex[:10]}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                }
            ],
        }
        iam = self.server.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="job", PolicyDocument=json.dumps(policy))
        return arn

    def full_role(self) -> str:
        return self.role(*self.data, PULL, LOGS, METRICS)

    def put(self, key: str, body: str | bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in found]

    def log_lines(self, group: str, prefix: str) -> list[str]:
        logs = self.server.client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        lines = []
        for stream in streams:
            events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)[
                "events"
            ]
            lines += [event["message"] for event in events]
        return lines

    def run(self, spec: JobSpec) -> tuple[JobOutcome, list[str]]:
        """A job to its end: the outcome, and the secondary statuses on the way."""
        statuses: list[str] = []
        handle = start_job(spec, lambda status, _: statuses.append(status), lambda _: None, self.platform)
        outcome = handle.wait(60)
        assert outcome is not None, "the job did not end"
        return outcome, statuses

    def spec(self, kind: str, role: str, **fields: Any) -> JobSpec:
        name = f"test-{uuid.uuid4().hex[:10]}"
        fields.setdefault("image", SKLEARN)
        return JobSpec(
            kind="training" if kind == "training" else "processing",
            name=name,
            arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}-job/{name}",
            region=REGION,
            account=ACCOUNT,
            role_arn=role,
            **fields,
        )

    def processing(self, role: str, code: str, **fields: Any) -> JobSpec:
        return self.spec("processing", role, entrypoint=["python3", "-c", code], **fields)

    def training(self, role: str, code: str | None = None, **fields: Any) -> JobSpec:
        fields.setdefault("output_s3", f"s3://{self.bucket}/out")
        if code is not None:
            fields["entrypoint"] = ["python3", "-c", code]
        return self.spec("training", role, **fields)
