"""What a person in Studio does: spaces, apps, jobs, endpoints, as the console and the SDK would make them."""

from __future__ import annotations

import io
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.stand import Stand

USER = "ada"


def domain_id(stand: Stand) -> str:
    """The environment's domain."""
    return stand.outputs["DomainId"]


def role(stand: Stand, user: str = USER) -> str:
    """The user's execution role."""
    profile = stand.client("sagemaker").describe_user_profile(DomainId=domain_id(stand), UserProfileName=user)
    arn: str = profile["UserSettings"]["ExecutionRole"]
    return arn


def tag_list(stand: Stand, user: str = USER) -> list[dict[str, str]]:
    """What IAM makes a user put on everything, and the SDK's settings put there by themselves."""
    return [*stand.tag_list, {"Key": "sandcastle:user", "Value": user}]


def space(stand: Stand, name: str, owner: str = USER) -> None:
    """Make a private space, as the console does."""
    stand.client("sagemaker").create_space(
        DomainId=domain_id(stand),
        SpaceName=name,
        OwnershipSettings={"OwnerUserProfileName": owner},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={"AppType": "JupyterLab"},
    )
    stand.cloud.until(lambda: _status(stand, "space", SpaceName=name) == "InService", f"space {name}")


def app(stand: Stand, name: str = "default", *, wait: bool = True, app_type: str = "JupyterLab", **where: str) -> None:
    """Open an app in a space (``SpaceName``) or a profile (``UserProfileName``)."""
    where = {"DomainId": domain_id(stand), "AppType": app_type, "AppName": name, **where}
    stand.client("sagemaker").create_app(**where, ResourceSpec={"InstanceType": "ml.t3.medium"})
    if wait:
        stand.cloud.until(lambda: _app_status(stand, where) == "InService", f"app {name}")


def profile(stand: Stand, name: str) -> None:
    """Add a person in the console, whom no template knows."""
    stand.client("sagemaker").create_user_profile(
        DomainId=domain_id(stand), UserProfileName=name, UserSettings={"ExecutionRole": role(stand)}
    )
    stand.cloud.until(lambda: _status(stand, "user_profile", UserProfileName=name) == "InService", f"profile {name}")


def upload(stand: Stand, key: str, body: bytes) -> str:
    """Put an object into the user's own folder and return its address."""
    bucket = stand.outputs["DataBucket"]
    stand.client("s3").put_object(Bucket=bucket, Key=f"users/{USER}/{key}", Body=body)
    return f"s3://{bucket}/users/{USER}/{key}"


def processing(stand: Stand, name: str, seconds: int = 600) -> None:
    """Start a processing job that runs for that long unless it is stopped."""
    stand.client("sagemaker").create_processing_job(
        ProcessingJobName=name,
        RoleArn=role(stand),
        AppSpecification={
            "ImageUri": image_uri("sklearn", "us-east-1"),
            "ContainerEntrypoint": ["python3", "-c", f"import time; time.sleep({seconds})"],
        },
        ProcessingResources={"ClusterConfig": _cluster()},
        Tags=tag_list(stand),
    )


def training_request(stand: Stand, rounds: int) -> dict[str, Any]:
    """Return what an XGBoost training on a handful of rows takes, without name and tags."""
    rows = "".join(f"{index % 2},{index},{index * index % 7}\n" for index in range(40))
    return {
        "AlgorithmSpecification": {"TrainingImage": image_uri("xgboost", "us-east-1"), "TrainingInputMode": "File"},
        "RoleArn": role(stand),
        "HyperParameters": {"num_round": str(rounds), "objective": "binary:logistic", "eval_metric": "auc"},
        "InputDataConfig": [
            {
                "ChannelName": name,
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": upload(stand, f"{name}/rows.csv", rows.encode()),
                    }
                },
            }
            for name in ("train", "validation")
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{stand.outputs['DataBucket']}/users/{USER}/models"},
        "ResourceConfig": _cluster(),
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def training(stand: Stand, name: str, rounds: int = 100_000, **more: Any) -> None:
    """Start a training job."""
    request = training_request(stand, rounds)
    request["ResourceConfig"] |= more
    stand.client("sagemaker").create_training_job(TrainingJobName=name, Tags=tag_list(stand), **request)


def model(stand: Stand, name: str) -> None:
    """Make a model of a real archive."""
    stand.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=role(stand),
        PrimaryContainer={
            "Image": image_uri("xgboost", "us-east-1"),
            "ModelDataUrl": upload(stand, "model.tar.gz", _archive()),
        },
        Tags=tag_list(stand),
    )


def endpoint(stand: Stand, name: str, *, wait: bool = True, captured: bool = False) -> None:
    """Deploy a model to an endpoint, as a notebook or a pipeline would."""
    sagemaker = stand.client("sagemaker")
    model(stand, name)
    config(stand, name, name, captured=captured)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tag_list(stand))
    if wait:
        stand.cloud.until(
            lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService", f"endpoint {name}"
        )


def config(stand: Stand, name: str, of_model: str, *, captured: bool = False) -> None:
    """Make an endpoint config."""
    variant = {"VariantName": "main", "ModelName": of_model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{stand.outputs['DataBucket']}/users/{USER}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    stand.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant],
        Tags=tag_list(stand),
        **({"DataCaptureConfig": capture} if captured else {}),
    )


def ask(stand: Stand, name: str) -> None:
    """Send one request to an endpoint, and let its capture be written."""
    stand.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"1,2")
    stand.cloud.advance(120)


def _cluster() -> dict[str, Any]:
    return {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}


def _status(stand: Stand, kind: str, **where: str) -> str:
    reply = getattr(stand.client("sagemaker"), f"describe_{kind}")(DomainId=domain_id(stand), **where)
    status: str = reply["Status"]
    return status


def _app_status(stand: Stand, where: dict[str, str]) -> str:
    status: str = stand.client("sagemaker").describe_app(**where)["Status"]
    return status


@cache
def _archive() -> bytes:
    """Return an archive with a model in XGBoost's own format: one tree with two leaves, which is enough to serve."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        files.add(Path(__file__).parent / "tiny_model.json", "xgboost-model")
    return archive.getvalue()
