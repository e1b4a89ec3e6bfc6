"""Schedules, job definitions, pipelines and package groups through real stacks, and what their handlers do not do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Stack, Workshop

pytestmark = pytest.mark.localcloud

_SLEEP = "import time; time.sleep(600)"


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    return Workshop.open(localcloud, "runtime-stacks")


@pytest.fixture(scope="module")
def pipeline_role(localcloud: Any, workshop: Workshop) -> str:
    return live.role(
        localcloud,
        "runtime-stacks-pipeline",
        [
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": workshop.role},
            {
                "Effect": "Allow",
                "Action": [
                    "sagemaker:CreateProcessingJob",
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:AddTags",
                ],
                "Resource": f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:processing-job/pipelines-*",
            },
        ],
    )


@pytest.fixture
def stack(localcloud: Any, unique: str) -> Stack:
    return Stack(localcloud, f"runtime-{unique}")


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::SageMaker::{kind}", "Properties": properties}


def pipeline(name: str, role: str, *steps: dict[str, Any], **properties: Any) -> dict[str, Any]:
    body = json.dumps({"Version": "2020-12-01", "Steps": steps})
    return resource(
        "Pipeline",
        PipelineName=name,
        RoleArn=role,
        PipelineDefinition={"PipelineDefinitionBody": body},
        **properties,
    )


def test_a_pipeline_from_create_to_a_delete_that_is_refused(
    localcloud: Any, stack: Stack, sm: Any, workshop: Workshop, pipeline_role: str
) -> None:
    name = f"{stack.name}-pipeline"
    step = {"Name": "Wait", "Type": "Processing", "Arguments": workshop.processing(_SLEEP)}
    tags = [{"Key": "team", "Value": "a"}]
    made = {
        "Pipeline": pipeline(
            name, pipeline_role, step, Tags=tags, ParallelismConfiguration={"MaxParallelExecutionSteps": "3"}
        )
    }
    assert stack.create(made) == "CREATE_COMPLETE", stack.reasons()
    assert stack.physical_id("Pipeline") == name
    described = sm.describe_pipeline(PipelineName=name)
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    shown = {tag["Key"]: tag["Value"] for tag in sm.list_tags(ResourceArn=described["PipelineArn"])["Tags"]}
    assert shown["team"] == "a" and shown["stack-wide"] == "yes"
    assert shown["aws:cloudformation:stack-name"] == stack.name

    made["Pipeline"]["Properties"]["PipelineDescription"] = "changed"
    assert stack.update(made) == "UPDATE_COMPLETE", stack.reasons()
    assert sm.describe_pipeline(PipelineName=name)["PipelineDescription"] == "changed"

    execution = sm.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    job = live.wait_for(
        lambda: sm.list_processing_jobs(NameContains="-Wait-", StatusEquals="InProgress")["ProcessingJobSummaries"],
        bool,
    )[0]
    assert stack.delete() == "DELETE_FAILED"
    assert "Invalid request provided: Pipelines with running executions cannot be deleted." in stack.reasons()
    sm.stop_pipeline_execution(PipelineExecutionArn=execution)
    live.wait_for(
        lambda: sm.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"],
        lambda status: status == "Stopped",
    )
    stopped = sm.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
    assert stopped["ProcessingJobStatus"] == "Stopped"
    assert stack.delete() == "DELETE_COMPLETE"
    # the handler does not wait for the end of the deletion
    live.wait_for(lambda: sm.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"], lambda found: not found)


def test_a_definition_in_s3_is_read_as_the_pipelines_role(
    localcloud: Any, stack: Stack, sm: Any, workshop: Workshop, pipeline_role: str
) -> None:
    body = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {}}]})
    localcloud.client("s3").put_object(Bucket=workshop.bucket, Key="pipeline.json", Body=body.encode())
    place = {"Bucket": workshop.bucket, "Key": "pipeline.json"}
    made = {
        "Pipeline": resource(
            "Pipeline",
            PipelineName=stack.name,
            RoleArn=pipeline_role,
            PipelineDefinition={"PipelineDefinitionS3Location": place},
        )
    }
    assert stack.create(made) == "CREATE_COMPLETE", stack.reasons()
    assert sm.describe_pipeline(PipelineName=stack.name)["PipelineDefinition"] == body
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_definition_that_is_refused(stack: Stack, pipeline_role: str) -> None:
    step = {"Name": "a", "Type": "EMR", "Arguments": {}}
    assert stack.create({"Pipeline": pipeline(stack.name, pipeline_role, step)}) == "ROLLBACK_COMPLETE"
    assert "step a: type EMR is not supported yet" in stack.reasons()
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_group_that_something_was_registered_in(stack: Stack, sm: Any) -> None:
    made = {
        "Group": resource(
            "ModelPackageGroup", ModelPackageGroupName=stack.name, ModelPackageGroupPolicy={"Version": "2012-10-17"}
        )
    }
    assert stack.create(made) == "CREATE_COMPLETE", stack.reasons()
    assert stack.physical_id("Group").endswith(f":model-package-group/{stack.name}")
    assert json.loads(sm.get_model_package_group_policy(ModelPackageGroupName=stack.name)["ResourcePolicy"])
    package = sm.create_model_package(
        ModelPackageGroupName=stack.name,
        InferenceSpecification={"Containers": [{"Image": live.XGBOOST}], "SupportedContentTypes": ["text/csv"]},
    )["ModelPackageArn"]
    assert stack.delete() == "DELETE_FAILED"
    assert "Error occurred during operation 'DELETE'." in stack.reasons()
    assert "cannot be deleted because it still contains Model Packages" in stack.reasons()
    sm.delete_model_package(ModelPackageName=package)
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        sm.describe_model_package_group(ModelPackageGroupName=stack.name)


def test_what_was_deleted_by_hand_is_no_obstacle(stack: Stack, sm: Any, pipeline_role: str) -> None:
    made = {
        "Group": resource("ModelPackageGroup", ModelPackageGroupName=stack.name),
        "Pipeline": pipeline(stack.name, pipeline_role),
    }
    assert stack.create(made) == "CREATE_COMPLETE", stack.reasons()
    sm.delete_model_package_group(ModelPackageGroupName=stack.name)
    sm.delete_pipeline(PipelineName=stack.name)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_schedule_is_neither_stopped_nor_waited_for(
    localcloud: Any, stack: Stack, sm: Any, workshop: Workshop
) -> None:
    endpoint = workshop.endpoint(localcloud, "runtime-watched")
    name = stack.name
    config = {
        "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
        "MonitoringJobDefinitionName": {"Fn::GetAtt": ["Definition", "JobDefinitionName"]},
        "MonitoringType": "DataQuality",
    }
    tags = [{"Key": "team", "Value": "a"}]
    made = {
        "Definition": resource(
            "DataQualityJobDefinition", JobDefinitionName=name, **workshop.definition(endpoint, _SLEEP)
        ),
        "Schedule": resource(
            "MonitoringSchedule", MonitoringScheduleName=name, MonitoringScheduleConfig=config, Tags=tags
        ),
    }
    assert stack.create(made) == "CREATE_COMPLETE", stack.reasons()
    assert stack.physical_id("Schedule").endswith(f":monitoring-schedule/{name}")
    assert sm.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleStatus"] == "Scheduled"

    # the stack's own tags reach the definition, not the schedule
    assert sm.list_tags(ResourceArn=stack.physical_id("Schedule"))["Tags"] == tags
    of_definition = sm.list_tags(ResourceArn=stack.physical_id("Definition"))["Tags"]
    assert {"Key": "stack-wide", "Value": "yes"} in of_definition

    # data in every hour, so that the job that the next hour starts has something to read
    localcloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"9,1")
    localcloud.admin("POST", "clock", {"advance_seconds": 3600})

    def last() -> dict[str, Any]:
        listed = sm.list_monitoring_executions(MonitoringScheduleName=name)["MonitoringExecutionSummaries"]
        return listed[0] if listed else {}

    running = live.wait_for(last, lambda found: found.get("MonitoringExecutionStatus") == "InProgress")
    assert stack.delete() == "DELETE_FAILED"
    assert "Error occurred during operation 'DELETE'." in stack.reasons()
    assert "Schedules with running executions" in stack.reasons()
    sm.stop_processing_job(ProcessingJobName=running["ProcessingJobArn"].rpartition("/")[2])
    live.wait_for(last, lambda found: found["MonitoringExecutionStatus"] in ("Stopped", "Failed"))

    # a read that lags behind fails the stack, and the definition stays as the schedule held it
    localcloud.admin("POST", "switches", {"schedule-delete-read": "stale"})
    try:
        assert stack.delete() == "DELETE_FAILED"
        assert f"Delete stabilizing of monitoring schedule: {name}" in stack.reasons()
    finally:
        localcloud.admin("POST", "switches", {"schedule-delete-read": "consistent"})
    live.wait_for(
        lambda: sm.list_monitoring_schedules(NameContains=name)["MonitoringScheduleSummaries"], lambda found: not found
    )
    assert stack.delete() == "DELETE_COMPLETE"
    assert sm.list_data_quality_job_definitions(NameContains=name)["JobDefinitionSummaries"] == []


def test_names_that_are_taken(stack: Stack, sm: Any) -> None:
    sm.create_model_package_group(ModelPackageGroupName=stack.name)
    made = {"Group": resource("ModelPackageGroup", ModelPackageGroupName=stack.name)}
    assert stack.create(made) == "ROLLBACK_COMPLETE"
    assert f"Resource of type 'AWS::SageMaker::ModelPackageGroup' with identifier '{stack.name}' already exists." in (
        stack.reasons()
    )
    assert stack.delete() == "DELETE_COMPLETE"
    # the one that was there before is still there
    assert sm.describe_model_package_group(ModelPackageGroupName=stack.name)["ModelPackageGroupStatus"] == "Completed"
