"""Which types of resources cost what: those that are reckoned, those that are free, and all others by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from operations.review.assembly import Resource
from operations.review.cost import endpoints, jobs, monitors, people, platform
from operations.review.cost.line import Line
from operations.review.cost.scene import Scene

Handler = Callable[[Scene, Resource], Iterator[Line]]

_HANDLERS: dict[str, Handler] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": platform.scaling_policy,
    "AWS::CloudWatch::Alarm": platform.alarm,
    "AWS::CloudWatch::Dashboard": platform.dashboard,
    "AWS::EC2::EIP": platform.address,
    "AWS::EC2::NatGateway": platform.nat_gateway,
    "AWS::EC2::VPCEndpoint": platform.vpc_endpoint,
    "AWS::EC2::Volume": platform.volume,
    "AWS::EFS::FileSystem": platform.file_system,
    "AWS::KMS::Key": platform.key,
    "AWS::Lambda::Function": platform.function,
    "AWS::S3::Bucket": platform.bucket,
    "AWS::SageMaker::App": people.app,
    "AWS::SageMaker::Domain": people.domain,
    "AWS::SageMaker::Endpoint": endpoints.endpoint,
    "AWS::SageMaker::MonitoringSchedule": monitors.schedule,
    "AWS::SageMaker::NotebookInstance": people.notebook,
    "AWS::SageMaker::Pipeline": jobs.pipeline,
    "AWS::SageMaker::Space": people.space,
    "AWS::SageMaker::UserProfile": people.profile,
    "AWS::Scheduler::Schedule": monitors.scheduled,
    "AWS::StepFunctions::StateMachine": platform.state_machine,
}

_FREE = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::Budgets::Budget", "AWS::Budgets::BudgetsAction",
        "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::WaitCondition",
        "AWS::CloudFormation::WaitConditionHandle", "AWS::EC2::FlowLog", "AWS::EC2::InternetGateway",
        "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry", "AWS::EC2::Route", "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet", "AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC", "AWS::EC2::VPCGatewayAttachment", "AWS::EFS::AccessPoint", "AWS::EFS::MountTarget",
        "AWS::Events::Rule", "AWS::KMS::Alias", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::LayerVersion",
        "AWS::Lambda::LayerVersionPermission", "AWS::Lambda::Permission", "AWS::Logs::LogGroup",
        "AWS::Logs::LogStream", "AWS::Logs::ResourcePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription",
        "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::SageMaker::AppImageConfig",
        "AWS::SageMaker::DataQualityJobDefinition", "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Model", "AWS::SageMaker::ModelBiasJobDefinition",
        "AWS::SageMaker::ModelExplainabilityJobDefinition", "AWS::SageMaker::ModelPackageGroup",
        "AWS::SageMaker::ModelQualityJobDefinition", "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        "AWS::SageMaker::StudioLifecycleConfig", "AWS::Scheduler::ScheduleGroup",
    }
)  # fmt: skip
"""Types that cost nothing by themselves. What logs and budgets with actions cost is reckoned for all of them together;
topics, rules of AWS's own events and calls of Scheduler stay within what an account has for nothing."""


def lines_of(scene: Scene, resource: Resource) -> Iterator[Line]:
    """Yield what a resource costs; one of a type that nothing is known about is a line without a price."""
    kind = resource.type
    if kind in _HANDLERS:
        yield from _HANDLERS[kind](scene, resource)
    elif kind.startswith("Custom::"):
        yield from jobs.job(scene, resource) if jobs.requested(resource) else ()
    elif kind not in _FREE and not kind.startswith("AWS::IAM::"):
        named = kind or f"a resource without a type, {resource.path}"
        yield scene.unpriced(resource, "all", named, "fixed", f"nothing is known here about what {named} costs")
