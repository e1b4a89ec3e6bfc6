"""What the service needs of the world around it, as interfaces.

``backend.LiveBackend`` fills them with the adapter, the job executor and the model servers. The state machines
know only these, so they can be driven one step at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.jobs.lifecycle_script import LifecycleScript, ScriptOutcome
from localcloud.jobs.spec import JobOutcome, JobSpec

#: kinds whose ARNs have the name in lower case ([R] aws/amazon-sagemaker-examples#1798: AKing-Service-Mapping;
#: outerbounds/metaflow-tools#28); others are not settled and keep the case here
_LOWER_CASE = ("notebook-instance", "notebook-instance-lifecycle-config")


@dataclass(frozen=True)
class Scope:
    """The account and region that a request, and everything it makes, belongs to."""

    account: str
    region: str

    def arn(self, kind: str, name: str) -> str:
        """``arn:aws:sagemaker:<region>:<account>:<kind>/<name>``."""
        if kind in _LOWER_CASE:
            name = name.lower()
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name}"


@dataclass(frozen=True)
class VariantSpec:
    """One production variant of an endpoint, or a transform job: the container to serve with."""

    endpoint: str
    variant: str
    image: str
    model_data_url: str | None
    environment: Mapping[str, str]
    role_arn: str
    network_isolation: bool = False
    #: where the server logs; None: the endpoint's own group
    log_group: str | None = None


@dataclass(frozen=True)
class Reply:
    """A container's answer to one invocation; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: milliseconds the container took
    latency_ms: float = field(default=0.0, compare=False)
    #: milliseconds it took to start the container for this invocation (serverless)
    setup_ms: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class FunctionReply:
    """What a function of Lambda answered; ``error``: it failed, and the payload says how."""

    payload: bytes
    error: bool = False


@dataclass(frozen=True)
class MetricDatum:
    """One data point of namespace AWS/SageMaker."""

    name: str
    value: float
    unit: str
    dimensions: Mapping[str, str]
    timestamp: float
    #: how often the value was seen
    count: int = 1


@dataclass(frozen=True)
class Event:
    """One event of source aws.sagemaker on the default bus of EventBridge."""

    scope: Scope
    detail_type: str
    #: ARNs
    resources: Sequence[str]
    detail: Mapping[str, Any]
    #: virtual epoch seconds
    moment: float


@dataclass(frozen=True)
class Home:
    """What a domain holds in the account: its home EFS (None: it has none) and the two groups for NFS."""

    file_system: str | None
    inbound: str
    outbound: str
    #: with a mount target
    subnets: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, str]:
        """Both security groups."""
        return self.inbound, self.outbound


class NetworkFailed(Exception):
    """EC2 or EFS refused; the text is theirs."""


class StartFailed(Exception):
    """A model server did not come up; the text is the endpoint's FailureReason."""


class Unreachable(Exception):
    """A model server gave no answer."""


class AssumeDenied(Exception):
    """The role does not exist or does not trust SageMaker; the text is AWS's."""


class Server(Protocol):
    """A running model server."""

    def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
        """One POST /invocations; ``limit`` in real seconds instead of the usual 60. Raises Unreachable."""

    def parameters(self) -> Mapping[str, Any]:
        """What GET /execution-parameters says; nothing from a server that does not know it."""

    def stop(self) -> None:
        """End it; safe to call twice."""


class Job(Protocol):
    """A job that is running in a process of its own."""

    def stop(self) -> None:
        """Ask it to stop; its ``on_done`` follows."""


class InterruptibleJob(Job, Protocol):
    """A training or processing job; of training jobs some run on spot instances."""

    def interrupt(self, line: str | None = None) -> None:
        """Take its instances away, now or when it prints a line in which this expression is found."""


class Network(Protocol):
    """What SageMaker makes in the caller's VPC. Every method may take a moment and raises NetworkFailed."""

    def check(self, scope: Scope, vpc: str, subnets: Sequence[str]) -> None:
        """The subnets exist and are in the VPC."""

    def make_groups(self, scope: Scope, domain: str, vpc: str) -> Home:
        """The two groups for NFS."""

    def make_file_system(self, scope: Scope, domain: str, home: Home) -> Home:
        """A file system for a home that has none."""

    def add_mount_target(self, scope: Scope, home: Home, subnet: str) -> Home:
        """Its mount target in one more subnet."""

    def file_system_exists(self, scope: Scope, file_system: str) -> bool:
        """Whether somebody has deleted it meanwhile."""

    def remove_file_system(self, scope: Scope, file_system: str) -> None:
        """Its mount targets and itself."""

    def remove_groups(self, scope: Scope, home: Home) -> None:
        """The rules that bind the two groups to each other, and the groups."""

    def hold(self, groups: Sequence[str]) -> None:
        """From now on EC2 refuses to delete these security groups: DependencyViolation."""

    def release(self, groups: Sequence[str]) -> None:
        """End a hold."""

    def watch_file_systems(self, deleted: Callable[[str], None]) -> None:
        """``deleted(file system id)`` is called whenever any file system was deleted, by whomever."""


class Backend(Protocol):
    """Everything that happens outside the service's own records."""

    network: Network

    def start_job(
        self, spec: JobSpec, on_status: Callable[[str, str], None], on_done: Callable[[JobOutcome], None]
    ) -> InterruptibleJob:
        """Run a job; both callbacks come on the job's thread."""

    def start_server(self, scope: Scope, spec: VariantSpec) -> Server:
        """Start a model server and wait until it is healthy. Raises StartFailed."""

    def check_image(self, image: str) -> None:
        """Raises ServiceError when no local runner stands in for the image."""

    def metric_names(self, image: str) -> frozenset[str]:
        """The metrics that an image reports by itself (a built-in algorithm); none for other images."""

    def check_pull(self, image: str, role_arn: str) -> None:
        """Raises ServiceError when the role may not pull the image."""

    def assume(self, role_arn: str, session: str) -> Mapping[str, str]:
        """Credentials of a role as SageMaker gets them. Raises AssumeDenied."""

    def denial(
        self, scope: Scope, caller: Mapping[str, str], action: str, resource: str, context: Mapping[str, object]
    ) -> str | None:
        """AWS's text when the caller may not do ``action``, None when allowed.

        ``caller`` is the request's headers, or credentials from ``assume`` for what the service does as a role.
        """

    def session_keys(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The condition keys of the caller's session, such as the Studio user; none for most callers."""

    def can_read(self, scope: Scope, role_arn: str, s3_uri: str) -> bool:
        """Whether the role can read the object (s3:GetObject, and it exists)."""

    def list_objects(self, scope: Scope, role_arn: str, s3_uri: str) -> list[str]:
        """The URIs of all objects under a prefix, in order, as the role. Raises RuntimeError with S3's reason."""

    def get_object(self, scope: Scope, role_arn: str, s3_uri: str) -> bytes:
        """Read one object as the role. Raises RuntimeError with S3's reason."""

    def put_object(self, scope: Scope, role_arn: str, s3_uri: str, body: bytes, kms_key: str) -> None:
        """Write one object as the role. Raises RuntimeError with the service's reason."""

    def publish(self, scope: Scope, role_arn: str, topic_arn: str, message: str) -> None:
        """Publish to a topic of SNS as the role. Raises RuntimeError with the service's reason."""

    def invoke_function(
        self, scope: Scope, role_arn: str, function: str, event: Mapping[str, Any], limit: float
    ) -> FunctionReply:
        """Invoke a function of Lambda as the role and wait for its answer.

        Raises TimeoutError after ``limit`` real seconds and RuntimeError with the service's reason.
        """

    def send_message(self, scope: Scope, role_arn: str, queue_url: str, body: str) -> None:
        """Send a message to a queue of SQS as the role. Raises RuntimeError with the service's reason."""

    def log(self, scope: Scope, role_arn: str, group: str, stream: str, text: str) -> None:
        """Write a line to CloudWatch Logs as the role; a refusal goes to the server's own log."""

    def attach_interface(self, scope: Scope, subnet: str, groups: Sequence[str], description: str) -> str:
        """Put a network interface into a customer's subnet; its id. Raises ServiceError with EC2's text."""

    def detach_interface(self, scope: Scope, interface: str) -> None:
        """Remove it again; it may be gone already."""

    def scalable_targets(self, scope: Scope, endpoint: str) -> Mapping[str, str]:
        """The variants of an endpoint that are scalable targets, each with the target's ARN."""

    def deregister_targets(self, scope: Scope, endpoint: str) -> None:
        """Deregister every target among the endpoint's variants, with its policies and the alarms they made."""

    def put_metrics(self, scope: Scope, data: Sequence[MetricDatum]) -> None:
        """Put CloudWatch data points of namespace AWS/SageMaker, as the service."""

    def meet_faults(self, scope: Scope, role_arn: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """A call of the service's own API as a role is about to be served. Raises ServiceError where a rule says so.

        May take a moment; hold no lock.
        """

    def served(self, scope: Scope, role_arn: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """It was served: whoever waits for such a call acts."""

    def put_event(self, event: Event) -> None:
        """Put an event on the bus and let the rules that match pass it on. Hold no lock."""

    def alarm_states(self, scope: Scope, names: Sequence[str]) -> Mapping[str, str | None]:
        """The states of CloudWatch alarms, evaluated now; None where there is no such alarm. Hold no lock."""

    def run_script(self, machine: str, script: LifecycleScript, cancelled: threading.Event) -> ScriptOutcome:
        """Run a lifecycle script on a machine (an ARN: a space, a notebook instance); blocks until it ends."""

    def end_machine(self, machine: str) -> None:
        """End what scripts left running on the machine; what it keeps on disk stays."""

    def renew_machine(self, machine: str, volume: str) -> None:
        """Another machine with the old volume: of the home directory only the folder ``volume`` is as it was."""

    def forget_machine(self, machine: str) -> None:
        """Delete what the machine kept between its starts."""


class Timer(Protocol):
    """A pending callback of the clock."""

    def cancel(self) -> None:
        """Forget it."""
