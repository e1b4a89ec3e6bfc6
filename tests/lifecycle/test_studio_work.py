"""What Studio's people start: jobs and endpoints with their own name on it, and nothing without; then the destroy."""

from __future__ import annotations

import pytest

from tests.lifecycle import work
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.people import INSTANCE, Person, denied, output, people_only
from tests.lifecycle.stand import stand

ENVIRONMENT = "work"


@pytest.fixture(scope="module")
def settings() -> str:
    return people_only(ENVIRONMENT)


@pytest.fixture(scope="module")
def domain(cloud: Cloud, settings: str) -> str:
    """The id of the deployed domain."""
    stand(cloud, settings).up()
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
    return work.rows(ada, bucket)


def job_name(name: str) -> str:
    """A name by which ada may read the job's logs."""
    return work.job_name("ada", ENVIRONMENT, name)


@pytest.fixture(scope="module")
def trained(ada: Person, rows: str) -> str:
    """Where the model lies that ada trained."""
    return work.train(ada, rows, job_name("training"))


def test_a_user_trains_with_own_data_and_reads_the_logs(ada: Person, trained: str, bucket: str) -> None:
    assert trained.startswith(f"s3://{bucket}/users/ada/models/")
    logs, group = ada.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job_name("training"))["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    assert events
    assert denied(logs.get_log_events, logGroupName=group, logStreamName="somebody-elses-job/algo-1")


def test_nothing_starts_without_the_users_own_name_on_it(ada: Person, grace: Person, rows: str) -> None:
    sagemaker, start = ada.client(), work.training(ada, rows)
    environment, user = ada.tags
    for tags in ([], [environment], [user], grace.tags, [{**environment, "Value": "other"}, user]):
        assert denied(sagemaker.create_training_job, TrainingJobName="no-name-of-hers", Tags=tags, **start), tags
    hers = job_name("no").replace("ada", "grace")
    assert denied(sagemaker.create_training_job, TrainingJobName=hers, **start)
    large = {**start["ResourceConfig"], "InstanceType": "ml.m5.4xlarge"}
    for changes in ({"ResourceConfig": large}, {"RoleArn": grace.role_arn}):
        asked = work.training(ada, rows, **changes)
        assert denied(sagemaker.create_training_job, TrainingJobName="no", Tags=ada.tags, **asked)
        assert denied(sagemaker.create_training_job, TrainingJobName=job_name("no"), **asked)


@pytest.fixture(scope="module")
def served(ada: Person, trained: str) -> str:
    """The name of ada's endpoint."""
    work.serve(ada, trained, "adas-own")
    return "adas-own"


def test_a_user_serves_asks_and_changes_own_endpoints_and_nobody_elses(
    cloud: Cloud, ada: Person, grace: Person, served: str
) -> None:
    asked = {"EndpointName": served, "ContentType": "text/csv", "Body": b"0.9,0.1\n"}
    answer = ada.client("sagemaker-runtime").invoke_endpoint(**asked)["Body"].read()
    assert float(answer) > 0.5
    sagemaker = ada.client()
    sagemaker.update_endpoint(EndpointName=served, EndpointConfigName=f"{served}-2")
    cloud.until(lambda: work.serving(sagemaker, served), "the changed endpoint")
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


def test_a_user_tunes_and_transforms(cloud: Cloud, ada: Person, rows: str, served: str) -> None:
    work.tune(ada, rows, "ada-tunes")
    work.transform(ada, rows, served, "ada-transforms")
    found = work.ended(ada)
    assert (found["ada-tunes"], found["ada-transforms"]) == ("Completed", "Completed")
    sagemaker = ada.client()
    assert sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes")["BestTrainingJob"]
    assert sagemaker.describe_transform_job(TransformJobName="ada-transforms")["ModelName"] == served
    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes")
    assert [trial["TrainingJobStatus"] for trial in trials["TrainingJobSummaries"]] == ["Completed"]


def test_a_user_stops_what_runs_and_clears_up(cloud: Cloud, ada: Person, rows: str, served: str) -> None:
    sagemaker = ada.client()
    endless = work.training(ada, rows, HyperParameters={"objective": "binary:logistic", "num_round": "1000000"})
    sagemaker.create_training_job(TrainingJobName=job_name("stop"), **endless)  # her name is enough
    sagemaker.stop_training_job(TrainingJobName=job_name("stop"))
    work.prepare(ada, job_name("prepare"))
    assert sagemaker.describe_processing_job(ProcessingJobName=job_name("prepare"))["RoleArn"] == ada.role_arn
    sagemaker.stop_processing_job(ProcessingJobName=job_name("prepare"))
    work.tune(ada, rows, "ada-tunes-no-more")
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="ada-tunes-no-more")
    work.transform(ada, rows, served, "ada-transforms-no-more")
    sagemaker.stop_transform_job(TransformJobName="ada-transforms-no-more")
    found = work.ended(ada)
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
    stand(cloud, settings).destroyed_at_once()
