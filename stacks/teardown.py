"""The teardown: what comes last when an environment is deployed, and first when it goes."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import Environment
from sandcastle.dashboard import Dashboard
from sandcastle.naming import dashboard_name
from sandcastle.nightly import Nightly
from sandcastle.permissions import sagemaker_arn
from sandcastle.quiesce import quiesce
from sandcastle.resource import EnvironmentStack
from sandcastle.spending_limit import SpendingLimit
from stacks.guardrails import Guardrails
from stacks.pipeline import PipelineStack
from stacks.studio import StudioStack
from stacks.workload import WorkloadStack


class Teardown(EnvironmentStack):
    """The janitor that brings everything to rest, and the triggers that would start it again.

    It depends on every stack that anything runs in, so it is deleted before them: first the triggers, then the janitor
    works, while all that it needs is still there.

    The dashboard is here too: it names every endpoint and monitor, so that it comes after all of them and goes before.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        guardrails: Guardrails,
        studio: StudioStack | None,
        workloads: Sequence[WorkloadStack | PipelineStack],
        others: Sequence[cdk.Stack],
    ) -> None:
        """``others`` are the stacks that it goes before, besides those of the workloads."""
        super().__init__(scope, "teardown", environment=environment, description="what is done before it goes")
        for other in (*others, *workloads):
            self.add_stack_dependency(other)
        code, name = code_asset(self, Assets(environment.root).functions), environment.name
        domain_id = studio.domain_id if studio else None
        domain_arn = sagemaker_arn("domain", domain_id) if domain_id else None
        janitor = quiesce(self, "Quiesce", code=code, environment=name, domain_arn=domain_arn)
        rows = [row for one in workloads if (row := one.row)]
        watching = [one.watching for one in workloads if one.watching.schedules]
        if rows or watching:
            Dashboard(self, "Dashboard", name=dashboard_name(environment.name), rows=rows, watching=watching)
        stop = environment.nightly_stop
        if stop is None:
            return
        nightly = Nightly(
            self,
            "Nightly",
            environment=name,
            stop=stop,
            domain_id=domain_id,
            topic_arn=guardrails.topic.arn,
            code=code,
        )
        janitor.runs_after(*nightly.triggers)
        if stop.wake:  # to wake an endpoint is new spending
            SpendingLimit(
                self,
                "SpendingLimit",
                roles=[nightly.role],
                budget_name=guardrails.limit.name,
                topic_arn=guardrails.topic.arn,
                code=code,
            )
        cdk.CfnOutput(self, "NightlyFunction", value=nightly.name)
