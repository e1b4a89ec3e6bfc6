"""The world outside, for real: the adapter, the job executor, model servers, S3 and Logs over HTTP."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from localcloud import adapter, self_calls
from localcloud.alarms.evaluator import Evaluator
from localcloud.autoscaling import alarms
from localcloud.autoscaling.targets import ScalingTargets
from localcloud.clock import Clock
from localcloud.faults import inside
from localcloud.jobs import executor, images, lifecycle_script
from localcloud.jobs.aws import RoleClients, message_of
from localcloud.jobs.lifecycle_script import LifecycleScript, ScriptOutcome
from localcloud.jobs.log_shipper import LogShipper
from localcloud.jobs.machines import Machines
from localcloud.jobs.model_server import INVOKE_LIMIT, ModelServer, ServerFailed, ServerSpec, ServerUnreachable
from localcloud.jobs.platform import RoleUnusable
from localcloud.jobs.spec import JobOutcome, JobSpec
from localcloud.jobs.transfer import S3Uri, TransferFailed
from localcloud.json_service import Refused
from localcloud.sagemaker import errors, network
from localcloud.sagemaker.ports import (
    AssumeDenied,
    Event,
    FunctionReply,
    InterruptibleJob,
    MetricDatum,
    Network,
    Reply,
    Scope,
    Server,
    StartFailed,
    Unreachable,
    VariantSpec,
)
from localcloud.sagemaker.studio.network import LiveNetwork

logger = logging.getLogger("localcloud.sagemaker")


class LiveBackend:
    """Implements ``ports.Backend`` inside the server process."""

    def __init__(self, clock: Clock, scaling: ScalingTargets, evaluator: Evaluator) -> None:
        """``clock`` stamps log events; ``scaling`` are the targets of Application Auto Scaling."""
        self._clock = clock
        self._scaling = scaling
        self._evaluator = evaluator
        self._clients: dict[tuple[Scope, str], RoleClients] = {}
        self._lock = threading.Lock()
        self._machines = Machines()
        self.network: Network = LiveNetwork()

    def start_job(
        self, spec: JobSpec, on_status: Callable[[str, str], None], on_done: Callable[[JobOutcome], None]
    ) -> InterruptibleJob:
        """Run a job in sandboxed processes."""
        return executor.start_job(spec, on_status, on_done)

    def start_server(self, scope: Scope, spec: VariantSpec) -> Server:
        """Start the image's own server and wait for /ping. Raises StartFailed."""
        server = ModelServer(
            ServerSpec(
                endpoint=spec.endpoint,
                variant=spec.variant,
                image=spec.image,
                model_data_url=spec.model_data_url,
                environment=dict(spec.environment),
                role_arn=spec.role_arn,
                network_isolation=spec.network_isolation,
                region=scope.region,
                account=scope.account,
                log_group=spec.log_group,
            )
        )
        try:
            server.start()
        except ServerFailed as reason:
            raise StartFailed(str(reason)) from None
        return _LiveServer(server)

    def check_image(self, image: str) -> None:
        """Raises ServiceError naming the image and the known patterns."""
        try:
            images.resolve(image)
        except images.UnknownImage as reason:
            raise errors.validation(f"[localcloud] {reason}") from None

    def metric_names(self, image: str) -> frozenset[str]:
        """The metrics that an image reports by itself (a built-in algorithm); none for other images."""
        try:
            return frozenset(definition["Name"] for definition in images.resolve(image).metric_definitions)
        except images.UnknownImage:
            return frozenset()

    def check_pull(self, image: str, role_arn: str) -> None:
        """Raises ServiceError when the role may not pull the image."""
        try:
            images.check_pull(image, role_arn)
        except (images.ImagePullDenied, images.UnknownImage, RoleUnusable) as reason:
            raise errors.validation(str(reason)) from None

    def assume(self, role_arn: str, session: str) -> Mapping[str, str]:
        """Credentials of a role as SageMaker gets them. Raises AssumeDenied."""
        try:
            return adapter.role_credentials(role_arn, session)
        except adapter.AssumeRoleDenied as reason:
            raise AssumeDenied(str(reason)) from None

    def denial(
        self, scope: Scope, caller: Mapping[str, str], action: str, resource: str, context: Mapping[str, object]
    ) -> str | None:
        """AWS's text when the caller may not do ``action``, None when allowed."""
        # what the service does as a role comes on threads that no request started
        with adapter.request_scope(scope.account, scope.region):
            denied = adapter.authorize(caller, action, resource, context)
        return denied.message if denied else None

    def session_keys(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The condition keys of the caller's session, such as the Studio user; none for most callers."""
        return adapter.session_keys(headers)

    def can_read(self, scope: Scope, role_arn: str, s3_uri: str) -> bool:
        """Whether the role can read the object (s3:GetObject, and it exists)."""
        try:
            target = S3Uri.parse(s3_uri)
            self._as_role(scope, role_arn).s3.head_object(Bucket=target.bucket, Key=target.key)
        except (ClientError, AssumeDenied, TransferFailed):
            return False
        return True

    def list_objects(self, scope: Scope, role_arn: str, s3_uri: str) -> list[str]:
        """The URIs of all objects under a prefix, in order, as the role. Raises RuntimeError with S3's reason."""
        with _reasons():
            prefix = S3Uri.parse(s3_uri)
            pages = self._as_role(scope, role_arn).s3.get_paginator("list_objects_v2")
            found = pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key).search("Contents[].Key")
            return [str(S3Uri(prefix.bucket, key)) for key in found if key is not None]

    def get_object(self, scope: Scope, role_arn: str, s3_uri: str) -> bytes:
        """Read one object as the role. Raises RuntimeError with S3's reason."""
        with _reasons():
            target = S3Uri.parse(s3_uri)
            reply = self._as_role(scope, role_arn).s3.get_object(Bucket=target.bucket, Key=target.key)
            body: bytes = reply["Body"].read()
            return body

    def put_object(self, scope: Scope, role_arn: str, s3_uri: str, body: bytes, kms_key: str) -> None:
        """Write one object as the role. Raises RuntimeError with the service's reason."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        with _reasons():
            target = S3Uri.parse(s3_uri)
            s3 = self._as_role(scope, role_arn).s3
            s3.put_object(Bucket=target.bucket, Key=target.key, Body=body, **encryption)

    def publish(self, scope: Scope, role_arn: str, topic_arn: str, message: str) -> None:
        """Publish to a topic of SNS as the role. Raises RuntimeError with the service's reason."""
        with _reasons():
            credentials = self.assume(role_arn, "SageMaker")
            with self._lock:  # botocore's clients are thread safe, making them is not
                sns = self_calls.client("sns", scope.region, credentials)
            sns.publish(TopicArn=topic_arn, Message=message)

    def invoke_function(
        self, scope: Scope, role_arn: str, function: str, event: Mapping[str, Any], limit: float
    ) -> FunctionReply:
        """Invoke a function of Lambda as the role and wait for its answer.

        Raises TimeoutError after ``limit`` real seconds and RuntimeError with the service's reason.
        """
        with _reasons():
            credentials = self.assume(role_arn, "SageMaker")
            with self._lock:
                functions = self_calls.client("lambda", scope.region, credentials, read_timeout=limit)
            try:
                reply = functions.invoke(FunctionName=function, Payload=json.dumps(event).encode())
                return FunctionReply(reply["Payload"].read(), "FunctionError" in reply)
            except ReadTimeoutError as error:
                raise TimeoutError(str(error)) from None

    def send_message(self, scope: Scope, role_arn: str, queue_url: str, body: str) -> None:
        """Send a message to a queue of SQS as the role. Raises RuntimeError with the service's reason."""
        with _reasons():
            credentials = self.assume(role_arn, "SageMaker")
            with self._lock:
                sqs = self_calls.client("sqs", scope.region, credentials)
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    def log(self, scope: Scope, role_arn: str, group: str, stream: str, text: str) -> None:
        """Write a line to CloudWatch Logs as the role; a refusal goes to the server's own log."""
        try:
            shipper = LogShipper(self._as_role(scope, role_arn).logs, group, stream, self._clock.now)
        except AssumeDenied as reason:
            logger.warning("%s (not in %s: %s)", text, group, reason)
            return
        shipper.write(text)
        shipper.close()
        if shipper.denied:
            logger.warning("%s (not in %s: %s)", text, group, shipper.denied)

    def attach_interface(self, scope: Scope, subnet: str, groups: Sequence[str], description: str) -> str:
        """Put a network interface into a customer's subnet; its id. Raises ServiceError with EC2's text."""
        return network.attach(scope, subnet, groups, description)

    def detach_interface(self, scope: Scope, interface: str) -> None:
        """Remove it again; it may be gone already."""
        network.detach(scope, interface)

    def scalable_targets(self, scope: Scope, endpoint: str) -> Mapping[str, str]:
        """The variants of an endpoint that are scalable targets, each with the target's ARN."""
        return {target.variant: target.arn for target in self._scaling.of_endpoint(scope, endpoint)}

    def deregister_targets(self, scope: Scope, endpoint: str) -> None:
        """Deregister every target among the endpoint's variants, with its policies and the alarms they made."""
        for target in self._scaling.of_endpoint(scope, endpoint):
            with contextlib.suppress(Refused), adapter.request_scope(scope.account, scope.region):
                # refused: somebody else deregistered it meanwhile
                self._scaling.remove(scope, target.resource)
                alarms.remove(list(target.policies.values()))

    def put_metrics(self, scope: Scope, data: Sequence[MetricDatum]) -> None:
        """Put data points of namespace AWS/SageMaker in one PutMetricData, as the service.

        Values of one metric at one time are one datum with an array: to read each on its own takes the server longer
        than to answer an invocation.
        """
        values: dict[tuple[str, str, tuple[tuple[str, str], ...], float], list[tuple[float, int]]] = {}
        for datum in data:
            key = (datum.name, datum.unit, tuple(datum.dimensions.items()), datum.timestamp)
            values.setdefault(key, []).append((datum.value, datum.count))
        points = [
            {
                "MetricName": name,
                "Values": [value for value, _ in counted],
                "Counts": [count for _, count in counted],
                "Unit": unit,
                "Timestamp": timestamp,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            }
            for (name, unit, dimensions, timestamp), counted in values.items()
        ]
        target = "GraniteServiceVersion20100801.PutMetricData"
        with adapter.request_scope(scope.account, scope.region):
            status, reply = adapter.call_json(
                "monitoring", target, {"Namespace": "AWS/SageMaker", "MetricData": points}
            )
        if status >= 400:
            logger.warning("metrics of AWS/SageMaker are lost: %s", reply)

    def meet_faults(self, scope: Scope, role_arn: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """A call of the service's own API as a role is about to be served. Raises ServiceError where a rule says so."""
        refusal = inside.before("sagemaker", operation, _session(role_arn), scope.region, parameters)
        if refusal:
            raise errors.ServiceError(refusal.code, refusal.message, refusal.status)

    def served(self, scope: Scope, role_arn: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """It was served: whoever waits for such a call acts."""
        inside.after("sagemaker", operation, _session(role_arn), scope.region, parameters)

    def put_event(self, event: Event) -> None:
        """Put an event on the bus and let the rules that match pass it on."""
        with adapter.request_scope(event.scope.account, event.scope.region):
            adapter.put_event("aws.sagemaker", event.detail_type, event.resources, event.detail, event.moment)

    def alarm_states(self, scope: Scope, names: Sequence[str]) -> Mapping[str, str | None]:
        """The states of CloudWatch alarms, evaluated now; None where there is no such alarm."""
        return self._evaluator.states(scope.account, scope.region, names)

    def run_script(self, machine: str, script: LifecycleScript, cancelled: threading.Event) -> ScriptOutcome:
        """Run a lifecycle script on a machine; blocks until it ends."""
        try:
            credentials = adapter.role_credentials(script.role_arn, "SageMaker", keys=script.session)
        except adapter.AssumeRoleDenied as reason:
            return ScriptOutcome(None, str(reason))
        outcome = lifecycle_script.run(script, self._machines.of(machine), cancelled, credentials=credentials)
        if outcome.left:
            self._machines.keep(machine, outcome.left)
        return outcome

    def end_machine(self, machine: str) -> None:
        """End what scripts left running on the machine; what it keeps on disk stays."""
        self._machines.end(machine)

    def renew_machine(self, machine: str, volume: str) -> None:
        """Another machine with the old volume: of the home directory only the folder ``volume`` is as it was."""
        self._machines.renew(machine, volume)

    def forget_machine(self, machine: str) -> None:
        """Delete what the machine kept between its starts."""
        self._machines.forget(machine)

    def reset(self) -> None:
        """Forget the roles' clients (their sessions end with the roles), every machine and every hold."""
        with self._lock:
            self._clients.clear()
        self._machines.clear()
        adapter.clear_holds()

    def _as_role(self, scope: Scope, role_arn: str) -> RoleClients:
        """Clients of the role; making them costs, so they are kept. Raises AssumeDenied."""
        with self._lock:
            clients = self._clients.get((scope, role_arn))
            if clients is None:
                clients = RoleClients(self.assume(role_arn, "SageMaker"), scope.region, adapter.endpoint_url())
                self._clients[scope, role_arn] = clients
            return clients


def _session(role_arn: str) -> str:
    """The ARN of the session that SageMaker has of a role."""
    return f"arn:aws:sts::{role_arn.split(':')[4]}:assumed-role/{role_arn.rpartition('/')[2]}/SageMaker"


@contextmanager
def _reasons() -> Iterator[None]:
    """Whatever keeps a role from S3 becomes a RuntimeError with the reason."""
    try:
        yield
    except ClientError as error:
        raise RuntimeError(message_of(error)) from None
    except (BotoCoreError, AssumeDenied, TransferFailed) as error:
        raise RuntimeError(str(error)) from None


class _LiveServer:
    """A model server as ``ports.Server``."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    def invoke(self, body: bytes, headers: dict[str, str], limit: float | None = None) -> Reply:
        began = time.perf_counter()
        try:
            status, reply_headers, reply = self._server.invoke(body, headers, limit or INVOKE_LIMIT)
        except ServerUnreachable as reason:
            raise Unreachable(str(reason)) from None
        return Reply(status, reply_headers, reply, (time.perf_counter() - began) * 1000)

    def parameters(self) -> Mapping[str, Any]:
        return self._server.execution_parameters()

    def stop(self) -> None:
        self._server.stop()
