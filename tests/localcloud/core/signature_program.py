"""Signed requests, whole and changed in one way each: who accepts them, the quick check and MiniStack's.

Run by localcloud's interpreter. Prints ``{what was changed: [accepted by the quick check, accepted by MiniStack]}``,
counted over ``ROUNDS`` requests of random paths, headers and bodies.
"""

from __future__ import annotations

import json
import os
import random
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROUNDS = 40
KEY, OTHER = "ASIAEXAMPLE", "other"
SECRET, TOKEN = "a/key", "a+token/of=a-session"
SOURCE = random.Random(11)  # noqa: S311  # seeded, so that a run can be repeated

#: a request as (method, path, headers in lower case, body)
Sent = tuple[str, str, dict[str, str], bytes]


def session(**changed: Any) -> dict[str, Any]:
    """STS's record of a session of a role."""
    arn = "arn:aws:sts::000000000000:assumed-role/caller/session"
    kept = {"Arn": arn, "AccountId": "000000000000", "SecretAccessKey": SECRET, "SessionToken": TOKEN}
    return {**kept, "UserId": "AROA:session", "Expiration": time.time() + 60, **changed}


def request(key: str = KEY, secret: str = SECRET, token: str | None = TOKEN, service: str = "sagemaker") -> Sent:
    """A request as botocore signs it."""
    name = "".join(SOURCE.choices(string.ascii_letters + "-._~:+%=@ ", k=9))
    path = f"/endpoints/{name}/invocations".replace(" ", "%20").replace("%%", "%")
    headers = {"Content-Type": SOURCE.choice(["text/csv", "a  b   c"]), f"X-{SOURCE.randrange(9)}": " v  w "}
    body = SOURCE.randbytes(SOURCE.randrange(3000))
    made = AWSRequest("POST", f"http://127.0.0.1:4566{path}", headers, body)
    SigV4Auth(Credentials(key, secret, token), service, "us-east-1").add_auth(made)
    sent = {name.lower(): " ".join(value.split()) for name, value in made.headers.items()}
    return "POST", path, {"host": "127.0.0.1:4566", "content-length": str(len(body)), **sent}, body


def at(shift: float) -> Callable[[], Sent]:
    """A request signed so many seconds from now."""

    def made() -> Sent:
        with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(time.time() + shift, UTC)):
            return request()

    return made


def edited(change: Callable[[Sent], Sent]) -> Callable[[], Sent]:
    """A request that was changed after it had been signed."""
    return lambda: change(request())


def header(name: str, edit: Callable[[str], str]) -> Callable[[], Sent]:
    """A request with one header changed after it had been signed."""
    return edited(lambda sent: (*sent[:2], {**sent[2], name: edit(sent[2].get(name, ""))}, sent[3]))


def without(name: str) -> Callable[[], Sent]:
    """A request that lost a header."""
    return edited(lambda sent: (*sent[:2], {key: value for key, value in sent[2].items() if key != name}, sent[3]))


def swapped(text: str) -> str:
    """The last hexadecimal digit is another one."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


WAYS: dict[str, Callable[[], Sent]] = {
    "nothing": request,
    "signed 4 minutes ago": at(-240),
    "signed for 4 minutes from now": at(240),
    "signed 6 minutes ago": at(-360),
    "signed for 6 minutes from now": at(360),
    "signed yesterday": at(-86_400),
    "another secret": lambda: request(secret=OTHER),
    "an unknown key": lambda: request(key="ASIANOBODY"),
    "no token": lambda: request(token=None),
    "another token": lambda: request(token=OTHER),
    "the token after signing": header("x-amz-security-token", lambda text: text + "x"),
    "the token left out after signing": without("x-amz-security-token"),
    "the signature": header("authorization", swapped),
    "the signature in capitals": header("authorization", lambda text: text[:-64] + text[-64:].upper()),
    "the signature cut": header("authorization", lambda text: text[:-1]),
    "the region": header("authorization", lambda text: text.replace("us-east-1", "eu-west-1")),
    "the service": header("authorization", lambda text: text.replace("/sagemaker/", "/s3/")),
    "the day": header("authorization", lambda text: text.replace(f"{KEY}/2", f"{KEY}/1")),
    "the names that are signed": header("authorization", lambda text: text.replace("=content-type;", "=")),
    "the date": header("x-amz-date", lambda text: swapped(text[:-1]) + "Z"),
    "the date to nonsense": header("x-amz-date", lambda text: text[:8] + "T999999Z"),
    "the date left out": without("x-amz-date"),
    "a signed header": header("content-type", lambda _: "application/json"),
    "a signed header left out": without("host"),
    "the hash of the body": header("x-amz-content-sha256", lambda _: "0" * 64),
    "the body": edited(lambda sent: (*sent[:3], sent[3] + b"1")),
    "the path": edited(lambda sent: (sent[0], sent[1].replace("/invocations", "x/invocations"), *sent[2:])),
    "the method": edited(lambda sent: ("PUT", *sent[1:])),
    "an unsigned header": header("x-other", lambda _: "1"),
}


def judged(sent: Sent, record: dict[str, Any]) -> tuple[bool, bool]:
    """Whether the quick check accepts a request, and whether MiniStack does."""
    from ministack.core import iam_evaluator
    from ministack.services import sts

    from localcloud.adapter import signatures

    method, path, headers, body = sent
    sts._sessions.clear()
    sts._sessions[KEY] = record
    signed = signatures.usual(headers)
    known = sts._sessions.get(signed.key) if signed else None
    quick = bool(signed and known and signatures.holds(signed, known, method, path, headers, body))
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    iam_evaluator.pin_signed_request(method, path, {}, raw)
    iam_evaluator.pin_signed_body(body)
    key = iam_evaluator._signed_request.get()
    found = iam_evaluator.authenticate(key.access_key_id, "000000000000") if key else None
    return quick, isinstance(found, iam_evaluator.ResolvedCredential)


def main() -> None:
    """Judge everything and print the counts."""
    os.environ.update(AUTH="true", AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")
    cases = {name: (make, session()) for name, make in WAYS.items()}
    cases["the session has expired"] = request, session(Expiration=time.time() - 1)
    cases["the session has no secret"] = request, session(SecretAccessKey="")
    counts = {}
    for name, (make, record) in cases.items():
        found = [judged(make(), record) for _ in range(ROUNDS)]
        counts[name] = [sum(quick for quick, _ in found), sum(whole for _, whole in found)]
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
