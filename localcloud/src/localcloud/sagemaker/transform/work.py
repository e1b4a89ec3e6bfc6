"""The work of a transform job: the model's server, every object through it, an output for each.

An object with a reply that is not 2xx gets no output and fails the job, the others keep theirs; outputs are written
when all are done, so a stopped job leaves none ([B] StopTransformJob, [DG] batch-transform.md).
"""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from localcloud.jobs.spec import JobOutcome
from localcloud.jobs.transfer import S3Uri, relative_name
from localcloud.sagemaker.ports import Backend, Reply, Scope, Server, StartFailed, Unreachable, VariantSpec
from localcloud.sagemaker.transform.capture import BatchCapture, Listed, Unidentified
from localcloud.sagemaker.transform.payloads import (
    MB,
    AssembleWith,
    Malformed,
    SplitType,
    Strategy,
    TooLarge,
    assemble,
    records,
    requests,
    separator,
)
from localcloud.sagemaker.transform.processing import Processing, Unreadable

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
    #: ``source`` is a manifest that lists the objects
    manifest: bool
    gzip: bool
    target: str
    kms_key: str
    headers: Mapping[str, str]
    split_type: SplitType
    processing: Processing | None
    assemble_with: AssembleWith
    capture: BatchCapture | None
    #: as asked for; what is None the model's server may say
    strategy: Strategy | None
    payload_mb: int | None
    concurrency: int | None
    #: seconds for an invocation, and how often one that failed is tried again
    timeout: float
    retries: int


@dataclass(frozen=True)
class _Way:
    """How records are sent: what was asked for, else what the server wishes, else the defaults."""

    strategy: Strategy
    #: bytes, 0 for no limit
    limit: int
    concurrency: int

    @classmethod
    def of(cls, plan: Plan, wishes: Mapping[str, Any]) -> _Way:
        """Facts containers 1.4: request, then ``GET /execution-parameters``, then MultiRecord, 6 MB, 1."""
        single = wishes.get("BatchStrategy") == "SINGLE_RECORD"
        payload = plan.payload_mb if plan.payload_mb is not None else int(wishes.get("MaxPayloadInMB", 6))
        return cls(
            plan.strategy or ("SingleRecord" if single else "MultiRecord"),
            payload * MB,
            max(1, plan.concurrency or int(wishes.get("MaxConcurrentTransforms", 1))),
        )


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
        for (uri, _), body in outputs.items():
            self._put(uri, body, plan.kms_key)
        if blame:
            raise _Failed(f"{blame}: {_SEE_LOGS}")
        if plan.capture:
            for uri, body in plan.capture.manifests([(one, self._name(one)) for one in objects], list(outputs)):
                self._put(uri, body, plan.capture.kms_key)
        return JobOutcome("Completed")

    def _put(self, uri: str, body: bytes, kms_key: str) -> None:
        try:
            self._backend.put_object(self._plan.scope, self._plan.container.role_arn, uri, body, kms_key)
        except RuntimeError as reason:
            raise _Failed(f"ClientError: Failed to upload output {uri}. {reason}") from None

    def _list(self) -> list[str]:
        plan = self._plan
        if plan.manifest:
            return self._listed()
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

    def _listed(self) -> list[str]:
        """The objects of a manifest: ``[{"prefix": "s3://bucket/folder/"}, "a.csv", ...]`` ([B] S3DataType)."""
        plan = self._plan
        try:
            document = json.loads(self._backend.get_object(plan.scope, plan.container.role_arn, plan.source))
            prefix, *names = document
            return [f"{prefix['prefix']}{name}" for name in names]
        except RuntimeError as reason:
            raise _Failed(f"ClientError: Data download failed: {reason}") from None
        except (ValueError, TypeError, KeyError):
            raise _Failed(f"ClientError: {plan.source} is no manifest of S3 objects.") from None

    def _transform(self, server: Server, objects: list[str]) -> tuple[dict[Listed, bytes], str]:
        """Outputs by URI and name, and who is to blame for the objects that have none ("" when all have)."""
        plan, blame = self._plan, ""
        outputs: dict[Listed, bytes] = {}
        way = _Way.of(plan, server.parameters())
        with ThreadPoolExecutor(way.concurrency, f"transform-{plan.name}") as pool:
            for uri in objects:
                if self._stopping.is_set():
                    break
                self._require_model()
                try:
                    found = records(self._read(uri), plan.split_type)
                    batches = requests(found, plan.split_type, way.strategy, way.limit)
                    replies = [reply for part in pool.map(partial(self._answer, server), batches) for reply in part]
                    output = assemble(replies, plan.assemble_with)
                    body = plan.capture.with_ids(output) if plan.capture else output
                except RuntimeError as reason:
                    raise _Failed(f"ClientError: Data download failed: {uri} ({reason})") from None
                except (TooLarge, Malformed, Unreadable, Unidentified) as reason:
                    blame = self._log(uri, str(reason), "ClientError")
                except _Refused as reason:
                    blame = self._log(uri, str(reason), reason.blame)
                else:
                    name = f"{self._name(uri)}.out"
                    outputs[(f"{plan.target.rstrip('/')}/{name}", name)] = body
        return outputs, blame

    def _name(self, uri: str) -> str:
        """What an output is called after: the path below the prefix, or below the bucket for one of a manifest."""
        key = S3Uri.parse(uri).key
        return key if self._plan.manifest else relative_name(S3Uri.parse(self._plan.source), key)

    def _read(self, uri: str) -> bytes:
        """The content of an object. Raises RuntimeError with S3's reason, Malformed."""
        body = self._backend.get_object(self._plan.scope, self._plan.container.role_arn, uri)
        if not self._plan.gzip:
            return body
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise Malformed(f"the object is not gzip: {error}") from None

    def _answer(self, server: Server, batch: list[bytes]) -> list[bytes]:
        """The outputs of the records of one request."""
        plan = self._plan
        if plan.processing is None:
            return [self._ask(server, separator(plan.split_type).join(batch))]
        # an object that is not split may have rows all the same
        rows = batch
        if plan.split_type == "None" and plan.processing.format == "csv":
            rows = [row for row in batch[0].splitlines() if row]
        body = b"\n".join(plan.processing.prepare(row) for row in rows)
        reply = self._ask(server, body)
        if self._stopping.is_set():
            return []
        outputs = plan.processing.finish(rows, reply)
        return outputs if plan.split_type != "None" or len(outputs) < 2 else [b"\n".join(outputs)]

    def _ask(self, server: Server, body: bytes) -> bytes:
        for attempt in range(self._plan.retries + 1):
            if self._stopping.is_set():
                return b""
            try:
                return self._ask_once(server, body)
            except _Refused as refused:
                if attempt == self._plan.retries or refused.blame == "ClientError":
                    raise
        raise AssertionError("there is always a last attempt")

    def _ask_once(self, server: Server, body: bytes) -> bytes:
        try:
            reply: Reply = server.invoke(body, dict(self._plan.headers), self._plan.timeout)
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
