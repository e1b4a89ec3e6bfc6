"""A world that does what a test says, step by step: for the state machines on a clock that stands still."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localcloud.clock import Clock
from localcloud.jobs.lifecycle_script import LifecycleScript, ScriptOutcome
from localcloud.jobs.spec import JobOutcome, JobSpec
from localcloud.meter import Meter
from localcloud.sagemaker.errors import ServiceError, validation
from localcloud.sagemaker.ports import (
    AssumeDenied,
    Event,
    FunctionReply,
    Home,
    MetricDatum,
    NetworkFailed,
    Reply,
    Scope,
    StartFailed,
    VariantSpec,
)
from localcloud.sagemaker.quotas import Quotas
from localcloud.sagemaker.service import SageMaker
from localcloud.switches import Switches

SCOPE = Scope("123456789012", "eu-west-1")
ROLE = "arn:aws:iam::123456789012:role/runner"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/any:1"
START = 1_800_000_000.0


class ScriptedJob:
    """A job that waits for the test to end it."""

    def __init__(
        self, spec: JobSpec, on_status: Callable[[str, str], None], on_done: Callable[[JobOutcome], None]
    ) -> None:
        self.spec, self.on_status, self.on_done = spec, on_status, on_done
        self.stopped = False
        self.interrupted: list[str | None] = []

    def stop(self) -> None:
        self.stopped = True
        self.on_done(JobOutcome("Stopped", secondary_status="Stopped", seconds_running=5))

    def interrupt(self, line: str | None = None) -> None:
        self.interrupted.append(line)


class ScriptedServer:
    """Echoes, in upper case."""

    def __init__(self, spec: VariantSpec) -> None:
        self.spec = spec
        self.stopped = threading.Event()
        self.reply: Reply | Exception | None = None
        self.headers: list[dict[str, str]] = []
        self.limits: list[float | None] = []
        self.bodies: list[bytes] = []
        self.wishes: dict[str, Any] = {}
        self.free = threading.Event()
        self.free.set()

    def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
        self.headers.append(headers)
        self.limits.append(limit)
        self.bodies.append(body)
        assert self.free.wait(10)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply or Reply(200, {"content-type": "text/csv"}, body.upper())

    def parameters(self) -> dict[str, Any]:
        return self.wishes

    def stop(self) -> None:
        self.stopped.set()


@dataclass
class ScriptedNetwork:
    """A VPC in memory; ``refusal`` is what EC2 and EFS answer from then on."""

    file_systems: dict[str, list[str]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    refusal: str | None = None
    deleted: Callable[[str], None] = field(default=lambda _: None)

    def check(self, _scope: Scope, _vpc: str, _subnets: Sequence[str]) -> None:
        if self.refusal:
            raise NetworkFailed(self.refusal)

    def make_groups(self, _scope: Scope, domain: str, _vpc: str) -> Home:
        home = Home(None, f"sg-in-{domain}", f"sg-out-{domain}")
        self.groups |= set(home.groups)
        return home

    def make_file_system(self, _scope: Scope, domain: str, home: Home) -> Home:
        self.file_systems[f"fs-{domain}"] = []
        return replace(home, file_system=f"fs-{domain}")

    def add_mount_target(self, _scope: Scope, home: Home, subnet: str) -> Home:
        self.file_systems[str(home.file_system)].append(subnet)
        return replace(home, subnets=(*home.subnets, subnet))

    def file_system_exists(self, _scope: Scope, file_system: str) -> bool:
        return file_system in self.file_systems

    def remove_file_system(self, _scope: Scope, file_system: str) -> None:
        if self.refusal:
            raise NetworkFailed(self.refusal)
        del self.file_systems[file_system]
        self.deleted(file_system)

    def remove_groups(self, _scope: Scope, home: Home) -> None:
        self.groups -= set(home.groups)

    def hold(self, groups: Sequence[str]) -> None:
        self.held |= set(groups)

    def release(self, groups: Sequence[str]) -> None:
        self.held -= set(groups)

    def watch_file_systems(self, deleted: Callable[[str], None]) -> None:
        self.deleted = deleted


@dataclass
class ScriptedBackend:
    """Everything allowed unless said otherwise; ``hold`` keeps servers from coming up until it is set."""

    jobs: list[ScriptedJob] = field(default_factory=list)
    servers: list[ScriptedServer] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    logs: list[tuple[str, str, str]] = field(default_factory=list)
    #: (topic, message)
    published: list[tuple[str, str]] = field(default_factory=list)
    #: what functions of Lambda answer, by ARN; an exception is raised, a callable gives the document
    functions: dict[str, FunctionReply | Exception | Callable[[Mapping[str, Any]], Any]] = field(default_factory=dict)
    #: (function, event, role)
    invoked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    #: keeps functions from answering until it is set
    functions_free: threading.Event = field(default_factory=threading.Event)
    #: (queue, body)
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    interfaces: dict[str, tuple[str, tuple[str, ...], str]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    #: (endpoint, variant)
    targets: set[tuple[str, str]] = field(default_factory=set)
    metrics: list[MetricDatum] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    #: errors that the next calls as a role are answered with, by operation
    refusals: dict[str, list[ServiceError]] = field(default_factory=dict)
    made_as_role: list[str] = field(default_factory=list)
    #: state by name
    alarms: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    missing_roles: set[str] = field(default_factory=set)
    powerless_roles: set[str] = field(default_factory=set)
    own_metrics: frozenset[str] = frozenset()
    start_failure: str | None = None
    unwritable: bool = False
    hold: threading.Event = field(default_factory=threading.Event)
    network: ScriptedNetwork = field(default_factory=ScriptedNetwork)
    ended: list[str] = field(default_factory=list)
    renewed: list[tuple[str, str]] = field(default_factory=list)
    scripts: list[tuple[str, LifecycleScript]] = field(default_factory=list)
    script_outcome: ScriptOutcome = field(default_factory=lambda: ScriptOutcome(0))
    forgotten: list[str] = field(default_factory=list)
    session: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hold.set()
        self.functions_free.set()

    def start_job(
        self, spec: JobSpec, on_status: Callable[[str, str], None], on_done: Callable[[JobOutcome], None]
    ) -> ScriptedJob:
        self.jobs.append(ScriptedJob(spec, on_status, on_done))
        return self.jobs[-1]

    def start_server(self, _scope: Scope, spec: VariantSpec) -> ScriptedServer:
        assert self.hold.wait(10)
        if self.start_failure:
            raise StartFailed(self.start_failure)
        self.servers.append(ScriptedServer(spec))
        return self.servers[-1]

    def check_image(self, image: str) -> None:
        """Every image is known."""

    def metric_names(self, _image: str) -> frozenset[str]:
        return self.own_metrics

    def check_pull(self, image: str, role_arn: str) -> None:
        if role_arn in self.powerless_roles:
            raise validation(f"Cannot pull {image}")

    def assume(self, role_arn: str, _session: str) -> Mapping[str, str]:
        if role_arn in self.missing_roles:
            raise AssumeDenied(f"Could not assume role {role_arn}.")
        return {}

    def denial(
        self, _scope: Scope, _caller: Mapping[str, str], action: str, resource: str, context: Mapping[str, object]
    ) -> str | None:
        self.asked.append((action, resource, dict(context)))
        return f"User is not authorized to perform: {action} on resource: {resource}" if action in self.denied else None

    def session_keys(self, _headers: Mapping[str, str]) -> Mapping[str, str]:
        return self.session

    def can_read(self, _scope: Scope, _role_arn: str, s3_uri: str) -> bool:
        return "missing" not in s3_uri

    def list_objects(self, _scope: Scope, _role_arn: str, s3_uri: str) -> list[str]:
        return sorted(uri for uri in self.objects if uri.startswith(s3_uri))

    def get_object(self, _scope: Scope, _role_arn: str, s3_uri: str) -> bytes:
        if s3_uri not in self.objects:
            raise RuntimeError(f"NoSuchKey: {s3_uri}")
        return self.objects[s3_uri]

    def put_object(self, _scope: Scope, _role_arn: str, s3_uri: str, body: bytes, _kms_key: str) -> None:
        if self.unwritable:
            raise RuntimeError("AccessDenied: no")
        self.objects[s3_uri] = body

    def publish(self, _scope: Scope, _role_arn: str, topic_arn: str, message: str) -> None:
        if "denied" in topic_arn:
            raise RuntimeError("AuthorizationError: no")
        self.published.append((topic_arn, message))

    def invoke_function(
        self, _scope: Scope, role_arn: str, function: str, event: Mapping[str, Any], _limit: float
    ) -> FunctionReply:
        self.invoked.append((function, dict(event), role_arn))
        assert self.functions_free.wait(10)
        reply = self.functions[function]
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, FunctionReply):
            return reply
        return FunctionReply(json.dumps(reply(event)).encode())

    def send_message(self, _scope: Scope, _role_arn: str, queue_url: str, body: str) -> None:
        if "denied" in queue_url:
            raise RuntimeError("AccessDenied: no")
        self.messages.append((queue_url, json.loads(body)))

    def log(self, _scope: Scope, _role_arn: str, group: str, stream: str, text: str) -> None:
        self.logs.append((group, stream, text))

    def attach_interface(self, _scope: Scope, subnet: str, groups: Sequence[str], description: str) -> str:
        if "missing" in subnet:
            raise validation(f"The subnet ID '{subnet}' does not exist")
        interface = f"eni-{next(self.numbers)}"
        self.interfaces[interface] = (subnet, tuple(groups), description)
        return interface

    def detach_interface(self, _scope: Scope, interface: str) -> None:
        self.interfaces.pop(interface, None)

    def scalable_targets(self, _scope: Scope, endpoint: str) -> Mapping[str, str]:
        return {variant: f"arn:target/{variant}" for name, variant in self.targets if name == endpoint}

    def deregister_targets(self, _scope: Scope, endpoint: str) -> None:
        self.targets = {target for target in self.targets if target[0] != endpoint}

    def put_metrics(self, _scope: Scope, data: Sequence[MetricDatum]) -> None:
        self.metrics.extend(data)

    def meet_faults(self, _scope: Scope, _role: str, operation: str, _parameters: Mapping[str, Any]) -> None:
        waiting = self.refusals.get(operation)
        if waiting:
            raise waiting.pop(0)

    def served(self, _scope: Scope, _role: str, operation: str, _parameters: Mapping[str, Any]) -> None:
        self.made_as_role.append(operation)

    def put_event(self, event: Event) -> None:
        self.events.append(event)

    def alarm_states(self, _scope: Scope, names: Sequence[str]) -> Mapping[str, str | None]:
        return {name: self.alarms.get(name) for name in names}

    def run_script(self, machine: str, script: LifecycleScript, _cancelled: threading.Event) -> ScriptOutcome:
        assert self.hold.wait(10)
        self.scripts.append((machine, script))
        return self.script_outcome

    def end_machine(self, machine: str) -> None:
        self.ended.append(machine)

    def renew_machine(self, machine: str, volume: str) -> None:
        self.renewed.append((machine, volume))

    def forget_machine(self, machine: str) -> None:
        self.forgotten.append(machine)


class World:
    """A service on a manual clock, called as the wire would call it."""

    def __init__(self) -> None:
        self.clock = Clock("manual", start=START)
        self.meter = Meter(self.clock)
        self.backend = ScriptedBackend()
        self.switches = Switches({})
        self.quotas = Quotas()
        self.service = SageMaker(self.clock, self.meter, self.backend, self.switches, self.quotas)

    def call(self, operation: str, scope: Scope = SCOPE, **parameters: Any) -> dict[str, Any]:
        return self.service.call(operation, parameters, scope, {})

    def refusal(self, operation: str, **parameters: Any) -> ServiceError:
        """The error that the call must answer with."""
        try:
            reply = self.call(operation, **parameters)
        except ServiceError as error:
            return error
        raise AssertionError(f"{operation} answered {reply}")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """For what happens on the service's own threads."""
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "nothing happened in 10 s"
            time.sleep(0.002)

    def invoke(self, endpoint: str, body: bytes = b"1,2", **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {"content-type": "text/csv"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.service.runtime.invoke(SCOPE, f"/endpoints/{endpoint}/invocations", named, body)
