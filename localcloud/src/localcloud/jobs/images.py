"""Which local runner stands in for a container image, and whether a role may pull the image.

AWS's own images live in registry accounts that differ by region, so an image is known by its repository name:
`<12 digits>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from localcloud.jobs import builtin_metrics
from localcloud.jobs.platform import Platform, server
from localcloud.jobs.runner_environments import ENVIRONMENTS, programs_dir

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class _Image:
    """What stands in for a repository."""

    runner: str
    environment: str
    """Whose libraries it has: a key of `runner_environments.ENVIRONMENTS`."""
    folder: str
    """Where its programs are, below `localcloud/runners`."""
    train: bool = True
    serve: bool = True
    """Whether the image has a program for it; a framework comes as one image for each."""
    process: str | None = None
    """The program that a processing job without ContainerEntrypoint runs."""
    framework: bool = False
    """The customer's script runs, by the job's own `python`: what it installs is the job's."""
    customer_error: int | None = None
    """The exit code by which a built-in algorithm says that its input is wrong: ClientError, not AlgorithmError."""


_REPOSITORIES = {
    "sagemaker-xgboost": _Image("xgboost", "classic", "xgboost"),
    "linear-learner": _Image("linear-learner", "classic", "linear_learner", customer_error=2),
    "kmeans": _Image("kmeans", "classic", "kmeans", customer_error=2),
    "sagemaker-scikit-learn": _Image("scikit-learn", "classic", "framework", framework=True),
    "pytorch-training": _Image("pytorch", "pytorch", "framework", serve=False, framework=True),
    "pytorch-inference": _Image("pytorch", "pytorch", "framework", train=False, framework=True),
    "sagemaker-model-monitor-analyzer": _Image(
        "model-monitor", "classic", "monitor", train=False, serve=False, process="analyzer.py"
    ),
    "sagemaker-model-monitor-groundtruth-merger": _Image(
        "groundtruth-merger", "classic", "monitor", train=False, serve=False, process="merger.py"
    ),
}


class UnknownImage(Exception):
    """No runner for this image; the text names the image and the patterns that are known."""


class ImagePullDenied(Exception):
    """The role may not pull the image; the text is AWS's failure reason."""


@dataclass(frozen=True)
class Runner:
    """A local program that behaves as a container image does."""

    name: str
    """xgboost | linear-learner | kmeans | scikit-learn | pytorch | model-monitor | groundtruth-merger."""
    environment: str
    """The virtual environment it needs, which may have to be made first (`runner_environments.ensure`)."""
    python: Path
    """The interpreter of that environment."""
    train_command: list[str] | None
    """None: the image has no training program of its own, ContainerEntrypoint is required."""
    serve_command: list[str] | None
    """None: the image has no server of its own."""
    process_command: list[str] | None = None
    """What a processing job runs without ContainerEntrypoint; None: nothing."""
    metric_definitions: list[dict[str, str]] = field(default_factory=list)
    """The service's own `[{"Name", "Regex"}]` of a built-in algorithm."""
    customer_error_exit_code: int | None = None
    """The exit code by which a built-in algorithm says that its input is wrong."""

    @property
    def visible(self) -> list[Path]:
        """Directories that the program is made of."""
        interpreter = self.python.resolve()
        return [self.python.parent.parent.resolve(), interpreter.parent.parent, programs_dir()]


def known_patterns() -> list[str]:
    """The image patterns that have a runner."""
    return [f"<account>.dkr.ecr.<region>.amazonaws.com/{name}:*" for name in _REPOSITORIES]


def repositories(environment: str) -> list[str]:
    """The repositories whose runner needs this environment."""
    return [name for name, image in _REPOSITORIES.items() if image.environment == environment]


def _parse(image_uri: str) -> re.Match[str]:
    match = _ECR.fullmatch(image_uri)
    if match is None or match["repository"] not in _REPOSITORIES:
        raise UnknownImage(f"localcloud has no runner for the image {image_uri}. Known: {', '.join(known_patterns())}.")
    return match


def resolve(image_uri: str) -> Runner:
    """The runner of an image URI. Raises UnknownImage."""
    image = _REPOSITORIES[_parse(image_uri)["repository"]]
    python = ENVIRONMENTS[image.environment].python
    start = ["python" if image.framework else str(python), "-u"]
    programs = programs_dir() / image.folder
    return Runner(
        name=image.runner,
        environment=image.environment,
        python=python,
        train_command=[*start, str(programs / "train.py")] if image.train else None,
        serve_command=[*start, str(programs / "serve.py")] if image.serve else None,
        process_command=[*start, str(programs / image.process)] if image.process else None,
        metric_definitions=builtin_metrics.DEFINITIONS.get(image.runner, []),
        customer_error_exit_code=image.customer_error,
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
