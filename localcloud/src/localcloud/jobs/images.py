"""Which local runner stands in for a container image, and whether a role may pull the image.

AWS's own images live in registry accounts that differ by region, so an image is known by its repository name:
`<12 digits>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`.
"""

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.jobs import builtin_metrics
from localcloud.jobs.platform import Platform, server

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))?"
)
#: repository -> (runner, folder of its programs; None: the image has no program of its own)
_REPOSITORIES: dict[str, tuple[str, str | None]] = {
    "sagemaker-xgboost": ("xgboost", "xgboost"),
    "linear-learner": ("linear-learner", "linear_learner"),
    "sagemaker-scikit-learn": ("scikit-learn", None),
}
#: Linear Learner exits with 2 when the caller is at fault; the job then fails with ClientError, not AlgorithmError
_CUSTOMER_ERROR = {"linear-learner": 2}


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
    """None: the image has no server of its own here."""
    metric_definitions: list[dict[str, str]] = field(default_factory=list)
    """The service's own `[{"Name", "Regex"}]` of a built-in algorithm."""
    customer_error_exit_code: int | None = None
    """The exit code by which a built-in algorithm says that its input is wrong."""

    @property
    def visible(self) -> list[Path]:
        """Directories that the program is made of."""
        interpreter = self.python.resolve()
        return [self.python.parent.parent.resolve(), interpreter.parent.parent, programs_dir()]


def programs_dir() -> Path:
    """The runner programs: `localcloud/runners` of the checkout."""
    return Path(__file__).resolve().parents[3] / "runners"


def interpreters_dir() -> Path:
    """The runners' interpreters: $LOCALCLOUD_RUNNERS, else `runners` beside this virtual environment."""
    return Path(os.environ.get("LOCALCLOUD_RUNNERS") or Path(sys.prefix).parent / "runners").resolve()


def known_patterns() -> list[str]:
    """The image patterns that have a runner."""
    return [f"<account>.dkr.ecr.<region>.amazonaws.com/{name}:*" for name in _REPOSITORIES]


def _parse(image_uri: str) -> re.Match[str]:
    match = _ECR.fullmatch(image_uri)
    if match is None or match["repository"] not in _REPOSITORIES:
        raise UnknownImage(f"localcloud has no runner for the image {image_uri}. Known: {', '.join(known_patterns())}.")
    return match


def resolve(image_uri: str) -> Runner:
    """The runner of an image URI. Raises UnknownImage, also when the runner's interpreter is not installed."""
    name, folder = _REPOSITORIES[_parse(image_uri)["repository"]]
    python = interpreters_dir() / "classic" / "bin" / "python"
    if not python.exists():
        raise UnknownImage(f"The runner for {image_uri} is not installed: {python} is missing.")
    programs = programs_dir() / folder if folder else None
    return Runner(
        name=name,
        python=python,
        train_command=[str(python), "-u", str(programs / "train.py")] if programs else None,
        serve_command=[str(python), "-u", str(programs / "serve.py")] if programs else None,
        metric_definitions=builtin_metrics.DEFINITIONS.get(name, []),
        customer_error_exit_code=_CUSTOMER_ERROR.get(name),
    )


def check_pull(image_uri: str, role_arn: str, platform: Platform | None = None) -> None:
    """Check ecr:BatchGetImage on the image's repository under the role.

    Raises ImagePullDenied (the first sentence is AWS's, the second says which permission is missing),
    UnknownImage, platform.RoleUnusable.
    """
    image = _parse(image_uri)
    repository = f"arn:aws:ecr:{image['region']}:{image['account']}:repository/{image['repository']}"
    message = (platform or server()).denied(role_arn, image["region"], "ecr:BatchGetImage", repository)
    if message is not None:
        raise ImagePullDenied(
            "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect. "
            f"{message}"
        )
