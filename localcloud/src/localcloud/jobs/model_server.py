"""A model server: the `serve` program of an image, one process per production variant."""

from dataclasses import dataclass, field


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


class ServerFailed(Exception):
    """The server did not come up; the text is what FailureReason of the endpoint should say."""


class ServerUnreachable(Exception):
    """An invocation got no answer (the server died or the 60 s limit passed)."""


class ModelServer:
    """Start, invoke (from any thread) and stop one serving process."""

    def __init__(self, spec: ServerSpec) -> None:
        self.spec = spec

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        raise NotImplementedError

    def start(self) -> None:
        """Download and unpack the model, launch, wait until /ping answers 200. Raises ServerFailed."""
        raise NotImplementedError

    def invoke(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """POST /invocations. Header names as sent; the reply's are lower case. Raises ServerUnreachable."""
        raise NotImplementedError

    def stop(self) -> None:
        """SIGTERM, grace, SIGKILL; removes the work directory. Safe to call twice."""
        raise NotImplementedError
