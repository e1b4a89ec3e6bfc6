"""An endpoint whose requests are kept: where they are kept, and where the true labels of them belong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from operations.errors import OperationError
from operations.life import life_of
from operations.served import ServedWorkload
from operations.stacks import environment_stacks, with_pipeline
from operations.target import Target
from operations.traffic.samples import Split
from operations.words import duration


@dataclass(frozen=True)
class Watched:
    """The endpoint of a deployed workload; find it with ``find``.

    ``capture`` is the folder in S3 that its requests and answers are kept in, None when none are, ``percent`` how many
    of them. ``truth`` is the folder that true labels are delivered to, ``pipeline`` whether a pipeline has deployed it.
    """

    environment: str
    served: ServedWorkload
    capture: str | None
    percent: int
    pipeline: bool

    @classmethod
    def find(cls, target: Target, environment: str, workload: str) -> Watched:
        """Return it. Raises OperationError when it is not deployed, or answers nobody who waits for it."""
        served = ServedWorkload.find(target, environment, workload)
        described = target.client("sagemaker").describe_endpoint(EndpointName=served.endpoint)
        kept = described.get("DataCaptureConfig") or {}
        on = kept.get("EnableCapture", False) and kept.get("CaptureStatus") != "Stopped"
        return cls(
            environment=environment,
            served=served,
            capture=f"{kept['DestinationS3Uri'].rstrip('/')}/{served.endpoint}" if on else None,
            percent=int(kept["CurrentSamplingPercentage"]) if on else 0,
            pipeline=workload in with_pipeline(environment_stacks(target, environment), environment),
        )

    @property
    def target(self) -> Target:
        """Where it is."""
        return self.served.target

    @property
    def workload(self) -> str:
        """What it serves."""
        return self.served.workload

    @cached_property
    def split(self) -> Split:
        """The rows that are sent. Raises EvaluationError when they cannot be read."""
        return Split.of(self.served.test.rows)

    @property
    def kept(self) -> str:
        """The folder of what is kept. Raises OperationError when nothing is."""
        if self.capture is None:
            raise OperationError(
                f"The endpoint {self.served.endpoint} keeps no requests, so nothing can be said of them. Deploy "
                f"it with `workloads: {{{self.workload}: {{endpoint: {{capture_percent: 100}}}}}}`."
            )
        return self.capture

    @property
    def truth(self) -> str:
        """The folder of true labels: in the bucket of reports where a pipeline deploys, else in that of data.

        Raises OperationError when no requests are kept that they could be true of.
        """
        kept = self.kept
        if self.pipeline:
            return f"s3://{urlsplit(kept).netloc}/monitoring/{self.workload}/ground-truth"
        return f"s3://{urlsplit(self.served.dataset_uri).netloc}/{self.workload}/ground-truth"

    def outlives(self, seconds: float) -> None:
        """Raise OperationError when the environment destroys itself before so many seconds are over."""
        life = life_of(self.target, environment_stacks(self.target, self.environment))
        if life and (life.expiry - life.now).total_seconds() < seconds:
            raise OperationError(
                f"Environment {self.environment} {life.words()}, which is before {duration(seconds)} are over. Extend "
                f"it first: sandcastle extend 1d --environment {self.environment}"
            )
