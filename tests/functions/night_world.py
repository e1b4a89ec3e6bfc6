"""What SageMaker says runs at night, scripted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import nightly
from botocore.stub import ANY
from environment_stacks import Stack

from tests.functions.conftest import Scripted

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
ANY_ENDPOINT = {"EndpointName": ANY}
P = "sandcastle-a--"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/{name}"


class World:
    """What SageMaker says runs, and what the topic is told."""

    def __init__(self, sagemaker: Scripted, sns: Scripted, autoscaling: Scripted) -> None:
        self.sagemaker = sagemaker
        self.sns = sns
        self.autoscaling = autoscaling

    def night(self, domain_id: str = "d-1", endpoints: bool = True) -> nightly.Night:
        clients = {"sagemaker": self.sagemaker.client, "sns": self.sns.client, "cloudformation": None}
        clients["application-autoscaling"] = self.autoscaling.client
        return nightly.Night("a", domain_id, endpoints, "20:00 Europe/Berlin", "topic", clients.__getitem__)

    def notebooks(self, *names: str) -> None:
        listed = [
            {"NotebookInstanceName": name, "NotebookInstanceArn": arn("notebook-instance", name)} for name in names
        ]
        self.sagemaker.reply("list_notebook_instances", {"StatusEquals": "InService"}, {"NotebookInstances": listed})

    def apps(self, *apps: dict[str, Any]) -> None:
        self.sagemaker.reply("list_apps", {"DomainIdEquals": "d-1", "MaxResults": 100}, {"Apps": list(apps)})

    def endpoints(self, **statuses: str) -> None:
        listed = [
            {
                "EndpointName": f"{P}{name}",
                "EndpointArn": arn("endpoint", name),
                "EndpointStatus": status,
                "CreationTime": WHEN,
                "LastModifiedTime": WHEN,
            }
            for name, status in statuses.items()
        ]
        self.sagemaker.reply("list_endpoints", {}, {"Endpoints": listed})

    def targets(self, **least: int) -> None:
        """What is scaled: variant main of endpoints, with its least count of instances."""
        listed = [
            {
                "ServiceNamespace": "sagemaker",
                "ResourceId": f"endpoint/{P}{name}/variant/main",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "MinCapacity": count,
                "MaxCapacity": 4,
                "RoleARN": "arn:aws:iam::000000000000:role/aws-service-role",
                "CreationTime": WHEN,
            }
            for name, count in least.items()
        ]
        answer = {"ScalableTargets": listed}
        self.autoscaling.reply("describe_scalable_targets", {"ServiceNamespace": "sagemaker"}, answer)

    def endpoint(self, name: str, **variant: Any) -> None:
        """What SageMaker says of an endpoint that is in service."""
        described = {
            "EndpointName": f"{P}{name}",
            "EndpointArn": arn("endpoint", name),
            "EndpointStatus": "InService",
            "CreationTime": WHEN,
            "LastModifiedTime": WHEN,
            "ProductionVariants": [{"VariantName": "main", **variant}],
        }
        self.sagemaker.reply("describe_endpoint", {"EndpointName": f"{P}{name}"}, described)

    def schedules(self, endpoint: str, status: str = "Scheduled", *names: str) -> None:
        """What watches an endpoint, in one state."""
        listed = [
            {
                "MonitoringScheduleName": f"{P}{name}",
                "MonitoringScheduleArn": arn("monitoring-schedule", f"{P}{name}"),
                "MonitoringScheduleStatus": status,
                "CreationTime": WHEN,
                "LastModifiedTime": WHEN,
            }
            for name in names
        ]
        request = {"EndpointName": f"{P}{endpoint}", "StatusEquals": status}
        self.sagemaker.reply("list_monitoring_schedules", request, {"MonitoringScheduleSummaries": listed})

    def marked(self, kind: str, name: str, since: str = "") -> None:
        """Whether something carries the mark of a night."""
        tags = [{"Key": "other", "Value": "x"}, *([{"Key": "sandcastle:asleep", "Value": since}] if since else [])]
        self.sagemaker.reply("list_tags", {"ResourceArn": arn(kind, f"{P}{name}")}, {"Tags": tags})

    def marks(self, kind: str, name: str) -> None:
        """Expect that it gets the mark."""
        tags = [{"Key": "sandcastle:asleep", "Value": ANY}]
        request = {"ResourceArn": arn(kind, f"{P}{name}"), "Tags": tags}
        self.sagemaker.reply("add_tags", request, {"Tags": []})

    def told(self, subject: str, *lines: str) -> None:
        self.sns.reply(
            "publish",
            {
                "TopicArn": "topic",
                "Subject": f"Sandcastle a: {subject}",
                "Message": "\n".join(lines),
                "MessageAttributes": {"sandcastle": {"DataType": "String", "StringValue": "a"}},
            },
        )


def deployed(name: str) -> Stack:
    """A stack whose pipelines deploy the endpoint."""
    outputs = {"Endpoint": f"{P}{name}", "TrainingPipeline": f"{P}{name}-training"}
    return Stack(f"sandcastle-a-pipeline-{name}", "id", "CREATE_COMPLETE", outputs)
