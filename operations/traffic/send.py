"""Sends requests to an endpoint at a rate, several at a time, and counts what becomes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import OperationError
from operations.served import ServedWorkload
from operations.traffic.pace import Pace
from operations.traffic.samples import Request
from operations.traffic.stopping import Stop

T = TypeVar("T")

_AT_ONCE = 8
"""Requests that wait for their answers at the same time."""
_UNDER_WAY = 64
"""Requests that are sent or about to be; whoever is slower than the rate falls behind instead of filling memory."""
_HOPELESS = 20
"""Refusals in a row of rows that nobody has broken, before any answer, after which to give up."""


@dataclass
class Tally:
    """What has happened: ``sent`` is the sum of ``answered`` and ``refused``, in requests."""

    planned: int = 0
    sent: int = 0
    answered: int = 0
    refused: int = 0
    rows: int = 0
    broken_rows: int = 0
    refused_whole: int = 0
    """Refused requests of which no row was broken."""
    last_refusal: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for a machine."""
        return asdict(self)

    def add(self, request: Request, refusal: str | None) -> None:
        """Count a request that has come back."""
        self.sent += 1
        self.rows += request.rows
        self.broken_rows += request.broken
        if refusal is None:
            self.answered += 1
            return
        self.refused += 1
        self.last_refusal = refusal
        if not request.broken:
            self.refused_whole += 1
            if self.refused_whole >= _HOPELESS and not self.answered:
                raise OperationError(
                    f"The model has refused all {self.sent} requests, broken or not, so traffic has stopped. It says: "
                    f"{refusal}"
                )


class Sender:
    """Sends to one endpoint, in threads of its own; close it with ``with``."""

    def __init__(self, served: ServedWorkload, tally: Tally) -> None:
        """Count what becomes of the requests in ``tally``."""
        self._served = served
        self.tally = tally
        self._runtime = served.target.client("sagemaker-runtime")
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="traffic")
        self._waiting: dict[Future[str | None], Request] = {}

    def __enter__(self) -> Sender:
        """Nothing is open yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Let what was put come back; after an error only what is under way."""
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            self.drain()
        for future, request in self._waiting.items():  # after an error: what else has come back is counted
            if not future.cancelled() and not future.exception():
                with suppress(OperationError):
                    self.tally.add(request, future.result())

    def put(self, request: Request) -> None:
        """Send a request as soon as a thread is free. Raises OperationError when the endpoint cannot be asked."""
        self._waiting[self._pool.submit(self._ask, request)] = request
        if len(self._waiting) >= _UNDER_WAY:
            self._collect(wait(self._waiting, return_when=FIRST_COMPLETED).done)

    def drain(self) -> None:
        """Wait for all answers. Raises OperationError as ``put`` does."""
        self._collect(wait(self._waiting).done)

    def _collect(self, done: Iterable[Future[str | None]]) -> None:
        for future in done:
            request = self._waiting.pop(future)
            if not future.cancelled():
                self.tally.add(request, future.result())

    def _ask(self, request: Request) -> str | None:
        """Return the model's words when it refuses the request."""
        served = self._served
        optional = {"InferenceId": request.inference_id} if request.inference_id else {}
        try:
            reply = self._runtime.invoke_endpoint(
                EndpointName=served.endpoint,
                ContentType=served.content_type,
                Accept=served.accept,
                Body=request.body,
                **optional,
            )
            reply["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") == "ModelError":
                return str(error.response.get("OriginalMessage") or error.response["Error"].get("Message", ""))
            raise OperationError(f"Endpoint {served.endpoint} cannot be asked (any more): {error}") from error
        except BotoCoreError as error:
            raise OperationError(f"Endpoint {served.endpoint} cannot be reached: {error}") from error
        return None


def strokes(
    requests: Iterable[T], rate: float, pace: Pace, seconds: float, stop: Stop
) -> Iterator[tuple[float, list[T]]]:
    """Yield requests at their times: the moment that has come, and what is due until the end of the pace's stroke.

    Ends after ``seconds``. Whoever cannot keep the rate in real time has sent less by then; where the clock is moved,
    and may have jumped, everything is sent.
    """
    begin = pace.now()
    numbered = enumerate(requests)
    total = round(rate * seconds)
    done = 0
    while done < total and not stop:
        due = done / rate
        upto = min(total, max(done + 1, int((due + pace.stroke) * rate)))
        pace.reach(begin + due)
        now = pace.now()
        if stop or (not pace.whole and now > begin + seconds):
            return
        yield now, [request for _, request in islice(numbered, upto - done)]
        done = upto
    if not stop:
        pace.reach(begin + seconds)
