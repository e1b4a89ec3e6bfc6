"""What Ref and Fn::GetAtt give for a resource: its name, and the form of its ARN (CloudFormation template reference).

A type that is not here is a symbol of any text.
"""

from __future__ import annotations

from dataclasses import dataclass

from operations.review.access.symbols import (
    ALPHANUMERIC,
    BUCKET,
    HEXADECIMAL,
    NAME,
    PLACE,
    Run,
    Shape,
    generated,
    some_of,
)

_GENERATED = generated(NAME)


@dataclass(frozen=True)
class Kind:
    """A type of resource.

    ``arn`` has ``{p}`` partition, ``{r}`` region, ``{a}`` account, ``{name}`` and ``{path}``. ``naming`` is the
    property that gives the name; without it AWS makes one up of this ``shape``. ``ref`` is what Ref gives: ``name``,
    ``arn``, or something else (None). ``attribute`` is the one that gives the ARN.
    """

    arn: str
    naming: str = ""
    shape: Shape = _GENERATED
    ref: str | None = "name"
    attribute: str = "Arn"


_ID = some_of(ALPHANUMERIC | {"-"})
_DOMAIN = (Run(frozenset("d")), Run(frozenset("-")), *some_of(PLACE - {"-"}, 10))  # "d-" and twelve more
_SAGEMAKER = "arn:{p}:sagemaker:{r}:{a}:"

KINDS = {
    "AWS::S3::Bucket": Kind("arn:{p}:s3:::{name}", "BucketName", generated(BUCKET)),
    "AWS::IAM::Role": Kind("arn:{p}:iam::{a}:role{path}{name}", "RoleName"),
    "AWS::IAM::User": Kind("arn:{p}:iam::{a}:user{path}{name}", "UserName"),
    "AWS::IAM::Group": Kind("arn:{p}:iam::{a}:group{path}{name}", "GroupName"),
    "AWS::IAM::ManagedPolicy": Kind(
        "arn:{p}:iam::{a}:policy{path}{name}", "ManagedPolicyName", ref="arn", attribute="PolicyArn"
    ),
    "AWS::Lambda::Function": Kind("arn:{p}:lambda:{r}:{a}:function:{name}", "FunctionName"),
    "AWS::Logs::LogGroup": Kind("arn:{p}:logs:{r}:{a}:log-group:{name}:*", "LogGroupName"),
    "AWS::SNS::Topic": Kind("arn:{p}:sns:{r}:{a}:{name}", "TopicName", ref="arn", attribute="TopicArn"),
    "AWS::SQS::Queue": Kind("arn:{p}:sqs:{r}:{a}:{name}", "QueueName", ref=None),
    "AWS::KMS::Key": Kind("arn:{p}:kms:{r}:{a}:key/{name}", "", some_of(HEXADECIMAL | {"-"})),
    "AWS::DynamoDB::Table": Kind("arn:{p}:dynamodb:{r}:{a}:table/{name}", "TableName"),
    "AWS::SecretsManager::Secret": Kind(
        "arn:{p}:secretsmanager:{r}:{a}:secret:{name}", "", some_of(NAME | {"/"}), ref="arn", attribute="Id"
    ),
    "AWS::ECR::Repository": Kind("arn:{p}:ecr:{r}:{a}:repository/{name}", "RepositoryName", some_of(NAME | {"/"})),
    "AWS::EFS::FileSystem": Kind("arn:{p}:elasticfilesystem:{r}:{a}:file-system/{name}", "", _ID),
    "AWS::StepFunctions::StateMachine": Kind(
        "arn:{p}:states:{r}:{a}:stateMachine:{name}", "StateMachineName", some_of(NAME), ref="arn"
    ),
    "AWS::Scheduler::ScheduleGroup": Kind("arn:{p}:scheduler:{r}:{a}:schedule-group/{name}", "Name"),
    "AWS::Events::EventBus": Kind("arn:{p}:events:{r}:{a}:event-bus/{name}", "Name"),
    "AWS::CloudWatch::Alarm": Kind("arn:{p}:cloudwatch:{r}:{a}:alarm:{name}", "AlarmName"),
    "AWS::SageMaker::Domain": Kind(_SAGEMAKER + "domain/{name}", "", _DOMAIN, attribute="DomainArn"),
    **{
        f"AWS::SageMaker::{type_}": Kind(f"{_SAGEMAKER}{kind}/{{name}}", naming, some_of(NAME), ref="arn")
        for type_, kind, naming in (
            ("Model", "model", "ModelName"),
            ("EndpointConfig", "endpoint-config", "EndpointConfigName"),
            ("Endpoint", "endpoint", "EndpointName"),
            ("NotebookInstance", "notebook-instance", "NotebookInstanceName"),
            ("ModelPackageGroup", "model-package-group", "ModelPackageGroupName"),
            ("MonitoringSchedule", "monitoring-schedule", "MonitoringScheduleName"),
        )
    },
}
"""Types by name. Shapes: the pattern of the name in the service's API reference, or as CloudFormation makes names."""

LOWERED = {"AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"}
"""Types whose ARN has the name in lower case."""
