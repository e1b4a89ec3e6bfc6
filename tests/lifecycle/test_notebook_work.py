"""What is done on a notebook instance: a workload's data and endpoint, jobs and endpoints of one's own, the destroy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.lifecycle import work
from tests.lifecycle.conftest import Cloud
from tests.lifecycle.environments import FAR, written
from tests.lifecycle.people import INSTANCE, Person, denied, output
from tests.lifecycle.promises import try_all
from tests.lifecycle.stand import stand

ENVIRONMENT = "desk"
NAME = "own-model"
TUNING = "notebook-tunes"
"""A tuning job's name may have 32 characters: its tags have to do."""


@dataclass(frozen=True)
class Author(Person):
    """Whoever works on the notebook instance, under its role."""

    instance: str = ""

    @property
    def role_arn(self) -> str:
        """The instance's role."""
        described = self.cloud.client("sagemaker").describe_notebook_instance(NotebookInstanceName=self.instance)
        arn: str = described["RoleArn"]
        return arn

    @property
    def home(self) -> str:
        """The notebook's folder in the data bucket."""
        return "notebook/"


def job_name(name: str) -> str:
    return work.job_name("notebook", ENVIRONMENT, name)


@pytest.fixture(scope="module")
def settings() -> str:
    return written(ENVIRONMENT, workloads={"bank": {}}, notebook={"stop_at": FAR})


@pytest.fixture(scope="module")
def author(cloud: Cloud, settings: str) -> Author:
    stand(cloud, settings).up()
    instance = output(cloud, ENVIRONMENT, "notebook", "NotebookName")
    return Author(cloud, ENVIRONMENT, "", "notebook", instance)


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, author: Author) -> str:
    return output(cloud, ENVIRONMENT, "foundation", "DataBucket")


@pytest.fixture(scope="module")
def rows(author: Author, bucket: str) -> str:
    return work.rows(author, bucket)


@pytest.fixture(scope="module")
def served(author: Author, rows: str) -> str:
    """The name of an endpoint of one's own."""
    work.serve(author, work.train(author, rows, job_name("training")), NAME)
    return NAME


def test_every_promise_holds_for_the_roles_that_were_made(cloud: Cloud, author: Author) -> None:
    tried = [one for one in try_all(cloud, ENVIRONMENT) if "-notebook-" in one.role]
    assert len(tried) > 30
    assert [str(one) for one in tried if one.decided is not one.promise.allowed] == []
    real = [one for one in tried if one.happened is not None]
    assert [str(one) for one in real if one.happened is not one.promise.allowed] == []
    assert {one.promise.allowed for one in real} == {True, False}


def test_workloads_are_read_and_asked_and_the_own_folder_is_written(cloud: Cloud, author: Author, bucket: str) -> None:
    s3 = author.client("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix="bank/")["Contents"]
    assert s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"].read()
    assert denied(s3.put_object, Bucket=bucket, Key="bank/mine", Body=b"")
    assert denied(s3.list_objects_v2, Bucket=bucket, Prefix="users/")
    assert denied(s3.put_object, Bucket=bucket, Key="users/ada/mine", Body=b"")
    s3.put_object(Bucket=bucket, Key="notebook/note.txt", Body=b"kept")
    s3.delete_object(Bucket=bucket, Key="notebook/note.txt")
    endpoint = output(cloud, ENVIRONMENT, "workload-bank", "EndpointName")
    assert author.client().describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    assert denied(author.client().delete_endpoint, EndpointName=endpoint)


def test_models_are_trained_served_and_asked(author: Author, served: str) -> None:
    logs, group = author.client("logs"), "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job_name("training"))["logStreams"]
    assert logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    asked = {"EndpointName": served, "ContentType": "text/csv", "Body": b"0.9,0.1\n"}
    assert float(author.client("sagemaker-runtime").invoke_endpoint(**asked)["Body"].read()) > 0.5
    sagemaker = author.client()
    sagemaker.update_endpoint(EndpointName=served, EndpointConfigName=f"{served}-2")
    author.cloud.until(lambda: work.serving(sagemaker, served), "the changed endpoint")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=served)
    assert config["ProductionVariants"][0]["InstanceType"] == INSTANCE
    model = sagemaker.describe_model(ModelName=served)
    assert sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"] == author.tags
    assert [one["ModelName"] for one in sagemaker.list_models(NameContains=served)["Models"]] == [served]
    assert len(sagemaker.list_endpoint_configs(NameContains=served)["EndpointConfigs"]) == 2


def test_nothing_starts_in_anybody_elses_name(author: Author, rows: str) -> None:
    sagemaker, start = author.client(), work.training(author, rows)
    ada = [author.tags[0], {"Key": "sandcastle:user", "Value": "ada"}]
    for tags in ([], ada):
        assert denied(sagemaker.create_training_job, TrainingJobName="no-name-of-ours", Tags=tags, **start)
    large = {**start["ResourceConfig"], "InstanceType": "ml.m5.4xlarge"}
    asked = work.training(author, rows, ResourceConfig=large)
    assert denied(sagemaker.create_training_job, TrainingJobName=job_name("no"), Tags=author.tags, **asked)


def test_jobs_of_every_kind_are_run_and_stopped(author: Author, rows: str, served: str) -> None:
    sagemaker, name = author.client(), job_name("stop")
    endless = {"objective": "binary:logistic", "num_round": "1000000"}
    sagemaker.create_training_job(TrainingJobName=name, **work.training(author, rows, HyperParameters=endless))
    work.prepare(author, name)
    work.tune(author, rows, TUNING)
    work.transform(author, rows, served, name)
    sagemaker.describe_processing_job(ProcessingJobName=name)
    sagemaker.describe_transform_job(TransformJobName=name)
    sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=TUNING)
    sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=TUNING)
    sagemaker.stop_training_job(TrainingJobName=name)
    sagemaker.stop_processing_job(ProcessingJobName=name)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=TUNING)
    sagemaker.stop_transform_job(TransformJobName=name)
    found = work.ended(author)
    assert (found[name], found[TUNING]) == ("Stopped", "Stopped")


def test_it_stops_itself_and_no_other(cloud: Cloud, author: Author) -> None:
    sagemaker = author.client()
    assert denied(sagemaker.stop_notebook_instance, NotebookInstanceName="another")
    assert denied(sagemaker.start_notebook_instance, NotebookInstanceName=author.instance)
    sagemaker.stop_notebook_instance(NotebookInstanceName=author.instance)
    look = cloud.client("sagemaker").describe_notebook_instance
    cloud.until(
        lambda: look(NotebookInstanceName=author.instance)["NotebookInstanceStatus"] == "Stopped", "the instance"
    )


def test_own_endpoints_are_deleted_and_a_destroy_reaches_zero(author: Author, served: str, settings: str) -> None:
    sagemaker = author.client()
    sagemaker.delete_endpoint(EndpointName=served)
    for config in (served, f"{served}-2"):
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=served)
    author.cloud.until(lambda: not sagemaker.list_endpoints(NameContains=served)["Endpoints"], "the endpoint's end")
    stand(author.cloud, settings).destroyed_at_once()
