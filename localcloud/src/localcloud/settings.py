"""Where localcloud keeps things and what its server process may see of the host.

The server starts Lambda workers, jobs and model servers, and each inherits what the server has. So the
environment is an allow-list: no AWS identity, profile, proxy or secret of the caller gets past it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
#: the root identity of the account; its secret is public on purpose, the server listens on loopback only
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - see above, not a secret
HOST = "127.0.0.1"

#: host variables the server may see: locale and time zone. PATH is rebuilt, HOME and TMPDIR are private.
_FROM_HOST = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
#: localcloud's own switches (LOCALCLOUD_RUNNERS, LOCALCLOUD_SETTLE_MS, ...) are passed through
_OWN_PREFIX = "LOCALCLOUD_"
#: carries the caller's settings of pip to the server, which makes runner environments at first use and sees no others
_PIP_SETTINGS = "LOCALCLOUD_PIP_SETTINGS"
_OF_PIP = ("HOME", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
#: would install somewhere else than into the environment that is being made
_NOT_OF_PIP = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_REQUIRE_HASHES")


@dataclass(frozen=True)
class StateDir:
    """The folder of one localcloud: who runs, where it listens, its log and its private scratch space."""

    root: Path

    @classmethod
    def resolve(cls, given: str | None) -> StateDir:
        """``--state``, else ``$LOCALCLOUD_STATE``, else ``.localcloud/run`` under the working directory."""
        chosen = given or os.environ.get("LOCALCLOUD_STATE") or str(Path.cwd() / ".localcloud" / "run")
        return cls(Path(chosen).resolve())

    @property
    def pid_file(self) -> Path:
        """First line the process id, second line the start time of that process (see ``processes``)."""
        return self.root / "pid"

    @property
    def port_file(self) -> Path:
        """The port of the last start, kept after a stop so that a restart reuses it."""
        return self.root / "port"

    @property
    def log_file(self) -> Path:
        """Everything the server and MiniStack print."""
        return self.root / "server.log"

    @property
    def tmp(self) -> Path:
        """TMPDIR of the server and of everything it starts; removed when it stops."""
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        """HOME of the server and of everything it starts; removed when it stops."""
        return self.root / "home"


def localcloud_home() -> Path:
    """``<repo>/.localcloud``: the folder that holds localcloud's virtual environment and its siblings."""
    return Path(sys.prefix).parent


def runners_dir() -> Path:
    """Where the job runners' interpreters are: ``<dir>/classic/bin/python`` and others."""
    return Path(os.environ.get("LOCALCLOUD_RUNNERS") or localcloud_home() / "runners")


def functions_python() -> Path:
    """The interpreter of python Lambda functions: an environment with boto3 and nothing else.

    Every ``python3.x`` runtime name maps to it, so a function runs on the Python the environment was made of.
    """
    return Path(os.environ.get("LOCALCLOUD_FUNCTIONS_PYTHON") or localcloud_home() / "functions" / "bin" / "python")


def functions_node_modules() -> Path:
    """The AWS SDK for JavaScript of nodejs functions, which AWS's runtimes have built in."""
    return Path(os.environ.get("LOCALCLOUD_NODE_MODULES") or localcloud_home() / "functions" / "node_modules")


def node_binary() -> str:
    """The Node interpreter of nodejs Lambda functions: the product's pinned one when it is there."""
    given = os.environ.get("LOCALCLOUD_NODE")
    if given:
        return given
    pinned = localcloud_home().parent / ".venv" / "bin" / "node"
    return str(pinned) if pinned.exists() else (shutil.which("node") or "node")


def server_environment(state: StateDir, port: int) -> dict[str, str]:
    """The whole environment of the server process: an allow-list, never a copy of the caller's."""
    env = {k: v for k, v in os.environ.items() if k in _FROM_HOST or k.startswith(_OWN_PREFIX)}
    node_dir = Path(node_binary()).parent
    paths = [str(Path(sys.executable).parent)] + ([str(node_dir)] if node_dir.is_absolute() else [])
    env.update(
        PATH=os.pathsep.join([*paths, "/usr/local/bin", "/usr/bin", "/bin"]),
        HOME=str(state.home),
        TMPDIR=str(state.tmp),
        PYTHONUNBUFFERED="1",
        LOG_LEVEL=os.environ.get("LOCALCLOUD_LOG_LEVEL", "INFO"),
        LOCALCLOUD_PIP_SETTINGS=_pip_settings(),
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AUTH="true",
        BIND_HOST=HOST,
        # `localhost` and not the address: virtual-hosted bucket names (<bucket>.localhost) need a name
        MINISTACK_HOST="localhost",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=DEFAULT_REGION,
        GATEWAY_PORT=str(port),
        STATE_DIR=str(state.tmp / "state"),
        LAMBDA_EXECUTOR="local",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # no Docker: a socket that does not exist keeps MiniStack from looking for a daemon
        DOCKER_HOST="unix:///nonexistent",
    )
    return env


def pip_environment() -> dict[str, str]:
    """The whole environment of a pip that makes a runner environment.

    The caller's package index, proxy and certificates count, in the server too; nothing of AWS gets in.
    """
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **json.loads(_pip_settings())}


def _pip_settings() -> str:
    given = os.environ.get(_PIP_SETTINGS)
    if given is not None:
        return given
    return json.dumps(
        {
            name: value
            for name, value in os.environ.items()
            if (name.startswith("PIP_") and name not in _NOT_OF_PIP) or name in _OF_PIP or name.lower() in _PROXIES
        }
    )


def _without_proxy() -> str:
    """The hosts a client reaches without a proxy: this one, and what the caller's NO_PROXY and no_proxy name."""
    given = ",".join(os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy")).split(",")
    names = [name.strip() for name in given if name.strip()]
    # `*` means every host, but to most clients only when it stands alone
    return "*" if "*" in names else ",".join(dict.fromkeys([HOST, "localhost", *names]))


def client_environment(port: int) -> dict[str, str]:
    """What a client (CDK CLI, boto3, AWS SDKs) needs to talk to this localcloud and to nothing else."""
    endpoint = f"http://{HOST}:{port}"
    direct = _without_proxy()
    return {
        "NO_PROXY": direct,
        "no_proxy": direct,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": DEFAULT_REGION,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


#: variables of a caller that would send a call elsewhere or under another identity
CLIENT_UNSET = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDFORMATION",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
)
