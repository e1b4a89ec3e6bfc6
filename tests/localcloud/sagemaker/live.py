"""A real localcloud with something to work on: a bucket with data, roles, a trained model, stacks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ACCOUNT = "000000000000"
SECONDS = 60
#: the label is whether the first column is the larger
ROWS = "1,9.0,1.0\n0,1.0,9.0\n" * 40
_JOB = [
    {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"},
    {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "cloudwatch:PutMetricData"],
        "Resource": "*",
    },
]


def wait_for(read: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Read until it is as wanted."""
    deadline = time.monotonic() + SECONDS
    while not done(value := read()):
        assert time.monotonic() < deadline, value
        time.sleep(0.02)
    return value


def role(localcloud: Any, name: str, statements: Any = ()) -> str:
    """A role that SageMaker may take, with what every job needs and these statements beside."""
    iam = localcloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=_document([*_JOB, *statements]))
    return str(made["Role"]["Arn"])


def _document(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True)
class Workshop:
    """A bucket, a role for jobs, and the names that go with a test module."""

    bucket: str
    role: str

    @classmethod
    def open(cls, localcloud: Any, name: str) -> Workshop:
        """Bucket ``<name>`` with data/train/train.csv."""
        s3 = localcloud.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="data/train/train.csv", Body=ROWS.encode())
        return cls(name, role(localcloud, f"{name}-jobs"))

    def training(self, **hyperparameters: str) -> dict[str, Any]:
        """The members of a training request that name no job: XGBoost on the data, validated on the same."""
        channel = {
            "ContentType": "text/csv",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{self.bucket}/data/train/",
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
        }
        return {
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": self.role,
            "InputDataConfig": [{"ChannelName": name, **channel} for name in ("train", "validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
            "HyperParameters": {"num_round": "2", "objective": "binary:logistic", **hyperparameters},
        }

    def processing(self, code: str) -> dict[str, Any]:
        """The members of a processing request that name no job: one line of Python, a directory report as output."""
        output = {
            "S3Uri": f"s3://{self.bucket}/report",
            "LocalPath": "/opt/ml/processing/output/report",
            "S3UploadMode": "EndOfJob",
        }
        return {
            "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            "RoleArn": self.role,
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
            },
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": output}]},
        }

    def model(self, localcloud: Any, name: str) -> str:
        """A model that a training job of the same name trained."""
        sm = localcloud.client("sagemaker")
        sm.create_training_job(TrainingJobName=name, **self.training())
        job = wait_for(
            lambda: sm.describe_training_job(TrainingJobName=name),
            lambda found: found["TrainingJobStatus"] != "InProgress",
        )
        assert job["TrainingJobStatus"] == "Completed", job
        container = {"Image": XGBOOST, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
        sm.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)
        return name

    def endpoint(self, localcloud: Any, name: str) -> str:
        """An endpoint that captures everything below ``capture/``, InService."""
        sm = localcloud.client("sagemaker")
        self.model(localcloud, name)
        variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sm.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant],
            DataCaptureConfig={
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{self.bucket}/capture",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
            },
        )
        sm.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_for(lambda: sm.describe_endpoint(EndpointName=name), lambda found: found["EndpointStatus"] == "InService")
        return name

    def definition(self, endpoint: str, code: str) -> dict[str, Any]:
        """The members of a data quality job definition that do not name it: one line of Python is the analyzer."""
        output = {"S3Uri": f"s3://{self.bucket}/reports", "LocalPath": "/opt/ml/processing/output"}
        return {
            "DataQualityAppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            "DataQualityJobInput": {
                "EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"}
            },
            "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
            },
            "RoleArn": self.role,
        }


class Stack:
    """One stack and what a test reads of it."""

    def __init__(self, localcloud: Any, name: str) -> None:
        self.name = name
        self._cfn = localcloud.client("cloudformation")

    def create(self, resources: Mapping[str, Any]) -> str:
        """The status that a new stack of these resources comes to."""
        self._cfn.create_stack(**self._request(resources))
        return self.settle()

    def update(self, resources: Mapping[str, Any]) -> str:
        """The status after an update to these resources."""
        self._cfn.update_stack(**self._request(resources))
        return self.settle()

    def delete(self) -> str:
        """The status after a delete; DELETE_COMPLETE when the stack is gone."""
        self._cfn.delete_stack(StackName=self.name)
        return self.settle()

    def _request(self, resources: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps({"Resources": resources})
        return {"StackName": self.name, "TemplateBody": body, "Tags": [{"Key": "stack-wide", "Value": "yes"}]}

    def settle(self) -> str:
        """The status once nothing is in progress."""

        def status() -> str:
            try:
                return str(self._cfn.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])
            except self._cfn.exceptions.ClientError:
                return "DELETE_COMPLETE"

        return str(wait_for(status, lambda found: not found.endswith("_IN_PROGRESS")))

    def physical_id(self, logical_id: str) -> str:
        """What Ref gives."""
        reply = self._cfn.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(reply["StackResourceDetail"]["PhysicalResourceId"])

    def reasons(self) -> str:
        """Every ResourceStatusReason."""
        events = self._cfn.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)
