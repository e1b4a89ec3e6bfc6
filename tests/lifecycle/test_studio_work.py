"""What Studio's people start: jobs and endpoints with their own name on it, and nothing without; then the destroy."""

from __future__ import annotations

from typing import Any

import pytest

from sandcastle.config.catalogue import image_uri
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.people import INSTANCE, Person, denied, output, write_settings

ENVIRONMENT = "work"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_settings(tmp_path_factory.mktemp("environments"), ENVIRONMENT)


@pytest.fixture(scope="module")
def domain(cloud: Cloud, settings: str) -> str:
    """The id of the deployed domain."""
    cloud.sandcastle("deploy", "--environment", settings)
    return output(cloud, ENVIRONMENT, "studio", "DomainId")


@pytest.fixture(scope="module")
def ada(cloud: Cloud, domain: str) -> Person:
    return Person(cloud, ENVIRONMENT, domain, "ada")


@pytest.fixture(scope="module")
def grace(cloud: Cloud, domain: str) -> Person:
    return Person(cloud, ENVIRONMENT, domain, "grace")


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, domain: str) -> str:
    return output(cloud, ENVIRONMENT, "foundation", "DataBucket")


@pytest.fixture(scope="module")
def rows(ada: Person, bucket: str) -> str:
    """Some rows that can be learnt from, in ada's folder: a label and two columns of which the first decides."""
    points = [((x * 37 % 100) / 100, (x * 61 % 100) / 100) for x in range(200)]
    s3 = ada.client("s3")
    for key, lines in (
        ("users/ada/rows/rows.csv", [f"{int(x > 0.5)},{x},{y}" for x, y in points]),
        ("users/ada/questions/questions.csv", [f"{x},{y}" for x, y in points[:5]]),
    ):
        s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())
    return f"s3://{bucket}/users/ada/rows/"


def job_name(name: str) -> str:
    """A name by which ada may read the job's logs."""
    return f"sandcastle-{ENVIRONMENT}--users-ada--{name}"


def training(ada: Person, rows: str, **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": rows}
    definition = {
        "AlgorithmSpecification": {
            "TrainingImage": image_uri("xgboost", "us-east-1"), "TrainingInputMode": "File",
        },
        "RoleArn": ada.role_arn,
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": rows.replace("/rows/", "/models/")},
        "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }  # fmt: skip
    return {**definition, "HyperParameters": {"objective": "binary:logistic", "num_round": "5"}, **changes}


@pytest.fixture(scope="module")
def trained(cloud: Cloud, ada: Person, rows: str) -> str:
    """Where the model lies that ada trained."""
    sagemaker, name = ada.client(), job_name("training")
    sagemaker.create_training_job(TrainingJobName=name, Tags=ada.tags, **training(ada, rows))

    def done() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        assert job["TrainingJobStatus"] not in {"Failed", "Stopped"}, job.get("FailureReason")
        return job["TrainingJobStatus"] == "Completed" and job

    uri: str = cloud.until(done, "ada's training")["ModelArtifacts"]["S3ModelArtifacts"]
    return uri


def test_a_user_trains_with_own_data_and_reads_the_logs(ada: Person, trained: str, bucket: str) -> None:
    assert trained.startswith(f"s3://{bucket}/users/ada/models/")
    logs, group = ada.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job_name("training"))["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    assert events
    assert denied(logs.get_log_events, logGroupName=group, logStreamName="somebody-elses-job/algo-1")


def test_nothing_starts_without_the_users_own_name_on_it(ada: Person, grace: Person, rows: str) -> None:
    sagemaker, start = ada.client(), training(ada, rows)
    environment, user = ada.tags
    for tags in ([], [environment], [user], grace.tags, [{**environment, "Value": "other"}, user]):
        assert denied(sagemaker.create_training_job, TrainingJobName="no-name-of-hers", Tags=tags, **start), tags
    hers = job_name("no").replace("ada", "grace")
    assert denied(sagemaker.create_training_job, TrainingJobName=hers, **start)
    large = {**start["ResourceConfig"], "InstanceType": "ml.m5.4xlarge"}
    for changes in ({"ResourceConfig": large}, {"RoleArn": grace.role_arn}):
        asked = training(ada, rows, **changes)
        assert denied(sagemaker.create_training_job, TrainingJobName="no", Tags=ada.tags, **asked)
        assert denied(sagemaker.create_training_job, TrainingJobName=job_name("no"), **asked)


@pytest.fixture(scope="module")
def served(cloud: Cloud, ada: Person, trained: str) -> str:
    """The name of ada's endpoint."""
    sagemaker, name = ada.client(), "adas-own"
    image = image_uri("xgboost", "us-east-1")
    container = {"Image": image, "ModelDataUrl": trained}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ada.role_arn, PrimaryContainer=container, Tags=ada.tags)
    variant = {"VariantName": "main", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": INSTANCE}
    for config in (name, f"{name}-2"):
        sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant], Tags=ada.tags)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=ada.tags)
    cloud.until(lambda: _serving(sagemaker, name), "ada's endpoint")
    return name


def _serving(sagemaker: Any, name: str) -> bool:
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] != "Failed", endpoint.get("FailureReason")
    return bool(endpoint["EndpointStatus"] == "InService")


def test_a_user_serves_asks_and_changes_own_endpoints_and_nobody_elses(
    cloud: Cloud, ada: Person, grace: Person, served: str
) -> None:
    asked = {"EndpointName": served, "ContentType": "text/csv", "Body": b"0.9,0.1\n"}
    answer = ada.client("sagemaker-runtime").invoke_endpoint(**asked)["Body"].read()
    assert float(answer) > 0.5
    sagemaker = ada.client()
    sagemaker.update_endpoint(EndpointName=served, EndpointConfigName=f"{served}-2")
    cloud.until(lambda: _serving(sagemaker, served), "the changed endpoint")
    hers = grace.client()
    assert denied(grace.client("sagemaker-runtime").invoke_endpoint, **asked)
    assert denied(hers.delete_endpoint, EndpointName=served)
    assert denied(hers.create_endpoint, EndpointName="hers", EndpointConfigName=served, Tags=grace.tags)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=served)
    assert config["ProductionVariants"][0]["InstanceType"] == INSTANCE
    model = sagemaker.describe_model(ModelName=served)
    assert sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"] == ada.tags
    arn = sagemaker.describe_endpoint(EndpointName=served)["EndpointArn"]
    assert denied(hers.add_tags, ResourceArn=arn, Tags=grace.tags)  # nobody takes over what is there
    assert denied(sagemaker.add_tags, ResourceArn=arn, Tags=grace.tags)


def tune(ada: Person, rows: str, name: str) -> None:
    """Start a tuning job with one trial."""
    definition = training(ada, rows, StaticHyperParameters={"objective": "binary:logistic", "eval_metric": "auc"})
    del definition["HyperParameters"]
    (channel,) = definition["InputDataConfig"]
    definition["InputDataConfig"] = [channel, {**channel, "ChannelName": "validation"}]
    ada.client().create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "num_round", "MinValue": "2", "MaxValue": "4"}]},
        },
        TrainingJobDefinition=definition,
        Tags=ada.tags,
    )


def transform(ada: Person, rows: str, model: str, name: str) -> None:
    """Start a transform job over the rows without their labels."""
    questions = {"S3DataType": "S3Prefix", "S3Uri": rows.replace("/rows/", "/questions/")}
    ada.client().create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": questions}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": rows.replace("/rows/", "/transformed/"), "AssembleWith": "Line"},
        TransformResources={"InstanceType": INSTANCE, "InstanceCount": 1},
        Tags=ada.tags,
    )


def prepare(ada: Person, name: str) -> None:
    """Start a processing job that would not end by itself."""
    ada.client().create_processing_job(
        ProcessingJobName=name,
        AppSpecification={
            "ImageUri": image_uri("sklearn", "us-east-1"),
            "ContainerEntrypoint": ["python3", "-c", "import time; time.sleep(600)"],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 5}
        },
        RoleArn=ada.role_arn,
        Tags=ada.tags,
    )  # fmt: skip


def ended(cloud: Cloud, ada: Person) -> dict[str, str]:
    """Wait until no job of ada's runs, and return how each ended."""
    sagemaker = ada.client()

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
    cloud.until(lambda: not running & set(states().values()), "the end of ada's jobs")
    return states()


def test_a_user_tunes_and_transforms(cloud: Cloud, ada: Person, rows: str, served: str) -> None:
    tune(ada, rows, "ada-tunes")
    transform(ada, rows, served, "ada-transforms")
    found = ended(cloud, ada)
    assert (found["ada-tunes"], found["ada-transforms"]) == ("Completed", "Completed")
    sagemaker = ada.client()
    assert sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes")["BestTrainingJob"]
    assert sagemaker.describe_transform_job(TransformJobName="ada-transforms")["ModelName"] == served
    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes")
    assert [trial["TrainingJobStatus"] for trial in trials["TrainingJobSummaries"]] == ["Completed"]


def test_a_user_stops_what_runs_and_clears_up(cloud: Cloud, ada: Person, rows: str, served: str) -> None:
    sagemaker = ada.client()
    endless = training(ada, rows, HyperParameters={"objective": "binary:logistic", "num_round": "1000000"})
    sagemaker.create_training_job(TrainingJobName=job_name("stop"), **endless)  # her name is enough
    sagemaker.stop_training_job(TrainingJobName=job_name("stop"))
    prepare(ada, job_name("prepare"))
    assert sagemaker.describe_processing_job(ProcessingJobName=job_name("prepare"))["RoleArn"] == ada.role_arn
    sagemaker.stop_processing_job(ProcessingJobName=job_name("prepare"))
    tune(ada, rows, "ada-tunes-no-more")
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes-no-more")
    transform(ada, rows, served, "ada-transforms-no-more")
    sagemaker.stop_transform_job(TransformJobName="ada-transforms-no-more")
    found = ended(cloud, ada)
    stopped = (job_name("stop"), job_name("prepare"), "ada-tunes-no-more", "ada-transforms-no-more")
    assert {found[name] for name in stopped} == {"Stopped"}
    sagemaker.delete_endpoint(EndpointName=served)
    for config in (served, f"{served}-2"):
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=served)
    cloud.until(lambda: not sagemaker.list_endpoints()["Endpoints"], "the endpoint's end")


def test_destroy_reaches_zero_with_an_app_running_and_all_that_was_made(
    cloud: Cloud, grace: Person, settings: str
) -> None:
    grace.open_app("grace-lab")
    report = cloud.sandcastle("destroy", "--environment", settings).document
    assert (report["clean"], report["swept"]) == (True, [])
    cloud.assert_nothing_left(settings)
