"""What a job is told and what it tells back: plain data, no behaviour.

The field names follow CreateTrainingJob and CreateProcessingJob; `kind` says which of the two it is.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

JobKind = Literal["training", "processing"]
JobStatus = Literal["Completed", "Failed", "Stopped", "Interrupted"]


@dataclass(frozen=True)
class InputSpec:
    """One training channel or one processing input."""

    name: str
    s3_uri: str
    """`s3://bucket/prefix`, or one object (then the file lands in `local_path/<object name>`)."""
    data_type: str = "S3Prefix"
    """S3Prefix | ManifestFile."""
    local_path: str = ""
    """Where it appears inside the job: `/opt/ml/processing/...`; for a channel empty or `/opt/ml/input/data/<name>`."""
    content_type: str | None = None
    distribution: str = "FullyReplicated"
    mode: str = "File"
    """File | FastFile (served as File: the directory holds the same files, but cannot be changed)."""


@dataclass(frozen=True)
class OutputSpec:
    """One processing output: a directory that exists before the job starts."""

    name: str
    s3_uri: str
    local_path: str
    upload_mode: str = "EndOfJob"


@dataclass(frozen=True)
class JobSpec:
    """A training or processing job, ready to run."""

    kind: JobKind
    name: str
    arn: str
    region: str
    account: str
    role_arn: str
    image: str
    entrypoint: list[str] | None = None
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    hyperparameters: dict[str, str] = field(default_factory=dict)
    inputs: list[InputSpec] = field(default_factory=list)
    outputs: list[OutputSpec] = field(default_factory=list)
    output_s3: str = ""
    """Training only: S3OutputPath."""
    compress_output: bool = True
    """Training only: one archive each for model and output; False: plain files below `model/` and `output/`."""
    checkpoint: tuple[str, str] | None = None
    """(S3 URI, local path); the local path defaults to /opt/ml/checkpoints when empty."""
    network_isolation: bool = False
    max_runtime_seconds: int = 86400
    """Real seconds of the process (a jump of the virtual clock does not end a job)."""
    max_wait_seconds: float | None = None
    """Spot only: real seconds that are left of MaxWaitTimeInSeconds when it starts."""
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    metric_definitions: list[dict[str, str]] = field(default_factory=list)
    """`[{"Name": ..., "Regex": ...}]`; empty: the image's own (built-in algorithms)."""
    request: dict[str, Any] = field(default_factory=dict)
    """The whole request, for processingjobconfig.json."""


@dataclass
class JobOutcome:
    """How a job ended."""

    status: JobStatus
    failure_reason: str | None = None
    """Starts with `ClientError:`, `AlgorithmError:` or `InternalServerError:`, as on AWS."""
    exit_message: str | None = None
    """Processing only: the first 1,024 bytes of /opt/ml/output/message."""
    artifact_uri: str | None = None
    """Training only: `.../output/model.tar.gz`, or `.../output/model/` when it is not compressed."""
    output_uri: str | None = None
    """Training only: `.../output/output.tar.gz` or `.../output/output/`, when the job wrote to /opt/ml/output/data."""
    metrics: list[tuple[str, float, float]] = field(default_factory=list)
    """(name, value, epoch seconds) in the order logged; the last of a name is its final value."""
    seconds_running: float = 0.0
    """Real seconds from the start of the download to the end of the upload."""
    secondary_status: str = ""
    """Completed | Failed | Stopped | MaxRuntimeExceeded | MaxWaitTimeExceeded | Interrupted (to be run again)."""
    exit_code: int | None = None
    notes: list[str] = field(default_factory=list)
    """What went missing without failing the job, e.g. logs that the role may not write."""
