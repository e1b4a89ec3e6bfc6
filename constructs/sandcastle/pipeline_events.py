"""What EventBridge is told to do about a pipeline: deploy what somebody approves, tell people what failed.

The events are those of the SageMaker developer guide, "Events that SageMaker AI sends to EventBridge".
"""

from __future__ import annotations

from typing import Any

from constructs import Construct

from sandcastle.functions import Function
from sandcastle.naming import PipelineNames
from sandcastle.permissions import sagemaker_arn
from sandcastle.pipeline_functions import PipelineFunctions
from sandcastle.resource import Resource

RETRIES = {"MaximumRetryAttempts": 8, "MaximumEventAgeInSeconds": 3600}
"""For an hour: what is approved is to be deployed although a function cannot be called for some minutes. After that
whoever approved it has noticed."""


class PipelineEvents(Construct):
    """Two rules. ``rules`` are what may start a run by itself: they go before anything is brought to rest."""

    def __init__(
        self, scope: Construct, construct_id: str, *, names: PipelineNames, functions: PipelineFunctions
    ) -> None:
        """Take everything from the names and the functions that are called."""
        super().__init__(scope, construct_id)
        approved = {
            "ModelPackageGroupName": [names.group],
            "ModelApprovalStatus": ["Approved"],
            "UpdatedModelPackageFields": ["ModelApprovalStatus"],
        }
        pipelines = [sagemaker_arn("pipeline", name) for name in (names.training, names.deployment)]
        failed = {"pipelineArn": pipelines, "currentPipelineExecutionStatus": ["Failed"]}
        self.rules = [
            self._rule(
                "Approved",
                f"Somebody approved a version of {names.workload}",
                "SageMaker Model Package State Change",
                approved,
                functions.approved,
            ),
            self._rule(
                "Failed",
                f"A run of a pipeline of {names.workload} failed",
                "SageMaker Model Building Pipeline Execution Status Change",
                failed,
                functions.failed,
            ),
        ]

    def _rule(
        self, construct_id: str, description: str, event: str, detail: dict[str, Any], function: Function
    ) -> Resource:
        rule = Resource(
            self,
            construct_id,
            "AWS::Events::Rule",
            Description=description,
            State="ENABLED",
            EventPattern={"source": ["aws.sagemaker"], "detail-type": [event], "detail": detail},
            Targets=[{"Id": "function", "Arn": function.arn, "RetryPolicy": RETRIES}],
        )
        Resource(
            self,
            f"{construct_id}Permission",
            "AWS::Lambda::Permission",
            tagged=False,
            Action="lambda:InvokeFunction",
            FunctionName=function.arn,
            Principal="events.amazonaws.com",
            SourceArn=rule.attribute("Arn"),
        )
        return rule
