"""The usual signature of a request, Signature Version 4 in the Authorization header of a session, checked in one pass.

MiniStack's check knows every kind of signature and takes longer than a small model takes to predict. Here only what it
would accept is accepted: a request is found to be right, or MiniStack is asked, which then says what is wrong with it.
Each request's own signature is computed from the secret. AWS: IAM user guide, "Create a signed AWS API request".

On a busy machine little of this is in the processor's caches when a request comes, and what is not costs ten times as
much: hash objects are copied, because OpenSSL walks through much of itself to make one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from ministack.core import sigv4

_USUAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(ASIA\w+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request, "
    r"SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*), Signature=([0-9a-f]{64})",
    re.ASCII,
)
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
#: seconds between a request's date and now; services that allow more are left to MiniStack
_SKEW = 300


class Signed(NamedTuple):
    """What an Authorization header says."""

    #: of a session: other keys do not start like it
    key: str
    day: str
    region: str
    service: str
    #: names of the signed headers, joined by semicolons
    names: str
    signature: str


def usual(headers: Mapping[str, str]) -> Signed | None:
    """What the usual Authorization header says; None for every other (header names in lower case)."""
    found = _USUAL.fullmatch(headers.get("authorization", ""))
    return Signed(*found.groups()) if found else None


def holds(
    signed: Signed, session: Mapping[str, Any], method: str, path: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Whether a request without a query string is signed with this session's secret, now, and carries its token.

    ``session`` is STS's record of ``signed.key``. False also says that MiniStack has to decide.
    """
    now = time.time()
    date = headers.get("x-amz-date", "")
    sent = _moment(date)
    if sent is None or abs(now - sent) > _SKEW or not date.startswith(signed.day):
        return False
    ends = session.get("Expiration")
    if isinstance(ends, int | float) and now > ends:
        return False
    secret, token = session.get("SecretAccessKey"), session.get("SessionToken")
    if not secret or not token or not hmac.compare_digest(token, headers.get("x-amz-security-token", "")):
        return False
    content = _sha256(body)
    if headers.get("x-amz-content-sha256", content) != content:
        return False
    values = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed.names.split(";")]
    request = "\n".join([method, _canonical(path), "", *values, "", signed.names, content])
    scope = f"{signed.day}/{signed.region}/{signed.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{_sha256(request.encode())}"
    mac = _keyed(secret, signed.day, signed.region, signed.service).copy()
    mac.update(text.encode())
    return hmac.compare_digest(mac.hexdigest(), signed.signature)


_NOTHING = hashlib.sha256()


def _sha256(data: bytes) -> str:
    made = _NOTHING.copy()
    made.update(data)
    return made.hexdigest()


@lru_cache(256)
def _keyed(secret: str, day: str, region: str, service: str) -> hmac.HMAC:
    """What makes the signatures of a secret for a day, region and service; to be copied."""
    return hmac.new(sigv4.derive_signing_key(secret, day, region, service), digestmod=hashlib.sha256)


@lru_cache(1024)
def _canonical(path: str) -> str:
    """The path as it is signed; a pure function, of the few paths that there are."""
    return str(sigv4.uri_encode(sigv4._remove_dot_segments(path), encode_slash=False))


@lru_cache(16)
def _moment(date: str) -> float | None:
    """Epoch seconds of a date header; None when it is none. Whoever asks now sends one of the last seconds."""
    if not _DATE.fullmatch(date):
        return None
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
