"""In-process S3 calls, serialised by botocore's own model."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.serialize import create_serializer

from localcloud.adapter.calls import call_raw
from localcloud.adapter.cfn import CfnError
from localcloud.botocore_models import service_model


@cache
def _serializer() -> Any:
    return create_serializer("rest-xml", include_validation=True)


def call(operation: str, **parameters: Any) -> None:
    """Run one S3 operation as the service (``call("PutBucketTagging", Bucket=..., Tagging=...)``).

    Raises CfnError with S3's own message, or botocore's ParamValidationError for a wrong shape.
    """
    request = _serializer().serialize_to_request(parameters, service_model("s3").operation_model(operation))
    path, _, in_path = request["url_path"].partition("?")
    query = dict(parse_qsl(in_path, keep_blank_values=True)) | dict(request["query_string"])
    body = request["body"]
    status, _, reply = call_raw(
        "s3",
        request["method"],
        unquote(path),
        {"host": "s3.localhost", **{k.lower(): str(v) for k, v in dict(request["headers"]).items()}},
        body if isinstance(body, bytes) else str(body or "").encode(),
        {key: [str(value)] for key, value in query.items()},
    )
    if status >= 400:
        text = reply.decode(errors="replace")
        code, message = (re.search(rf"<{tag}>([^<]*)", text) for tag in ("Code", "Message"))
        raise CfnError(
            f"{message.group(1) if message else text} (Service: S3, Status Code: {status}, "
            f"Error Code: {code.group(1) if code else 'unknown'})"
        )
