"""A property that nothing here models is refused by name, instead of being dropped.

For the resource types below. The tables list what MiniStack's handlers (read in 1.5.33) or this package's repairs
really apply; types that are not listed are MiniStack's own business, and our own types validate themselves.
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import stacks

from localcloud.adapter.cfn import CfnError
from localcloud.adapter.repairs import buckets

SUPPORTED: dict[str, frozenset[str]] = {
    "AWS::S3::Bucket": buckets.SUPPORTED,
    "AWS::S3::BucketPolicy": frozenset({"Bucket", "PolicyDocument"}),
    **{
        name: frozenset(properties.split())
        for name, properties in {
            "AWS::EC2::VPC": "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags",
            "AWS::EC2::Subnet": "VpcId CidrBlock AvailabilityZone AvailabilityZoneId MapPublicIpOnLaunch Tags",
            "AWS::EC2::RouteTable": "VpcId Tags",
            "AWS::EC2::SubnetRouteTableAssociation": "RouteTableId SubnetId",
            "AWS::EC2::Route": "RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock GatewayId NatGatewayId"
            " NetworkInterfaceId VpcEndpointId",
            "AWS::EC2::InternetGateway": "Tags",
            "AWS::EC2::VPCGatewayAttachment": "VpcId InternetGatewayId",
            "AWS::EC2::VPCEndpoint": "VpcEndpointType VpcId ServiceName RouteTableIds SubnetIds SecurityGroupIds"
            " PrivateDnsEnabled PolicyDocument Tags",
            "AWS::EC2::SecurityGroup": "GroupName GroupDescription VpcId SecurityGroupIngress SecurityGroupEgress Tags",
            "AWS::SNS::Topic": "TopicName DisplayName Subscription Tags",
            "AWS::SNS::TopicPolicy": "Topics PolicyDocument",
            "AWS::SNS::Subscription": "TopicArn Protocol Endpoint FilterPolicy FilterPolicyScope RawMessageDelivery"
            " DeliveryPolicy RedrivePolicy SubscriptionRoleArn",
            "AWS::Lambda::Function": "FunctionName Code Runtime Handler Role Timeout MemorySize Environment"
            " Description Layers Architectures EphemeralStorage TracingConfig LoggingConfig PackageType Tags",
            "AWS::Lambda::Permission": "FunctionName Action Principal SourceArn SourceAccount EventSourceToken"
            " FunctionUrlAuthType PrincipalOrgID InvokedViaFunctionUrl",
            "AWS::Events::Rule": "Name Description EventBusName EventPattern ScheduleExpression State RoleArn Targets"
            " Tags",
            "AWS::Logs::LogGroup": "LogGroupName RetentionInDays LogGroupClass KmsKeyId ResourcePolicyDocument Tags",
            "AWS::IAM::Role": "RoleName Path Description AssumeRolePolicyDocument ManagedPolicyArns Policies"
            " MaxSessionDuration PermissionsBoundary Tags",
            "AWS::IAM::Policy": "PolicyName PolicyDocument Roles Users Groups",
            "AWS::IAM::ManagedPolicy": "ManagedPolicyName Path Description PolicyDocument Roles Users Groups",
            "AWS::StepFunctions::StateMachine": "StateMachineName StateMachineType DefinitionString Definition"
            " DefinitionS3Location DefinitionSubstitutions RoleArn LoggingConfiguration"
            " EncryptionConfiguration Tags",
            "AWS::CloudWatch::Alarm": "AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions"
            " InsufficientDataActions MetricName Namespace Statistic ExtendedStatistic Dimensions Period Unit"
            " EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData Tags",
            "AWS::CloudWatch::Dashboard": "DashboardName DashboardBody Tags",
        }.items()
    },
}
#: runtimes that really run here; for others MiniStack answers "Mock response"
_RUNTIMES = ("python3.", "nodejs")


def install() -> None:
    """Check before each create and update."""
    before_create, before_update = stacks._provision_resource, stacks._update_resource

    def provision(type_name: str, logical_id: str, props: Any, stack_name: str) -> Any:
        check(type_name, props)
        return before_create(type_name, logical_id, props, stack_name)

    def update(type_name: str, physical_id: str, old: Any, new: Any, *rest: Any, **options: Any) -> Any:
        check(type_name, new)
        return before_update(type_name, physical_id, old, new, *rest, **options)

    stacks._provision_resource = provision
    stacks._update_resource = update


def check(type_name: str, props: dict[str, Any]) -> None:
    """Raise CfnError for what localcloud would otherwise ignore."""
    supported = SUPPORTED.get(type_name)
    unknown = sorted(set(props) - supported) if supported else []
    if unknown:
        raise CfnError(f"localcloud does not model these properties of {type_name}: {', '.join(unknown)}")
    runtime = props.get("Runtime", "") if type_name == "AWS::Lambda::Function" else ""
    if runtime and not runtime.startswith(_RUNTIMES):
        raise CfnError(f"localcloud does not run Lambda runtime {runtime}; it runs python3.x and nodejs")
