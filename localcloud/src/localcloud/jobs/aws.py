"""AWS clients that act as a job's role, over HTTP like any other caller."""

from collections.abc import Mapping

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.botocore_models import loader

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"max_attempts": 3, "mode": "standard"},
    s3={"addressing_style": "path"},
    # checksums are optional in S3; the loopback does not need them
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
#: codes by which AWS services refuse a caller
_DENIALS = {"AccessDenied", "AccessDeniedException", "403", "AllAccessDisabled"}


class RoleClients:
    """Clients of one role in one region. Clients are thread safe; making them is not, so all are made here."""

    def __init__(self, credentials: Mapping[str, str], region: str, endpoint_url: str) -> None:
        core = botocore.session.Session()
        core.register_component("data_loader", loader())
        session = boto3.session.Session(
            botocore_session=core,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=region,
        )
        self.s3, self.logs, self.cloudwatch = (
            session.client(name, endpoint_url=endpoint_url, config=_CONFIG) for name in ("s3", "logs", "cloudwatch")
        )
        self.region = region


def code_of(error: ClientError) -> str:
    """`AccessDenied`, `NoSuchBucket`, `404`..."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: ClientError) -> str:
    """`<code>: <message>` as the service's failure reasons quote it."""
    return f"{code_of(error)}: {error.response.get('Error', {}).get('Message', '')}"


def is_denial(error: ClientError) -> bool:
    """Whether the service refused for lack of permission."""
    return code_of(error) in _DENIALS
