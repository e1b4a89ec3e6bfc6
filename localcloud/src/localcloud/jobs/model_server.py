"""A model server: the `serve` program of an image, one process per production variant.

Contract: developer guide, your-algorithms-inference-code: GET /ping answers 200 within 2 s and turns healthy
within 4 minutes, POST /invocations answers within 60 s, the end is SIGTERM, 30 s, SIGKILL. The model is read-only
at /opt/ml/model. With network isolation the server has a loopback of its own; requests reach it through sockets
that its supervisor opens inside and passes out (no relay, so no latency).
"""

import http.client
import json
import logging
import secrets
import socket
import tarfile
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from localcloud.jobs import environment, images, private_python, runner_environments, sandbox
from localcloud.jobs.aws import RoleClients
from localcloud.jobs.connections import ConnectionPool
from localcloud.jobs.log_shipper import LogShipper
from localcloud.jobs.output import OutputReader
from localcloud.jobs.platform import Platform, RoleUnusable, server
from localcloud.jobs.transfer import S3Uri, Transfer, TransferFailed

logger = logging.getLogger("localcloud.jobs.model_server")

PING_LIMIT, HEALTHY_LIMIT, INVOKE_LIMIT = 2.0, 240.0, 60.0
_PORT = 8080
#: seconds between two looks at what the server prints
_LOG_PAUSE = 0.02
#: longest FailureReason of an endpoint, characters (API reference)
_REASON_LENGTH = 1024


@dataclass(frozen=True)
class ServerSpec:
    """One production variant's container."""

    endpoint: str
    variant: str
    image: str
    model_data_url: str | None
    environment: dict[str, str] = field(default_factory=dict)
    role_arn: str = ""
    network_isolation: bool = False
    region: str = "us-east-1"
    account: str = "000000000000"
    log_group: str | None = None
    """None: the endpoint's own."""


class ServerFailed(Exception):
    """The server did not come up; the text is what FailureReason of the endpoint should say."""


class ServerUnreachable(Exception):
    """An invocation got no answer (the server died or the 60 s limit passed)."""


class ModelServer:
    """Start, invoke (from any thread) and stop one serving process."""

    def __init__(
        self, spec: ServerSpec, platform: Platform | None = None, healthy_limit: float = HEALTHY_LIMIT
    ) -> None:
        """`healthy_limit`: real seconds until /ping must have answered 200."""
        self.spec = spec
        self._platform = platform
        self._healthy_limit = healthy_limit
        self._directory: sandbox.JobDirectory | None = None
        self._process: sandbox.SandboxedProcess | None = None
        self._reader: OutputReader | None = None
        self._pool: ConnectionPool | None = None
        self._shipper: LogShipper | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self._process is not None and self._process.running

    @property
    def notes(self) -> list[str]:
        """What went missing without failing the endpoint: logs that the role may not write."""
        return [f"logs: {self._shipper.denied}"] if self._shipper and self._shipper.denied else []

    def start(self) -> None:
        """Download and unpack the model, launch, wait until /ping answers 200. Raises ServerFailed."""
        try:
            self._launch()
            self._wait_until_healthy()
        except (RoleUnusable, images.UnknownImage, images.ImagePullDenied, sandbox.SandboxError) as error:
            self.stop()
            raise ServerFailed(str(error)) from error
        except runner_environments.RunnerUnavailable as error:
            self.stop()
            raise ServerFailed(f"[localcloud] {error}"[:_REASON_LENGTH]) from error
        except BaseException:
            self.stop()
            raise

    def invoke(
        self, body: bytes, headers: dict[str, str], limit: float = INVOKE_LIMIT
    ) -> tuple[int, dict[str, str], bytes]:
        """POST /invocations. Header names as sent; the reply's are lower case. Raises ServerUnreachable.

        `limit`: real seconds that the answer may take.
        """
        pool = self._pool
        if pool is None:
            raise ServerUnreachable("the model server is not running")
        try:
            return pool.request("POST", "/invocations", body, headers, limit)
        except TimeoutError as error:
            raise ServerUnreachable(
                f"Your invocation timed out while waiting for a response from container {self.spec.variant}."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(f"the model server did not answer: {error or type(error).__name__}") from error

    def execution_parameters(self) -> dict[str, Any]:
        """GET /execution-parameters, which a server need not know: how it wishes to get a batch."""
        pool = self._pool
        try:
            status, _, body = (
                pool.request("GET", "/execution-parameters", None, {}, PING_LIMIT) if pool else (0, {}, b"")
            )
            found = json.loads(body) if status == http.client.OK else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            logger.debug("%s has no execution parameters: %s", self.spec.variant, error)
            return {}
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        """SIGTERM, grace, SIGKILL; removes the work directory. Safe to call twice and from any thread."""
        self._stopping.set()
        with self._lock:
            process, self._process = self._process, None
            reader, self._reader = self._reader, None
            pool, self._pool = self._pool, None
            directory, self._directory = self._directory, None
        if process is not None:
            process.stop(environment.stop_grace())
            if reader is not None:
                reader.finish()
            process.close()
        if pool is not None:
            pool.close()
        if directory is not None:
            directory.remove()

    def _launch(self) -> None:
        spec, platform = self.spec, self._platform or server()
        runner = images.resolve(spec.image)
        if runner.serve_command is None:
            raise ServerFailed(f"The image {spec.image} has no model server of its own here.")
        credentials = platform.role_credentials(spec.role_arn)
        images.check_pull(spec.image, spec.role_arn, platform)
        told: list[str] = []
        runner_environments.ensure(runner.environment, lambda line: self._say(line, told), self._stopping.is_set)
        clients = RoleClients(credentials, spec.region, platform.endpoint_url())
        directory = self._directory = sandbox.JobDirectory.create(f"{spec.endpoint}-{spec.variant}")
        private_python.create(directory, runner.python)
        (directory.ml / "model").mkdir()
        if spec.model_data_url:
            self._unpack(Transfer(clients, spec.role_arn), spec.model_data_url, directory)
        isolated = spec.network_isolation and sandbox.capabilities().network_isolation
        port = _PORT if isolated else _free_port()
        program = sandbox.Program(
            runner.serve_command,
            environment.build(
                runner,
                spec.environment,
                region=spec.region,
                credentials=None if spec.network_isolation else credentials,
                endpoint_url=None if spec.network_isolation else platform.endpoint_url(),
                facts={"SAGEMAKER_BIND_TO_PORT": str(port)},
            ),
            visible=runner.visible,
            read_only=[f"{sandbox.BASE}/model"],
            network_isolation=spec.network_isolation,
        )
        process = self._process = sandbox.start(directory, program)
        stream = f"{spec.variant}/i-{secrets.token_hex(9)[:17]}"
        group = spec.log_group or f"/aws/sagemaker/Endpoints/{spec.endpoint}"
        self._shipper = LogShipper(clients.logs, group, stream, platform.now)
        for line in told:
            self._shipper.write(line)
        self._reader = OutputReader(process.output, self._shipper, None, platform.now, _LOG_PAUSE)
        self._pool = ConnectionPool(lambda: process.connect(port))

    def _say(self, line: str, told: list[str]) -> None:
        logger.info("endpoint %s: %s", self.spec.endpoint, line)
        told.append(f"[localcloud] {line}")

    def _unpack(self, transfer: Transfer, url: str, directory: sandbox.JobDirectory) -> None:
        """model.tar.gz, or the files below a prefix, to /opt/ml/model. Raises ServerFailed with AWS's texts."""
        archive = directory.root / "model.tar.gz"
        try:
            if url.endswith("/"):  # files that are not packed
                transfer.download_prefix(url, directory.ml / "model")
                return
            transfer.download(S3Uri.parse(url), archive)
        except TransferFailed as error:
            raise ServerFailed(
                f'Could not access model data at {url}. Please ensure that the role "{self.spec.role_arn}" exists '
                f'and that its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                f'"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
                f"object is located in {self.spec.region}. {error}"
            ) from error
        try:
            with tarfile.open(archive, "r:gz") as members:
                members.extractall(directory.ml / "model", filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ServerFailed(
                f'Failed to extract model data archive from URL "{url}". Please ensure that the object located at '
                f"the URL is a valid tar.gz archive. {error}"
            ) from error
        archive.unlink()

    def _wait_until_healthy(self) -> None:
        process, pool = self._process, self._pool
        if process is None or pool is None:  # stopped from another thread while starting
            raise ServerFailed("the model server was stopped while it started")
        deadline = time.monotonic() + self._healthy_limit
        pause = 0.02
        while time.monotonic() < deadline:
            try:
                if pool.request("GET", "/ping", None, {}, PING_LIMIT)[0] == http.client.OK:
                    return
            except (OSError, http.client.HTTPException) as error:
                logger.debug("%s is not healthy yet: %s", self.spec.variant, error)
            if not process.running:
                raise ServerFailed(self._unhealthy(f" The server ended with exit code {process.wait()}."))
            time.sleep(pause)
            pause = min(pause * 1.3, 0.5)
        raise ServerFailed(self._unhealthy(""))

    def _unhealthy(self, why: str) -> str:
        reader = self._reader
        if reader is not None and why:
            reader.finish()
        tail = reader.tail(5) if reader is not None else ""
        text = (
            f"The primary container for production variant {self.spec.variant} did not pass the ping health check. "
            f"Please check CloudWatch logs for this endpoint.{why}" + (f" Last log lines: {tail}" if tail else "")
        )
        return text[:_REASON_LENGTH]


def _free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
