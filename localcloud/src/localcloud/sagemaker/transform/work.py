"""The work of a transform job: the model's server, every object through it, an output for each.

An object with a reply that is not 2xx gets no output and fails the job, the others keep theirs; outputs are written
when all are done, so a stopped job leaves none ([B] StopTransformJob, [DG] batch-transform.md).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from localcloud.jobs.spec import JobOutcome
from localcloud.jobs.transfer import S3Uri, relative_name
from localcloud.sagemaker.ports import Backend, Reply, Scope, Server, StartFailed, Unreachable, VariantSpec
from localcloud.sagemaker.transform.payloads import AssembleWith, SplitType, Strategy, TooLarge, assemble, split

logger = logging.getLogger("localcloud.sagemaker")

GROUP = "/aws/sagemaker/TransformJobs"
_SEE_LOGS = "See job logs for more information"


@dataclass(frozen=True)
class Plan:
    """A transform job, understood."""

    scope: Scope
    name: str
    container: VariantSpec
    source: str
    target: str
    headers: Mapping[str, str]
    split_type: SplitType
    strategy: Strategy
    assemble_with: AssembleWith
    #: bytes, 0 for no limit
    payload_limit: int
    concurrency: int


class _Failed(Exception):
    """The job fails; the text is its FailureReason."""


class _Refused(Exception):
    """The model did not take a record; the text is for the job's data log."""

    def __init__(self, text: str, blame: str) -> None:
        super().__init__(text)
        self.blame = blame


class TransformWork:
    """Implements ``ports.Job``."""

    def __init__(
        self,
        backend: Backend,
        plan: Plan,
        model_exists: Callable[[], bool],
        on_done: Callable[[JobOutcome], None],
    ) -> None:
        """``model_exists`` is asked before every object: AWS needs the model until the end ([I])."""
        self._backend = backend
        self._plan = plan
        self._model_exists = model_exists
        self._on_done = on_done
        self._stopping = threading.Event()

    def begin(self) -> None:
        """Start, on a thread of its own."""
        threading.Thread(target=self._run, name=f"transform-{self._plan.name}", daemon=True).start()

    def stop(self) -> None:
        """Stop before the next record; ``on_done`` follows."""
        self._stopping.set()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            outcome = self._attempt()
        except _Failed as reason:
            outcome = JobOutcome("Failed", failure_reason=str(reason))
        # a job must end whatever happens here
        except Exception as error:
            logger.exception("transform job %s", self._plan.name)
            outcome = JobOutcome("Failed", failure_reason=f"InternalServerError: [localcloud] {error}")
        outcome.seconds_running = time.monotonic() - began
        self._on_done(outcome)

    def _attempt(self) -> JobOutcome:
        plan = self._plan
        self._require_model()
        objects = self._list()
        try:
            server = self._backend.start_server(plan.scope, plan.container)
        except StartFailed as reason:
            raise _Failed(f"AlgorithmError: {reason}") from None
        try:
            outputs, blame = self._transform(server, objects)
        finally:
            server.stop()
        if self._stopping.is_set():
            return JobOutcome("Stopped")
        for uri, body in outputs.items():
            try:
                self._backend.put_object(plan.scope, plan.container.role_arn, uri, body, "")
            except RuntimeError as reason:
                raise _Failed(f"ClientError: Failed to upload output {uri}. {reason}") from None
        if blame:
            raise _Failed(f"{blame}: {_SEE_LOGS}")
        return JobOutcome("Completed")

    def _list(self) -> list[str]:
        plan = self._plan
        try:
            objects = self._backend.list_objects(plan.scope, plan.container.role_arn, plan.source)
        except RuntimeError as reason:
            raise _Failed(
                f"ClientError: Data download failed: {reason}. ListObjectsV2 failed for {plan.source}"
            ) from None
        found = [uri for uri in objects if not uri.endswith("/")]
        if not found:
            raise _Failed(f'ClientError: No S3 objects found under S3 URL "{plan.source}" given in input data source.')
        return found

    def _transform(self, server: Server, objects: list[str]) -> tuple[dict[str, bytes], str]:
        """Outputs by URI, and who is to blame for the objects that have none ("" when all have)."""
        plan, outputs, blame = self._plan, {}, ""
        prefix = S3Uri.parse(plan.source)
        with ThreadPoolExecutor(plan.concurrency, f"transform-{plan.name}") as pool:
            for uri in objects:
                if self._stopping.is_set():
                    break
                self._require_model()
                try:
                    body = self._backend.get_object(plan.scope, plan.container.role_arn, uri)
                    bodies = split(body, plan.split_type, plan.strategy, plan.payload_limit)
                    replies = list(pool.map(partial(self._ask, server), bodies))
                except RuntimeError as reason:
                    raise _Failed(f"ClientError: Data download failed: {uri} ({reason})") from None
                except TooLarge as reason:
                    blame = self._log(uri, str(reason), "ClientError")
                except _Refused as reason:
                    blame = self._log(uri, str(reason), reason.blame)
                else:
                    name = relative_name(prefix, S3Uri.parse(uri).key)
                    outputs[f"{plan.target.rstrip('/')}/{name}.out"] = assemble(replies, plan.assemble_with)
        return outputs, blame

    def _ask(self, server: Server, body: bytes) -> bytes:
        if self._stopping.is_set():
            return b""
        try:
            reply: Reply = server.invoke(body, dict(self._plan.headers))
        except Unreachable as reason:
            raise _Refused(f"Unable to get response from algorithm: {reason}", "AlgorithmError") from None
        if not 200 <= reply.status < 300:
            blame = "ClientError" if 400 <= reply.status < 500 else "AlgorithmError"
            text = reply.body.decode(errors="replace")
            raise _Refused(f"Bad HTTP status received from algorithm: {reply.status}\nMessage:\n{text}", blame)
        return reply.body

    def _log(self, uri: str, text: str, blame: str) -> str:
        """Say in the job's data log what is wrong with an object; returns ``blame``."""
        plan = self._plan
        for line in text.splitlines():
            told = f"[sagemaker logs]: {uri.removeprefix('s3://')}: {line}"
            self._backend.log(plan.scope, plan.container.role_arn, GROUP, f"{plan.name}/data-log", told)
        return blame

    def _require_model(self) -> None:
        if not self._model_exists():
            raise _Failed("ClientError: the model of this transform job does not exist any more.")
