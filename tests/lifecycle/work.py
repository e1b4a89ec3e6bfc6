"""What a person starts on SageMaker: rows to learn from, a model that learns from them, an endpoint, jobs."""

from __future__ import annotations

from typing import Any

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.people import INSTANCE, Person


def rows(person: Person, bucket: str) -> str:
    """Put some rows that can be learnt from in the person's folder: a label and two columns, the first decides."""
    points = [((x * 37 % 100) / 100, (x * 61 % 100) / 100) for x in range(200)]
    s3 = person.client("s3")
    for key, lines in (
        ("rows/rows.csv", [f"{int(x > 0.5)},{x},{y}" for x, y in points]),
        ("questions/questions.csv", [f"{x},{y}" for x, y in points[:5]]),
    ):
        s3.put_object(Bucket=bucket, Key=person.home + key, Body="\n".join(lines).encode())
    return f"s3://{bucket}/{person.home}rows/"


def job_name(person: str, environment: str, name: str) -> str:
    """Return a name by which the person may read the job's logs."""
    return f"sandcastle-{environment}--users-{person}--{name}"


def training(person: Person, rows: str, **changes: Any) -> dict[str, Any]:
    """Return the definition of a training job."""
    source = {"S3DataType": "S3Prefix", "S3Uri": rows}
    definition = {
        "AlgorithmSpecification": {
            "TrainingImage": image_uri("xgboost", "us-east-1"), "TrainingInputMode": "File",
        },
        "RoleArn": person.role_arn,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": rows.replace("/rows/", "/models/")},
        "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }  # fmt: skip
    return {**definition, "HyperParameters": {"objective": "binary:logistic", "num_round": "5"}, **changes}


def train(person: Person, rows: str, name: str) -> str:
    """Train a model and return where it lies."""
    sagemaker = person.client()
    sagemaker.create_training_job(TrainingJobName=name, Tags=person.tags, **training(person, rows))

    def done() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        assert job["TrainingJobStatus"] not in {"Failed", "Stopped"}, job.get("FailureReason")
        return job["TrainingJobStatus"] == "Completed" and job

    uri: str = person.cloud.until(done, "the training")["ModelArtifacts"]["S3ModelArtifacts"]
    return uri


def serve(person: Person, model: str, name: str) -> None:
    """Make an endpoint of the model, and a second configuration ``<name>-2``."""
    sagemaker = person.client()
    container = {"Image": image_uri("xgboost", "us-east-1"), "ModelDataUrl": model}
    role, tags = person.role_arn, person.tags
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container, Tags=tags)
    variant = {"VariantName": "main", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": INSTANCE}
    for config in (name, f"{name}-2"):
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant], Tags=tags)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)
    person.cloud.until(lambda: serving(sagemaker, name), "the endpoint")


def serving(sagemaker: Any, name: str) -> bool:
    """Say whether the endpoint answers."""
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] != "Failed", endpoint.get("FailureReason")
    return bool(endpoint["EndpointStatus"] == "InService")


def tune(person: Person, rows: str, name: str) -> None:
    """Start a tuning job with one trial."""
    definition = training(person, rows, StaticHyperParameters={"objective": "binary:logistic", "eval_metric": "auc"})
    del definition["HyperParameters"]
    (channel,) = definition["InputDataConfig"]
    definition["InputDataConfig"] = [channel, {**channel, "ChannelName": "validation"}]
    person.client().create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "num_round", "MinValue": "2", "MaxValue": "4"}]},
        },
        TrainingJobDefinition=definition,
        Tags=person.tags,
    )


def transform(person: Person, rows: str, model: str, name: str) -> None:
    """Start a transform job over the rows without their labels."""
    questions = {"S3DataType": "S3Prefix", "S3Uri": rows.replace("/rows/", "/questions/")}
    person.client().create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": questions}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": rows.replace("/rows/", "/transformed/"), "AssembleWith": "Line"},
        TransformResources={"InstanceType": INSTANCE, "InstanceCount": 1},
        Tags=person.tags,
    )


def prepare(person: Person, name: str) -> None:
    """Start a processing job that would not end by itself."""
    person.client().create_processing_job(
        ProcessingJobName=name,
        AppSpecification={
            "ImageUri": image_uri("sklearn", "us-east-1"),
            "ContainerEntrypoint": ["python3", "-c", "import time; time.sleep(600)"],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5}
        },
        RoleArn=person.role_arn,
        Tags=person.tags,
    )  # fmt: skip


def ended(person: Person) -> dict[str, str]:
    """Wait until no job of the account runs, and return how each ended."""
    sagemaker = person.client()

    def states() -> dict[str, str]:
        kinds = ("HyperParameterTuningJob", "TransformJob", "ProcessingJob", "TrainingJob")
        listed = (
            sagemaker.list_hyper_parameter_tuning_jobs,
            sagemaker.list_transform_jobs,
            sagemaker.list_processing_jobs,
            sagemaker.list_training_jobs,
        )
        return {
            job[f"{kind}Name"]: job[f"{kind}Status"]
            for kind, lists in zip(kinds, listed, strict=True)
            for job in lists()[f"{kind}Summaries"]
        }

    running = {"InProgress", "Stopping"}
    person.cloud.until(lambda: not running & set(states().values()), "the end of the jobs")
    return states()
