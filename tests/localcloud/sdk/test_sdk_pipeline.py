"""A pipeline written with the classes of the genuine SDK v3, upserted to localcloud, started and waited for."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.localcloud.sagemaker.live import ACCOUNT, SKLEARN, XGBOOST
from tests.localcloud.sdk.environment import REGION, Genuine

_PREPARE = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int)
rows = parser.parse_args().rows
base = pathlib.Path("/opt/ml/processing")
header = "label,left,right\\n"
body = "".join(f"{i % 2},{9.0 if i % 2 else 1.0},{1.0 if i % 2 else 9.0}\\n" for i in range(rows))
(base / "train/train.csv").write_text(body)
(base / "baseline/baseline.csv").write_text(header + body)
"""
_EVALUATE = """
import json, pathlib, tarfile
import numpy, xgboost
base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model/model.tar.gz") as archive:
    archive.extractall(base / "model")
booster = xgboost.Booster()
booster.load_model(str(base / "model/xgboost-model"))
rows = numpy.loadtxt(base / "test/train.csv", delimiter=",")
found = (booster.predict(xgboost.DMatrix(rows[:, 1:])) > 0.5).astype(int)
accuracy = float((found == rows[:, 0]).mean())
metrics = {"binary_classification_metrics": {"accuracy": {"value": accuracy, "standard_deviation": "NaN"}}}
(base / "evaluation/evaluation.json").write_text(json.dumps(metrics))
lines = "".join(f"{p},{int(l)}\\n" for p, l in zip(found, rows[:, 0]))
(base / "predictions/predictions.csv").write_text("prediction,label\\n" + lines)
"""
_DEPLOY = """
def handler(event, context):
    return {"endpoint": "endpoint-of-" + event["package"].rpartition("/")[2], "accuracy": event["accuracy"]}
"""


@dataclass(frozen=True)
class Course:
    """What the pipeline needs beside the SDK's world."""

    genuine: Genuine
    session: Any
    function: str
    scripts: Path


@pytest.fixture(scope="module")
def course(genuine: Genuine, tmp_path_factory: pytest.TempPathFactory) -> Course:
    from sagemaker.core.workflow.pipeline_context import PipelineSession

    scripts = tmp_path_factory.mktemp("scripts")
    (scripts / "prepare.py").write_text(_PREPARE)
    (scripts / "evaluate.py").write_text(_EVALUATE)
    allowed = [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:*"]
    jobs = ("TrainingJob", "ProcessingJob", "HyperParameterTuningJob", "Model", "ModelPackage", "ModelPackageGroup")
    may = [f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop") for noun in jobs]
    listing = "sagemaker:ListTrainingJobsForHyperParameterTuningJob"
    statements = [
        {"Effect": "Allow", "Action": [*may, listing, "sagemaker:AddTags"], "Resource": allowed},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": genuine.role},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"},
    ]
    genuine.client("iam").put_role_policy(
        RoleName=genuine.role.rpartition("/")[2],
        PolicyName="pipeline",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    return Course(genuine, PipelineSession(default_bucket=genuine.bucket), function(genuine), scripts)


def function(genuine: Genuine) -> str:
    """The ARN of the function that the Lambda step invokes."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = genuine.client("iam").create_role(RoleName="sdk-deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("code.py", _DEPLOY)
    made = genuine.client("lambda").create_function(
        FunctionName="sdk-deploy",
        Runtime="python3.12",
        Handler="code.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
    )
    return str(made["FunctionArn"])


def build(course: Course, name: str) -> Any:
    """Prepare, tune beside train, evaluate the best, check data and model, register and deploy it or fail."""
    from sagemaker.core.drift_check_baselines import DriftCheckBaselines
    from sagemaker.core.lambda_helper import Lambda
    from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
    from sagemaker.core.model_monitor import DatasetFormat
    from sagemaker.core.parameter import ContinuousParameter
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
    from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
    from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.quality_check_step import (
        DataQualityCheckConfig,
        ModelQualityCheckConfig,
        QualityCheckStep,
    )
    from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TuningStep
    from sagemaker.serve.model_builder import ModelBuilder
    from sagemaker.train import ModelTrainer
    from sagemaker.train.tuner import HyperparameterTuner

    session, role, bucket = course.session, course.genuine.role, course.genuine.bucket
    rows = ParameterInteger("Rows", default_value=40)
    instance = ParameterString("Instance", default_value="ml.m5.large")
    limit = ParameterFloat("Limit", default_value=0.7)
    again = StepRetryPolicy([StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING], max_attempts=3)
    kept = {"cache_config": CacheConfig(enable_caching=True, expire_after="P30D"), "retry_policies": [again]}
    base = "/opt/ml/processing"

    def run_folder(folder: str) -> Any:
        return Join(on="/", values=["s3:/", bucket, name, ExecutionVariables.PIPELINE_EXECUTION_ID, folder])

    def source(name: str, uri: Any) -> Any:
        place = ProcessingS3Input(
            s3_uri=uri, local_path=f"{base}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
        )
        return ProcessingInput(input_name=name, s3_input=place)

    def target(folder: str, uri: Any) -> Any:
        place = ProcessingS3Output(s3_uri=uri, local_path=f"{base}/{folder}", s3_upload_mode="EndOfJob")
        return ProcessingOutput(output_name=folder, s3_output=place)

    def processor(image: str) -> Any:
        return ScriptProcessor(
            role=role,
            image_uri=image,
            command=["python3"],
            instance_count=1,
            instance_type=instance,
            sagemaker_session=session,
        )

    prepare = ProcessingStep(
        "Prepare",
        step_args=processor(SKLEARN).run(
            code=str(course.scripts / "prepare.py"),
            arguments=["--rows", rows.to_string()],
            outputs=[target(folder, f"s3://{bucket}/{name}/{folder}") for folder in ("train", "baseline")],
        ),
        **kept,
    )

    def output(step: Any, folder: str) -> Any:
        return step.properties.ProcessingOutputConfig.Outputs[folder].S3Output.S3Uri

    def trainer() -> Any:
        return ModelTrainer(
            training_image=XGBOOST,
            role=role,
            sagemaker_session=session,
            compute=Compute(instance_type=instance, instance_count=1, volume_size_in_gb=5),
            output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/{name}/models"),
            hyperparameters={"num_round": 3, "objective": "binary:logistic"},
        )

    channels = [
        InputData(channel_name=channel, data_source=output(prepare, "train"), content_type="text/csv")
        for channel in ("train", "validation")
    ]
    tuner = HyperparameterTuner(
        model_trainer=trainer(),
        objective_metric_name="validation:auc",
        hyperparameter_ranges={"eta": ContinuousParameter(0.1, 0.9)},
        strategy="Random",
        max_jobs=2,
        max_parallel_jobs=2,
    )
    tune = TuningStep("Tune", step_args=tuner.tune(inputs=channels), **kept)
    train = TrainingStep("Train", step_args=trainer().train(input_data_config=channels), **kept)
    best = tune.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix=f"{name}/models")
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")

    evaluate = ProcessingStep(
        "Evaluate",
        property_files=[report],
        step_args=processor(XGBOOST).run(
            code=str(course.scripts / "evaluate.py"),
            inputs=[source("model", best), source("test", output(prepare, "train"))],
            outputs=[target(folder, run_folder(folder)) for folder in ("evaluation", "predictions")],
        ),
    )
    job = CheckJobConfig(role=role, instance_count=1, instance_type="ml.m5.large", sagemaker_session=session)
    checked = {"check_job_config": job, "skip_check": True, "register_new_baseline": True}
    data_check = QualityCheckStep(
        "DataQuality",
        quality_check_config=DataQualityCheckConfig(
            baseline_dataset=output(prepare, "baseline"),
            dataset_format=DatasetFormat.csv(header=True),
            output_s3_uri=run_folder("data-quality"),
        ),
        model_package_group_name=name,
        **checked,
    )
    model_check = QualityCheckStep(
        "ModelQuality",
        quality_check_config=ModelQualityCheckConfig(
            baseline_dataset=output(evaluate, "predictions"),
            dataset_format=DatasetFormat.csv(header=True),
            output_s3_uri=run_folder("model-quality"),
            problem_type="BinaryClassification",
            inference_attribute="prediction",
            ground_truth_attribute="label",
        ),
        model_package_group_name=name,
        **checked,
    )

    def json_source(uri: Any) -> Any:
        return MetricsSource(content_type="application/json", s3_uri=uri)

    def builder(archive: Any) -> Any:
        return ModelBuilder(
            image_uri=XGBOOST,
            s3_model_data_url=archive,
            role_arn=role,
            sagemaker_session=session,
            instance_type="ml.m5.large",
            dependencies={},
        )

    data, model = data_check.properties, model_check.properties
    register = ModelStep(
        "Register",
        step_args=builder(best).register(
            model_package_group_name=name,
            approval_status="Approved",
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_metrics=ModelMetrics(
                model_statistics=json_source(model.CalculatedBaselineStatistics),
                model_constraints=json_source(model.CalculatedBaselineConstraints),
            ),
            drift_check_baselines=DriftCheckBaselines(
                model_data_statistics=json_source(data.BaselineUsedForDriftCheckStatistics),
                model_data_constraints=json_source(data.BaselineUsedForDriftCheckConstraints),
            ),
        ),
    )
    create = ModelStep("Create", step_args=builder(train.properties.ModelArtifacts.S3ModelArtifacts).build())
    accuracy = JsonGet(
        step_name=evaluate.name, property_file=report, json_path="binary_classification_metrics.accuracy.value"
    )
    deploy = LambdaStep(
        "Deploy",
        lambda_func=Lambda(function_arn=course.function, session=session),
        inputs={"package": register.properties.ModelPackageArn, "accuracy": accuracy},
        outputs=[
            LambdaOutput("endpoint", LambdaOutputTypeEnum.String),
            LambdaOutput("accuracy", LambdaOutputTypeEnum.Float),
        ],
    )
    weak = FailStep("TooWeak", error_message=Join(on=" ", values=["The best has", accuracy, "and needs", limit]))
    good = ConditionStep(
        "GoodEnough",
        conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=limit)],
        if_steps=[register, create, deploy],
        else_steps=[weak],
    )
    return Pipeline(
        name=name,
        parameters=[rows, instance, limit],
        steps=[prepare, tune, train, evaluate, data_check, model_check, good],
        sagemaker_session=session,
    )


@pytest.fixture(scope="module")
def pipeline(course: Course) -> Any:
    """The pipeline, upserted twice: made, and changed."""
    made = build(course, "sdk-course")
    for _ in range(2):
        found = made.upsert(role_arn=course.genuine.role, tags=[{"Key": "team", "Value": "course"}])
        assert found["PipelineArn"].endswith(":pipeline/sdk-course")
    return made


def listed_steps(course: Course, execution: Any) -> dict[str, dict[str, Any]]:
    """The steps by name."""
    # the SDK's own list_steps reads one page
    pages = course.genuine.client("sagemaker").get_paginator("list_pipeline_execution_steps")
    listed = pages.paginate(PipelineExecutionArn=execution.arn).search("PipelineExecutionSteps[]")
    return {step["StepName"]: step for step in listed}


def test_a_pipeline_of_the_course(course: Course, pipeline: Any) -> None:
    execution = pipeline.start()
    execution.wait(delay=1, max_attempts=300)
    steps = listed_steps(course, execution)
    judged = ("Evaluate", "DataQuality", "ModelQuality", "GoodEnough")
    expected = {"Prepare", "Tune", "Train", *judged, "Register", "Create", "Deploy"}
    assert {name: step["StepStatus"] for name, step in steps.items()} == dict.fromkeys(expected, "Succeeded"), [
        step.get("FailureReason") for step in steps.values()
    ]
    assert "Deploy" in {step["StepName"] for step in execution.list_steps()}
    outputs = {each["Name"]: each["Value"] for each in steps["Deploy"]["Metadata"]["Lambda"]["OutputParameters"]}
    assert outputs == {"endpoint": "endpoint-of-1", "accuracy": "1.0"}
    sm, bucket = course.genuine.client("sagemaker"), course.genuine.bucket
    package = sm.describe_model_package(ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"])
    # what the check calculated is what the package has, and it is there
    found = steps["DataQuality"]["Metadata"]["QualityCheck"]["CalculatedBaselineConstraints"]
    assert package["DriftCheckBaselines"]["ModelDataQuality"]["Constraints"]["S3Uri"] == found
    body = course.genuine.client("s3").get_object(Bucket=bucket, Key=found.removeprefix(f"s3://{bucket}/"))["Body"]
    assert {feature["name"] for feature in json.load(body)["features"]} == {"label", "left", "right"}
    # the best of the tuning job is registered
    tuning = steps["Tune"]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    best = sm.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)["BestTrainingJob"]
    archive = f"s3://{bucket}/sdk-course/models/{best['TrainingJobName']}/output/model.tar.gz"
    assert package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == archive
    # the other model serves what the training step made
    plain = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    model = sm.describe_model(ModelName=steps["Create"]["Metadata"]["Model"]["Arn"].rpartition("/")[2])
    assert model["PrimaryContainer"]["ModelDataUrl"].endswith(f"/models/{plain}/output/model.tar.gz")
    assert sm.list_tags(ResourceArn=model["ModelArn"])["Tags"] == [{"Key": "team", "Value": "course"}]


@pytest.mark.exhaustive
def test_a_model_that_is_too_weak(course: Course, pipeline: Any) -> None:
    execution = pipeline.start(parameters={"Limit": 1.5})
    with pytest.raises(WaiterError):
        execution.wait(delay=1, max_attempts=300)
    steps = listed_steps(course, execution)
    # what is cached was not made again
    for name in ("Prepare", "Tune", "Train"):
        assert "/execution/" in steps[name]["CacheHitResult"]["SourcePipelineExecutionArn"]
    assert steps["TooWeak"]["FailureReason"] == "The best has 1.0 and needs 1.5"
    assert steps["GoodEnough"]["Metadata"]["Condition"]["Outcome"] == "False"
    assert not {"Deploy", "Register", "Create"} & set(steps)
    statuses = {each["PipelineExecutionStatus"] for each in pipeline.list_executions()["PipelineExecutionSummaries"]}
    assert "Failed" in statuses
