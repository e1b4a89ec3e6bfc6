"""A workload with pipelines as a deploy leaves it, made by hand: two small pipelines, a package group, a stack.

The training pipeline prepares, trains, judges by a number that it is given, and registers or fails; the deployment
pipeline runs one job. The lifecycle tests deploy the real stacks; here it is the commands that are tried.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from operations.pipeline.place import Place
from operations.project import ROOT
from operations.target import Target
from tests.localcloud.core.stacks import function
from tests.localcloud.core.stacks import role as role_resource
from tests.localcloud.sagemaker.live import XGBOOST, Workshop, role, wait_for

ENVIRONMENT = "piped"
WORKLOAD = "bank"
PREFIX = f"sandcastle-{ENVIRONMENT}--{WORKLOAD}--0123"
_ABOUT = {"origin": "generated", "source": "rows of a test", "features": ["a", "b"], "classes": ["no", "yes"]}
_TEST = "1,9.0,1.0\n0,1.0,9.0\n" * 2
_PIPELINE = [{"Effect": "Allow", "Action": ["sagemaker:*", "iam:PassRole"], "Resource": "*"}]
_JUDGE = (
    "import json, os, sys; open('/opt/ml/processing/input/mood/mood.txt').read() == 'bad' and sys.exit('no verdict'); "
    "json.dump({'accuracy': float(os.environ['ACCURACY'])}, "
    "open('/opt/ml/processing/output/report/evaluation.json', 'w'))"
)


@dataclass(frozen=True)
class Piped:
    """What was made."""

    place: Place
    shop: Workshop

    @property
    def target(self) -> Target:
        return self.place.target

    def mood(self, text: str) -> None:
        """Say how the judge is: it judges only if it is not ``bad``."""
        self.target.client("s3").put_object(Bucket=self.shop.bucket, Key="mood/mood.txt", Body=text.encode())

    def serve(self, version: int) -> None:
        """Put a version behind the endpoint, as the deployment's function does."""
        sagemaker, endpoint = self.target.client("sagemaker"), self.place.endpoint
        arn = f"{self._group_arn.replace(':model-package-group/', ':model-package/')}/{version}"
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        container = package["InferenceSpecification"]["Containers"][0]
        name = f"{endpoint}-{version}-abcd"
        made = {"Image": container["Image"], "ModelDataUrl": container["ModelDataUrl"]}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.shop.role, PrimaryContainer=made)
        variant = {"VariantName": "main", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=name)
        wait_for(
            lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
            lambda found: found["EndpointStatus"] == "InService",
        )

    @property
    def _group_arn(self) -> str:
        found = self.target.client("sagemaker").describe_model_package_group(ModelPackageGroupName=self.place.group)
        return str(found["ModelPackageGroupArn"])


def piped(server: Any, target: Target) -> Piped:
    """Make all of it in the localcloud; nothing has run yet."""
    shop = Workshop.open(server, f"{ENVIRONMENT}-data")
    does = role(server, f"{ENVIRONMENT}-pipeline", _PIPELINE)
    s3, sagemaker = target.client("s3"), target.client("sagemaker")
    s3.put_object(Bucket=shop.bucket, Key=f"{WORKLOAD}/pipeline/v1/test/test.csv", Body=_TEST.encode())
    s3.put_object(Bucket=shop.bucket, Key=f"{WORKLOAD}/pipeline/v1/about/about.json", Body=json.dumps(_ABOUT).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=PREFIX)
    for name, text in (("training", _training(shop)), ("deployment", _deployment(shop))):
        sagemaker.create_pipeline(PipelineName=f"{PREFIX}-{name}", PipelineDefinition=text, RoleArn=does)
    outputs = {
        "Endpoint": PREFIX,
        "TrainingPipeline": f"{PREFIX}-training",
        "DeploymentPipeline": f"{PREFIX}-deployment",
        "PackageGroup": PREFIX,
        "ContentType": "text/csv",
        "Accept": "text/csv",
        "DataUri": f"s3://{shop.bucket}/{WORKLOAD}/pipeline",
    }
    s3.put_object(Bucket=shop.bucket, Key="functions.zip", Body=_functions())
    template = {
        "Resources": _approval(shop, f"{PREFIX}-deployment"),
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    stack, cloudformation = f"sandcastle-{ENVIRONMENT}-pipeline-{WORKLOAD}", target.client("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "sandcastle:environment", "Value": ENVIRONMENT}],
    )
    wait_for(
        lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
        lambda status: status == "CREATE_COMPLETE",
    )
    made = Piped(Place.find(target, ENVIRONMENT, WORKLOAD), shop)
    made.mood("good")
    return made


def _functions() -> bytes:
    """The product's functions as CDK zips them."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for file in sorted((ROOT / "assets" / "functions").glob("*.py")):
            archive.write(file, file.name)
    return body.getvalue()


def _approval(shop: Workshop, pipeline: str) -> dict[str, Any]:
    """A rule that tells the product's function of approvals, as the pipeline stack has it."""
    allowed = {
        "Effect": "Allow",
        "Action": ["sagemaker:DescribeModelPackage", "sagemaker:StartPipelineExecution"],
        "Resource": "*",
    }
    detail = {"ModelPackageGroupName": [PREFIX], "UpdatedModelPackageFields": ["ModelApprovalStatus"]}
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Model Package State Change"], "detail": detail}
    return {
        "Role": role_resource(allowed),
        "Function": function(
            "",
            {"DEPLOYMENT_PIPELINE": pipeline, "GROUP": PREFIX},
            Handler="pipeline_approved.handler",
            Code={"S3Bucket": shop.bucket, "S3Key": "functions.zip"},
        ),
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": pattern,
                "Targets": [{"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]},
            },
        },
    }


def _get(path: str) -> dict[str, str]:
    return {"Get": path}


def _training(shop: Workshop) -> str:
    accuracy = {
        "Std:JsonGet": {"PropertyFile": _get("Steps.Judge.PropertyFiles.Evaluation"), "Path": "accuracy"},
    }
    mood = {
        "S3Uri": f"s3://{shop.bucket}/mood",
        "LocalPath": "/opt/ml/processing/input/mood",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    judge = {
        **shop.processing(_JUDGE),
        "ProcessingInputs": [{"InputName": "mood", "S3Input": mood}],
        "Environment": {"ACCURACY": _get("Parameters.Accuracy")},
    }
    package = {
        "ModelPackageGroupName": PREFIX,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [
                {"Image": XGBOOST, "ModelDataUrl": _get("Steps.Train.ModelArtifacts.S3ModelArtifacts")},
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "CustomerMetadataProperties": {
            "accuracy": _get("Parameters.Accuracy"),
            "candidate": "Plain",
            "data_version": "v1",
            "execution": _get("Execution.PipelineExecutionId"),
            "folder": f"s3://{shop.bucket}/folder",
        },
    }
    weak = {"Std:Join": {"On": " ", "Values": ["Plain is too weak:", _get("Parameters.Accuracy")]}}
    compared = {"Type": "GreaterThanOrEqualTo", "LeftValue": accuracy, "RightValue": _get("Parameters.Review")}
    steps = [
        {"Name": "Prepare", "Type": "Processing", "Arguments": shop.processing("pass")},
        {"Name": "Train", "Type": "Training", "Arguments": shop.training(), "DependsOn": ["Prepare"]},
        {
            "Name": "Judge",
            "Type": "Processing",
            "Arguments": judge,
            "DependsOn": ["Prepare"],
            "PropertyFiles": [
                {"PropertyFileName": "Evaluation", "OutputName": "report", "FilePath": "evaluation.json"},
            ],
        },
        {
            "Name": "GoodEnough",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [compared],
                "IfSteps": [{"Name": "RegisterPending", "Type": "RegisterModel", "Arguments": package}],
                "ElseSteps": [{"Name": "TooWeak", "Type": "Fail", "Arguments": {"ErrorMessage": weak}}],
            },
        },
    ]
    parameters = [
        {"Name": "Accuracy", "Type": "String", "DefaultValue": "0.9"},
        {"Name": "Review", "Type": "Float", "DefaultValue": 0.5},
    ]
    return _document(steps, parameters)


def _deployment(shop: Workshop) -> str:
    parameters = [{"Name": name, "Type": "String"} for name in ("ModelPackageArn", "Folder")]
    deploy = {**shop.processing("pass"), "Environment": {"PACKAGE": _get("Parameters.ModelPackageArn")}}
    return _document([{"Name": "Deploy", "Type": "Processing", "Arguments": deploy}], parameters)


def _document(steps: list[Any], parameters: list[Any]) -> str:
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": steps})
