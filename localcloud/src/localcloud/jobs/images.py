"""Which local runner stands in for a container image."""

from dataclasses import dataclass, field
from pathlib import Path


class UnknownImage(Exception):
    """No runner for this image; the text names the image and the patterns that are known."""


class ImagePullDenied(Exception):
    """The role may not pull the image; the text is AWS's failure reason."""


@dataclass(frozen=True)
class Runner:
    """A local program that behaves as a container image does."""

    name: str
    """xgboost | linear-learner | scikit-learn."""
    python: Path
    """The interpreter that `python3` resolves to inside the job."""
    train_command: list[str] | None
    """None: the image has no training program of its own, ContainerEntrypoint is required."""
    serve_command: list[str] | None
    metric_definitions: list[dict[str, str]] = field(default_factory=list)
    """The service's own `[{"Name", "Regex"}]` of a built-in algorithm."""


def resolve(image_uri: str) -> Runner:
    """The runner of an image URI. Raises UnknownImage."""
    raise NotImplementedError


def check_pull(image_uri: str, role_arn: str) -> None:
    """Check ecr:BatchGetImage on the image's repository under the role. Raises ImagePullDenied."""
    raise NotImplementedError
