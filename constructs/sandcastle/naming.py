"""Names of stacks and of what is made at run time: they lead back to environment and workload, and never collide.

Resources of templates have generated names. Jobs need a name when they start, and the endpoint needs one before it
exists, so that its logs can be deleted by something that outlives it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import aws_cdk as cdk

from sandcastle import tuning_names
from sandcastle.config import Environment
from sandcastle.config.serving_spec import EndpointKind


def stack_name(environment: Environment, part: str) -> str:
    """Return the name of a stack of the environment; ``part`` such as ``foundation`` or ``workload-bank``."""
    return f"sandcastle-{environment.name}-{part}"


def stack_layers(environment: Environment) -> list[list[str]]:
    """Return the names of its stacks in layers, each resting on those after it; all of them rest on the guardrails.

    This is the order of deletion, for what deletes stacks without the app. A test compares it with the app.
    """
    middle = [workload.stack for workload in environment.workloads]
    middle += ["studio"] if environment.studio else []
    middle += ["notebook"] if environment.notebook else []
    return [[stack_name(environment, part) for part in layer] for layer in (["teardown"], middle, ["foundation"])]


def stack_part() -> str:
    """Return a text that differs between a stack and the one that replaced it after a destroy: part of the stack's id.

    A stack id ends with ``/<name>/<uuid>``; the first group of the uuid has eight hexadecimal digits.
    """
    uuid = cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID))
    return cdk.Fn.select(0, cdk.Fn.split("-", uuid))


def dashboard_name(environment: str) -> str:
    """Return the dashboard's name: nothing is ever replaced by one of the same name, as it never changes."""
    return f"sandcastle-{environment}--dashboard-{stack_part()}"


@dataclass(frozen=True)
class WorkloadNames:
    """Names in one workload's stack."""

    environment: str
    workload: str
    kind: EndpointKind = "real-time"
    #: what tells the stack from its successors, where names are needed outside of the stack
    part: str = ""

    @property
    def job_prefix(self) -> str:
        """What all names of the workload's jobs start with, in every stack that ever held it.

        Two dashes stand between the parts, and no environment or workload has two dashes in its name: so
        ``sandcastle-a--b-c-`` belongs to workload ``b-c`` of environment ``a`` and to nobody else.
        """
        return f"sandcastle-{self.environment}--{self.workload}-"

    @property
    def tuning_prefix(self) -> str:
        """What all names of the workload's tuning jobs start with, and those of their training jobs."""
        return tuning_names.of_workload(self.environment, self.workload)

    @property
    def pipeline_job_prefix(self) -> str:
        """What a pipeline's runs begin the names of jobs and models with, before a dash; at most 38 characters.

        The prefix of all jobs and ``-p``: SageMaker appends a dash, and takes no prefix that ends with one.
        """
        return f"{self.job_prefix}-p"

    @property
    def pipeline_tuning_prefix(self) -> str:
        """What a pipeline's runs begin the names of tuning jobs with, before a dash; at most 6 characters."""
        return tuning_names.of_pipeline(self.environment, self.workload)

    @property
    def prefixes(self) -> tuple[str, str]:
        """What the names of all jobs of the workload start with."""
        return self.job_prefix, self.tuning_prefix

    @cached_property
    def stack_part(self) -> str:
        """What tells the stack from its successors, worked out once."""
        return self.part or stack_part()

    @cached_property
    def endpoint(self) -> str:
        """The endpoint's name, at most 62 characters of 63.

        CloudFormation replaces an endpoint only when its name changes, and this one stays as long as the stack does
        and its kind: it may have a name of its own. An endpoint of instances cannot become a serverless one (SageMaker
        developer guide, "Deploy models with Amazon SageMaker Serverless Inference"), so that another kind is another
        endpoint, which takes the old one's place.
        """
        suffix = {"serverless": "-serverless", "async": "-async"}.get(self.kind, "")
        return f"{self.job_prefix}-{self.stack_part}{suffix}"

    @property
    def schedules(self) -> tuple[str, str]:
        """The monitoring schedules, at most 59 characters: of the data's quality and of the model's.

        What a pipeline's functions call the schedules' definitions begins so, too.
        """
        return f"{self.endpoint}-data", f"{self.endpoint}-quality"

    @property
    def batch_schedule(self) -> str:
        """The monitoring schedule of what transform jobs are asked, which is there without an endpoint, too."""
        return f"{self.job_prefix}-{self.stack_part}-batch"

    @property
    def run_prefix(self) -> str:
        """What the names of the portable monitors' jobs begin with: the others go on with a hexadecimal digit."""
        return f"{self.job_prefix}-m"

    @property
    def endpoint_log_group(self) -> str:
        """Where SageMaker logs the endpoint."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def endpoint_log_groups(self) -> str:
        """A pattern of the log groups of this stack's endpoints, whatever their kind is or was."""
        return f"/aws/sagemaker/Endpoints/{self.job_prefix}-{self.stack_part}*"


@dataclass(frozen=True)
class PipelineNames(WorkloadNames):
    """Names in the stack of a workload with a pipeline, all of them at most 63 characters (``checks_pipeline``).

    The jobs of a pipeline's steps have names of their own kind: the definition gives them the prefix, SageMaker the
    rest. Both pipelines, the group of packages and the endpoint with all that belongs to it are named by the stack.
    """

    @property
    def tuning_prefix(self) -> str:
        """See ``pipeline_tuning_prefix``: a workload with a pipeline has no other tuning jobs."""
        return self.pipeline_tuning_prefix

    @property
    def training(self) -> str:
        """The pipeline that trains, judges, registers and deploys."""
        return f"{self.endpoint}-training"

    @property
    def deployment(self) -> str:
        """The pipeline that deploys a package which a person approved."""
        return f"{self.endpoint}-deployment"

    @property
    def group(self) -> str:
        """The group of model packages."""
        return self.endpoint


@dataclass(frozen=True)
class StudioNames:
    """Names in the Studio stack, and of what its users make."""

    environment: str

    @cached_property
    def domain(self) -> str:
        """The domain's name.

        CloudFormation replaces a domain when its name changes, which this one never does while the stack lives; and a
        domain that is still being deleted does not stand in the way of the next stack's.
        """
        return f"sandcastle-{self.environment}--studio-{stack_part()}"

    def lifecycle_config(self, app: str, digest: str) -> str:
        """The name of a lifecycle configuration, at most 63 characters; another content needs another name."""
        return f"sandcastle-{self.environment}--{app}-{digest[:12]}"

    def user_prefix(self, user: str) -> str:
        """What the names of a user's jobs may start with: then the user may read their logs.

        Two dashes at the end, so that the prefix of ``ada`` is not the beginning of the one of ``ada-b``.
        """
        return f"sandcastle-{self.environment}--users-{user}--"


@dataclass(frozen=True)
class NotebookNames:
    """Names in the notebook's stack. All of the instance's are in lower case, as its ARN has them anyway."""

    environment: str

    @cached_property
    def prefix(self) -> str:
        """What the name of every instance of this stack begins with, and of no other: one may replace another."""
        return f"sandcastle-{self.environment}--notebook-{stack_part()}-"

    def instance(self, fixed: Mapping[str, Any]) -> str:
        """The instance's name, at most 60 characters, which its role, its schedule and its functions need.

        ``fixed`` are the settings that cannot be changed: CloudFormation makes the instance with other ones before it
        deletes the old one, so that it needs another name.
        """
        digest = hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()
        return f"{self.prefix}{digest[:4]}"

    def lifecycle_config(self, digest: str) -> str:
        """The name of the lifecycle configuration; another content needs another name."""
        return f"sandcastle-{self.environment}--notebook-{digest[:12]}"
