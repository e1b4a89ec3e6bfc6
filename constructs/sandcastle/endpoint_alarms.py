"""Alarms that watch a real-time endpoint: too many errors, answers that take too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from constructs import Construct

from sandcastle.resource import Resource

ERROR_RATE = 0.01
"""Of the requests in one minute, the part that the model may answer with a server error: one in a hundred. From there
on it is an alarm; on an endpoint that is hardly asked, so is a single one."""

LATENCY_SECONDS = 1.0
"""How long the model may take for an answer, on average over a minute."""

LATENCY_MINUTES = 3
"""How many minutes in a row it has to take too long: a single slow one may be an instance that has just started."""


class EndpointAlarms(Construct):
    """Two alarms for each variant. They tell the topic, and an update of the endpoint goes back when one goes off.

    They name the endpoint by its name and are made before it, since the endpoint refers to them by theirs; and they
    outlive it, as an update has to be watched to its end. Where nobody asks there is no metric, and no alarm.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, endpoint: str, variants: Sequence[str], topic_arn: str
    ) -> None:
        """``endpoint`` is the endpoint's name, which need not exist yet."""
        super().__init__(scope, construct_id)
        self._topic = topic_arn
        self.resources = [
            alarm
            for variant in variants
            for alarm in (self._errors(endpoint, variant), self._latency(endpoint, variant))
        ]
        self.names: list[str] = [alarm.ref for alarm in self.resources]

    def _errors(self, endpoint: str, variant: str) -> Resource:
        return self._alarm(
            f"Errors-{variant}",
            endpoint,
            variant,
            AlarmDescription=f"{variant} answers at least {ERROR_RATE:.0%} of requests in a minute with an error",
            MetricName="Invocation5XXErrors",
            Threshold=ERROR_RATE,
            EvaluationPeriods=1,
        )

    def _latency(self, endpoint: str, variant: str) -> Resource:
        return self._alarm(
            f"Latency-{variant}",
            endpoint,
            variant,
            AlarmDescription=f"{variant} takes {LATENCY_SECONDS:g} s or longer, {LATENCY_MINUTES} minutes in a row",
            MetricName="ModelLatency",
            Threshold=LATENCY_SECONDS * 1_000_000,  # microseconds
            EvaluationPeriods=LATENCY_MINUTES,
        )

    def _alarm(self, construct_id: str, endpoint: str, variant: str, **properties: Any) -> Resource:
        return Resource(
            self,
            construct_id,
            "AWS::CloudWatch::Alarm",
            Namespace="AWS/SageMaker",
            Dimensions=[
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            Statistic="Average",  # of ones and zeros for errors: the part of requests that had one
            Period=60,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[self._topic],
            **properties,
        )
