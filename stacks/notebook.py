"""The notebook instance, its role, and what stops and clears it away."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from sandcastle.assets import Assets
from sandcastle.code import code_asset
from sandcastle.config import NOTEBOOK_USER, Environment, Notebook
from sandcastle.config.catalogue import image_uri, images
from sandcastle.lifecycle_script import LifecycleScript
from sandcastle.naming import NotebookNames
from sandcastle.notebook import DailyStop, NotebookInstance, Subnet, unchangeable
from sandcastle.notebook_janitors import notebook_logs, notebook_rest
from sandcastle.notebook_role import NotebookRole
from sandcastle.resource import EnvironmentStack
from sandcastle.spending_limit import SpendingLimit
from sandcastle.tutorials import tutorials
from sandcastle.user_data import UserData
from stacks.foundation import Foundation
from stacks.guardrails import Guardrails


class NotebookStack(EnvironmentStack):
    """A notebook instance of the environment.

    Order of deletion: the schedule, and the janitor that stops the instance; the instance; its lifecycle configuration
    and its role; the janitor of its logs. The network is the foundation's.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        environment: Environment,
        notebook: Notebook,
        foundation: Foundation,
        guardrails: Guardrails,
    ) -> None:
        """``foundation`` holds the network and the buckets, ``guardrails`` the budget that stops new spending."""
        super().__init__(scope, "notebook", environment=environment, description="a notebook instance", compact=True)
        names, assets = NotebookNames(environment.name), Assets(environment.root)
        name, code = names.instance(unchangeable(notebook)), code_asset(self, assets.functions)
        delivered = tutorials(self, assets, environment.workloads)
        script = LifecycleScript(
            assets.lifecycle / "notebook.sh",
            {
                "SANDCASTLE_ENVIRONMENT": environment.name,
                "SANDCASTLE_REGION": self.region,
                "SANDCASTLE_BUCKET": foundation.data.name,
                "SANDCASTLE_MODELS": foundation.models.name,
                "SANDCASTLE_ROLE_PATH": "/",
                "SANDCASTLE_INSTANCES": " ".join(environment.instances),
                "SANDCASTLE_USER": NOTEBOOK_USER,
                "SANDCASTLE_KEPT": "SageMaker",
                "SANDCASTLE_IDLE_MINUTES": str(notebook.idle_minutes),
                "SANDCASTLE_TUTORIALS": "\n".join(f"{one.folder},{one.bucket},{one.key}" for one in delivered.values()),
            },
        )
        worker = NotebookRole(
            self,
            "Worker",
            environment=environment,
            name=name,
            buckets=UserData(foundation.data.arn, foundation.models.arn),
            tutorials=list(delivered.values()),
            instances=environment.instances,
            images=[uri for key in images() if (uri := image_uri(key, self.region))],
        )
        network = foundation.network
        instance = NotebookInstance(
            self,
            "Instance",
            notebook=notebook,
            name=name,
            names=names,
            role=worker.role,
            subnet=Subnet(network.subnet_ids[0], network.security_group_id) if notebook.network == "vpc-only" else None,
            script=script,
            code=code,
        )
        stop = DailyStop(self, "DailyStop", notebook=notebook, name=name)
        limit = SpendingLimit(
            self,
            "SpendingLimit",
            roles=[worker.role],
            budget_name=guardrails.limit.name,
            topic_arn=guardrails.topic.arn,
            code=code,
        )
        rest = notebook_rest(self, "NotebookRest", code=code, name=name, prefix=names.prefix)
        logs = notebook_logs(self, "NotebookLogs", code=code, prefix=names.prefix)
        instance.resource.add_resource_dependency(worker.policy)
        stop.resource.add_resource_dependency(instance.resource)
        rest.runs_before(instance.resource)
        limit.release.runs_after(instance.resource)
        logs.runs_after(worker.role.resource)  # and so after the instance, which refers to it
        cdk.CfnOutput(self, "NotebookName", value=instance.resource.attribute("NotebookInstanceName"))
        cdk.CfnOutput(self, "InstanceTypes", value=" ".join(environment.instances))
