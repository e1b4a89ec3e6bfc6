"""The environment variables of a job or a model server, built from nothing."""

import os
from collections.abc import Mapping
from pathlib import Path

from localcloud.jobs import private_python
from localcloud.jobs.images import Runner
from localcloud.jobs.sandbox import HOME


def slots() -> int:
    """How many job processes run at once: $LOCALCLOUD_JOB_SLOTS, else the number of cores."""
    return int(os.environ.get("LOCALCLOUD_JOB_SLOTS") or len(os.sched_getaffinity(0)))


def stop_grace() -> float:
    """Real seconds between SIGTERM and SIGKILL: $LOCALCLOUD_STOP_GRACE_SECONDS, else 10.

    AWS waits 120 s for a job and 30 s for a model server.
    """
    return float(os.environ.get("LOCALCLOUD_STOP_GRACE_SECONDS") or 10)


def build(
    runner: Runner,
    requested: Mapping[str, str],
    *,
    region: str,
    credentials: Mapping[str, str] | None,
    endpoint_url: str | None,
    facts: Mapping[str, str],
) -> dict[str, str]:
    """Everything the process will see.

    `facts` are the platform's own variables (TRAINING_JOB_NAME...), `requested` the caller's Environment, which
    wins as it does in a container. `credentials` and `endpoint_url` are None under network isolation: AWS gives
    such a container no credentials either.
    """
    environment = base(runner.python) | aws(region, credentials, endpoint_url)
    return environment | dict(facts) | dict(requested)


def base(python: Path) -> dict[str, str]:
    """What every program sees: nothing of the host but its programs.

    ``python3`` on PATH is the job's own when it has one (`private_python`), else ``python``.
    """
    threads = max(1, len(os.sched_getaffinity(0)) // slots())
    return {
        "PATH": f"{private_python.BIN}:{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": HOME,
        "PYTHONUNBUFFERED": "TRUE",  # as in AWS's images: a log line leaves the process when it is printed
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": str(threads),
    }


def aws(region: str, credentials: Mapping[str, str] | None, endpoint_url: str | None) -> dict[str, str]:
    """Where AWS is and who asks; only the region without ``credentials`` and ``endpoint_url``."""
    environment = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true"}
    if credentials is not None and endpoint_url is not None:
        environment |= {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_ENDPOINT_URL": endpoint_url,
        }
    return environment
