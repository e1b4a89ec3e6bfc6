"""Where a command works: localcloud on this machine, or an AWS account.

The two never mix. For the local target every AWS setting of the caller's shell is removed before anything
talks to anything, so that work meant for the laptop cannot reach an account; for AWS an endpoint that
leads back to localcloud is refused.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.request
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

from operations.errors import OperationError, UsageError
from operations.patience import Traffic, be_patient
from operations.project import BIN, LOCALCLOUD, ROOT

Name = Literal["local", "aws"]


class NotRunningError(OperationError):
    """localcloud does not run, so nothing can be deployed in it."""


_FOREIGN_PREFIXES = ("AWS_", "CDK_DEFAULT_", "BOTO_", "SAGEMAKER_")
"""Every setting that could lead the CLI, an SDK or a function to somebody's account."""

_LOCAL_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # a proxy of the caller must not see, or swallow, what is meant for this machine
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


TOOLS = {
    "CDK_HOME": str(ROOT / ".cdk.out" / "home"),
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".venv" / "jsii-cache"),
}
"""Where the CDK keeps what it caches: in this folder, not in the user's home."""


@dataclass(frozen=True)
class Target:
    """One place to work in: its name, account id, region, and the variables that lead a program there."""

    name: Name
    account: str
    region: str
    settings: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()
    """What this target cannot do here, in words for a person."""

    traffic: Traffic = field(default_factory=Traffic, repr=False, compare=False)
    """What its clients have asked, in all regions."""
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def pace(self) -> float:
        """By what to multiply pauses and deadlines that are meant for AWS: localcloud is never busy with others."""
        return 0.05 if self.name == "local" else 1.0

    def now(self) -> datetime:
        """Return the time there: localcloud has its own, which runs ahead while it waits for something."""
        if self.name == "aws":
            return datetime.now(UTC)
        with urllib.request.urlopen(f"{self.settings['AWS_ENDPOINT_URL']}/_localcloud/clock", timeout=30) as reply:
            return datetime.fromtimestamp(json.load(reply)["now"], UTC)

    def client(self, service: str) -> Any:
        """Return the boto3 client of the service, always the same one; any thread may use it.

        Retries are boto3's standard mode, and a throttled call is repeated for minutes (``operations.patience``).
        """
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            return self._clients[service]

    def _client(self, service: str) -> Any:
        import boto3  # slow to import: not before a command really talks to AWS
        from botocore.config import Config

        client = boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.settings.get("AWS_ENDPOINT_URL"),
            config=Config(retries={"mode": "standard", "max_attempts": 6}, max_pool_connections=20),
        )
        be_patient(client, self.pace)
        self.traffic.count(client)
        return client

    def environ(self) -> dict[str, str]:
        """Return the variables for a program that works in this target, with the pinned tools first on PATH."""
        base = without_aws(os.environ) if self.name == "local" else dict(os.environ)
        path = os.pathsep.join([str(BIN), str(ROOT / "node_modules" / ".bin"), base.get("PATH", "")])
        return {**base, **TOOLS, **self.settings, "PATH": path}


def without_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without any that concerns AWS."""
    return {key: value for key, value in environ.items() if not key.startswith(_FOREIGN_PREFIXES)}


def is_loopback(url: str) -> bool:
    """Say whether the URL leads to this machine and nowhere else."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def local(region: str, *, start: bool, environ: MutableMapping[str, str] | None = None) -> Target:
    """Return the target on this machine, and clean this very process of the caller's AWS settings.

    Raises OperationError when localcloud is not installed, does not start, or does not run and ``start`` is false.
    """
    environ = os.environ if environ is None else environ
    for key in [key for key in environ if key.startswith(_FOREIGN_PREFIXES)]:
        del environ[key]
    running = localcloud("start" if start else "status")
    endpoint = running.get("endpoint")
    if not endpoint:
        raise NotRunningError("localcloud does not run, so nothing is deployed in it. Start it with: make deploy")
    if not is_loopback(endpoint):
        raise OperationError(f"localcloud says it listens on {endpoint}, which is not this machine; refused.")
    settings = {
        **_LOCAL_SETTINGS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "CDK_DEFAULT_REGION": region,
        "CDK_DEFAULT_ACCOUNT": "000000000000",
    }
    environ.update(settings)
    lost = running.get("sandbox", {}).get("lost", ())
    return Target("local", "000000000000", region, settings, tuple(f"localcloud runs without: {text}" for text in lost))


def aws(region: str | None) -> Target:
    """Return the AWS account that the caller's credentials belong to.

    Raises UsageError when the settings lead to this machine, OperationError when there are no credentials.
    """
    for key, value in os.environ.items():
        if key.startswith("AWS_ENDPOINT_URL") and value:
            raise UsageError(
                f"{key} is set to {value}, so --target aws would not reach AWS. "
                "Unset it (and the test credentials of localcloud) in this shell, or leave --target aws out."
            )
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.Session(region_name=region)
    except BotoCoreError as error:
        raise OperationError(f"The AWS settings of this shell are wrong: {error}") from error
    if not session.region_name:
        raise UsageError("No region: set `region` in the environment file, or AWS_REGION in the shell.")
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise OperationError(f"AWS does not accept the credentials of this shell: {error}") from error
    where = dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION", "CDK_DEFAULT_REGION"), session.region_name)
    return Target("aws", account, session.region_name, {**where, "CDK_DEFAULT_ACCOUNT": account})


def localcloud(*arguments: str) -> dict[str, Any]:
    """Run a command of localcloud and return the JSON document that it prints.

    Raises OperationError with what it printed when it fails.
    """
    if not LOCALCLOUD.exists():
        raise OperationError("localcloud is not installed yet. Run: make install")
    environ = without_aws(os.environ)
    run = subprocess.run(
        [str(LOCALCLOUD), *arguments, "--json"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and arguments[:1] != ("status",):
        raise OperationError(f"localcloud {arguments[0]} failed:\n{run.stderr or run.stdout}")
    document: dict[str, Any] = json.loads(run.stdout) if run.stdout.strip() else {}
    return document
