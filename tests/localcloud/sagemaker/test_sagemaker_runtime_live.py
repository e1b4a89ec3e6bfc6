"""Tuning jobs, pipelines and schedules for real: processes that train, evaluate, analyse, and stop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.localcloud.sagemaker import live
from tests.localcloud.sagemaker.live import Workshop

pytestmark = pytest.mark.localcloud

_REPORT = (
    "import json, pathlib; "
    "pathlib.Path('/opt/ml/processing/output/report/evaluation.json').write_text(json.dumps({'auc': {'value': 0.9}}))"
)
#: an analyzer in one line: says what it found, in the words of the service
_ANALYZER = (
    "import os,pathlib as p;o=p.Path('/opt/ml');"
    "n=sum(f.read_text().count('captureData') for f in p.Path(os.environ['dataset_source']).rglob('*.jsonl'));"
    "(o/'output/message').write_text(f'CompletedWithViolations: {n}');"
    "(o/'processing/output/v.json').touch()"
)


@pytest.fixture(scope="module")
def workshop(localcloud: Any) -> Workshop:
    return Workshop.open(localcloud, "runtime-live")


@pytest.fixture(scope="module")
def pipeline_role(localcloud: Any, workshop: Workshop) -> str:
    jobs = [f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:{kind}/*" for kind in ("training-job", "processing-job")]
    registry = [
        f"arn:aws:sagemaker:us-east-1:{live.ACCOUNT}:{kind}/*" for kind in ("model-package-group", "model-package")
    ]
    verbs = ("Create", "Describe", "Stop")
    may = [f"sagemaker:{verb}{noun}" for verb in verbs for noun in ("TrainingJob", "ProcessingJob")]
    register = [
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DescribeModelPackageGroup",
    ]
    return live.role(
        localcloud,
        "runtime-live-pipeline",
        [
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": workshop.role},
            {"Effect": "Allow", "Action": may, "Resource": jobs},
            {"Effect": "Allow", "Action": register, "Resource": registry},
            {"Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": [*jobs, *registry]},
        ],
    )


def tuning(workshop: Workshop, **training: Any) -> dict[str, Any]:
    definition = {**workshop.training(), **training}
    static = definition.pop("HyperParameters")
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.9"}],
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "4"}],
            },
            "RandomSeed": 7,
        },
        "TrainingJobDefinition": {**definition, "StaticHyperParameters": static},
    }


def describe_tuning(sm: Any, name: str) -> dict[str, Any]:
    described: dict[str, Any] = sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    return described


def test_a_tuning_job_with_two_real_trials(localcloud: Any, sm: Any, workshop: Workshop) -> None:
    tags = [{"Key": "team", "Value": "tuners"}]
    sm.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="live-tuning", Tags=tags, **tuning(workshop))
    ended = live.wait_for(
        lambda: describe_tuning(sm, "live-tuning"),
        lambda found: found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
    )
    assert ended["HyperParameterTuningJobStatus"] == "Completed", ended
    assert ended["TrainingJobStatusCounters"]["Completed"] == ended["ObjectiveStatusCounters"]["Succeeded"] == 2
    best = ended["BestTrainingJob"]
    # the objective is what the trial logged, found by the algorithm's own regular expression
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["MetricName"] == "validation:auc"
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 1.0
    assert 0.1 <= float(best["TunedHyperParameters"]["eta"]) <= 0.9
    job = sm.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{best['TrainingJobName']}/output/model.tar.gz")
    assert sm.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    found = localcloud.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "team", "Values": ["tuners"]}]
    )["ResourceTagMappingList"]
    kinds = sorted(resource["ResourceARN"].split(":")[5].partition("/")[0] for resource in found)
    assert kinds == ["hyper-parameter-tuning-job", "training-job", "training-job"]
    readings = localcloud.admin("GET", "meter")["readings"]
    trials = [line for line in readings if ":training-job/live-tuning-" in line["arn"]]
    assert len(trials) == 2
    assert all(line["seconds"] > 30 and not line["running"] for line in trials)


def test_stopping_a_tuning_job_ends_its_processes(sm: Any, workshop: Workshop) -> None:
    endless = {"num_round": "100000000", "objective": "binary:logistic"}
    request = tuning(workshop, HyperParameters=endless)
    sm.create_hyper_parameter_tuning_job(HyperParameterTuningJobName="live-endless", **request)
    live.wait_for(
        lambda: sm.list_training_jobs(NameContains="live-endless", StatusEquals="InProgress")["TrainingJobSummaries"],
        lambda jobs: any(job["SecondaryStatus"] == "Training" for job in jobs),
    )
    sm.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="live-endless")
    live.wait_for(
        lambda: describe_tuning(sm, "live-endless")["HyperParameterTuningJobStatus"],
        lambda status: status == "Stopped",
    )
    jobs = sm.list_training_jobs(NameContains="live-endless")["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Stopped"] * 2
    sm.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="live-endless")


def test_a_pipeline_evaluates_trains_and_registers(
    localcloud: Any, sm: Any, workshop: Workshop, pipeline_role: str
) -> None:
    value = {
        "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "auc.value"},
    }
    register = {
        "ModelPackageGroupName": "live-group",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [
                {"Image": live.XGBOOST, "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    training = workshop.training()
    training["HyperParameters"]["num_round"] = {"Get": "Parameters.Rounds"}
    report = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "evaluation.json"}
    steps = [
        {"Name": "Train", "Type": "Training", "Arguments": training},
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": workshop.processing(_REPORT),
            "PropertyFiles": [report],
            "DependsOn": ["Train"],
        },
        {
            "Name": "Good",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "GreaterThanOrEqualTo", "LeftValue": value, "RightValue": 0.7}],
                "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
                "ElseSteps": [{"Name": "Bad", "Type": "Fail", "Arguments": {"ErrorMessage": "not good enough"}}],
            },
        },
    ]
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Rounds", "Type": "Integer", "DefaultValue": 1}],
        "Steps": steps,
    }
    tags = [{"Key": "team", "Value": "pipes"}]
    sm.create_pipeline(
        PipelineName="live-pipeline", PipelineDefinition=json.dumps(definition), RoleArn=pipeline_role, Tags=tags
    )
    arn = sm.start_pipeline_execution(PipelineName="live-pipeline")["PipelineExecutionArn"]
    live.wait_for(
        lambda: sm.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"],
        lambda status: status != "Executing",
    )
    listed = sm.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    steps_by_name = {step["StepName"]: step for step in listed}
    assert {name: step["StepStatus"] for name, step in steps_by_name.items()} == {
        "Train": "Succeeded",
        "Evaluate": "Succeeded",
        "Good": "Succeeded",
        "Register": "Succeeded",
    }, listed
    job = sm.describe_training_job(
        TrainingJobName=steps_by_name["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    )
    package = sm.describe_model_package(ModelPackageName=steps_by_name["Register"]["Metadata"]["RegisterModel"]["Arn"])
    assert (
        package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == job["ModelArtifacts"]["S3ModelArtifacts"]
    )
    assert sm.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    group = sm.describe_model_package_group(ModelPackageGroupName="live-group")
    assert sm.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"] == tags


def test_a_transform_job_answers_line_for_line(localcloud: Any, sm: Any, workshop: Workshop) -> None:
    model = workshop.model(localcloud, "live-transform")
    s3 = localcloud.client("s3")
    s3.put_object(Bucket=workshop.bucket, Key="batch/many.csv", Body=b"9.0,1.0\n1.0,9.0\n" * 3)
    s3.put_object(Bucket=workshop.bucket, Key="batch/deep/bad.csv", Body=b"no,numbers\n")

    def transform(name: str, prefix: str) -> dict[str, Any]:
        where = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{workshop.bucket}/{prefix}"}}
        sm.create_transform_job(
            TransformJobName=name,
            ModelName=model,
            BatchStrategy="MultiRecord",
            MaxConcurrentTransforms=2,
            TransformInput={"DataSource": where, "ContentType": "text/csv", "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{workshop.bucket}/{name}", "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        ended: dict[str, Any] = live.wait_for(
            lambda: sm.describe_transform_job(TransformJobName=name),
            lambda found: found["TransformJobStatus"] not in ("InProgress", "Stopping"),
        )
        return ended

    ended = transform("live-good", "batch/many.csv")
    assert ended["TransformJobStatus"] == "Completed", ended
    body = s3.get_object(Bucket=workshop.bucket, Key="live-good/many.csv.out")["Body"].read().decode()
    scores = [float(line) for line in body.splitlines()]
    assert len(scores) == 6
    assert all(high > 0.5 > low for high, low in zip(scores[::2], scores[1::2], strict=True))

    # a bad object has no output and fails the job, the others keep theirs
    ended = transform("live-bad", "batch/")
    assert (ended["TransformJobStatus"], ended["FailureReason"]) == (
        "Failed",
        "ClientError: See job logs for more information",
    )
    listed = s3.list_objects_v2(Bucket=workshop.bucket, Prefix="live-bad/")["Contents"]
    assert [item["Key"] for item in listed] == ["live-bad/many.csv.out"]
    events = localcloud.client("logs").get_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamName="live-bad/data-log"
    )["events"]
    assert "batch/deep/bad.csv: Bad HTTP status received from algorithm: 415" in events[0]["message"]


def test_a_step_that_the_role_may_not_begin(sm: Any, workshop: Workshop) -> None:
    step = {"Name": "Train", "Type": "Training", "Arguments": workshop.training()}
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    # a role for jobs is no role for pipelines
    sm.create_pipeline(PipelineName="live-denied", PipelineDefinition=definition, RoleArn=workshop.role)
    arn = sm.start_pipeline_execution(PipelineName="live-denied")["PipelineExecutionArn"]
    live.wait_for(
        lambda: sm.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"],
        lambda status: status == "Failed",
    )
    [failed] = sm.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert failed["FailureReason"].startswith(
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details:"
    )
    assert "is not authorized to perform: sagemaker:CreateTrainingJob" in failed["FailureReason"]


def test_a_schedule_fires_and_reports(localcloud: Any, sm: Any, workshop: Workshop) -> None:
    endpoint = workshop.endpoint(localcloud, "runtime-live")
    sm.create_data_quality_job_definition(JobDefinitionName="live", **workshop.definition(endpoint, _ANALYZER))
    sm.create_monitoring_schedule(
        MonitoringScheduleName="live",
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinitionName": "live",
            "MonitoringType": "DataQuality",
        },
    )
    live.wait_for(
        lambda: sm.describe_monitoring_schedule(MonitoringScheduleName="live")["MonitoringScheduleStatus"],
        lambda status: status == "Scheduled",
    )
    runtime = localcloud.client("sagemaker-runtime")
    for _ in range(3):
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"9,1")
    localcloud.admin("POST", "clock", {"advance_seconds": 3600})

    def last() -> dict[str, Any]:
        listed = sm.list_monitoring_executions(MonitoringScheduleName="live")["MonitoringExecutionSummaries"]
        return listed[0] if listed else {}

    done = live.wait_for(
        last, lambda found: found and found["MonitoringExecutionStatus"] not in ("Pending", "InProgress")
    )
    assert done["MonitoringExecutionStatus"] == "CompletedWithViolations", done
    job = sm.describe_processing_job(ProcessingJobName=done["ProcessingJobArn"].rpartition("/")[2])
    assert job["ExitMessage"] == "CompletedWithViolations: 3"
    target = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert target.startswith(f"s3://{workshop.bucket}/reports/{endpoint}/live/")
    listed = localcloud.client("s3").list_objects_v2(Bucket=workshop.bucket, Prefix=f"reports/{endpoint}/live/")
    assert [item["Key"].rpartition("/")[2] for item in listed["Contents"]] == ["v.json"]
    sm.delete_monitoring_schedule(MonitoringScheduleName="live")
    live.wait_for(
        lambda: sm.list_monitoring_schedules(NameContains="live")["MonitoringScheduleSummaries"],
        lambda found: not found,
    )
    sm.delete_data_quality_job_definition(JobDefinitionName="live")
