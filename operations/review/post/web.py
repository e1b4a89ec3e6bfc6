"""JSON over HTTPS, patient with a busy server."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.errors import OperationError

_TRIES = 4
_LONGEST_PAUSE = 60.0
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="next"')


class _Here(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would go along, wherever it leads."""

    def redirect_request(self, *_: object) -> None:
        """Take the redirect as the refusal that it then is."""


_OPENER = urllib.request.build_opener(_Here)


@dataclass(frozen=True)
class Server:
    """An API: where it is, what each request carries, and how to wait (in seconds)."""

    root: str
    headers: Mapping[str, str] = field(repr=False)
    pause: Callable[[float], None] = time.sleep

    def ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """Return the reply's document.

        A server that is busy (429, 502, 503, 504, or GitHub's 403 with a time to wait) is asked up to four times, as
        late as it says. Raises OperationError for any other refusal, with what the server says.
        """
        return self._asked(method, f"{self.root}{path}", document)[0]

    def each(self, path: str) -> Iterator[Any]:
        """Yield the items of a list, of all its pages (RFC 8288: the header Link names the next one).

        Raises OperationError when a page's next one is on another server: the token is not for that.
        """
        url = f"{self.root}{path}"
        while url:
            items, link = self._asked("GET", url, None)
            yield from items
            following = _NEXT.search(link)
            url = following[1] if following else ""
            if url and not url.startswith(f"{self.root}/"):
                raise OperationError(f"The next page of {path} is elsewhere: {url}")

    def _asked(self, method: str, url: str, document: Mapping[str, Any] | None) -> tuple[Any, str]:
        body = None if document is None else json.dumps(document).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json", **self.headers}
        for attempt in range(1, _TRIES + 1):
            request = urllib.request.Request(url, body, headers, method=method)
            try:
                with _OPENER.open(request, timeout=30) as reply:
                    return json.load(reply), reply.headers.get("Link", "")
            except urllib.error.HTTPError as error:
                if attempt == _TRIES or not _busy(error):
                    said = error.read(2000).decode(errors="replace")
                    raise OperationError(f"{method} {url}: {error.code} {error.reason}. {said}") from None
                self.pause(_wait(error, attempt))
            except urllib.error.URLError as error:
                if attempt == _TRIES:
                    raise OperationError(f"{method} {url}: {error.reason}") from None
                self.pause(2.0**attempt)
        raise AssertionError("the last try returns or raises")


def _busy(error: urllib.error.HTTPError) -> bool:
    return error.code in (429, 502, 503, 504) or (error.code == 403 and "Retry-After" in error.headers)


def _wait(error: urllib.error.HTTPError, attempt: int) -> float:
    """Return the seconds that the server wants, or twice as many each time."""
    said = error.headers.get("Retry-After", "")
    return min(float(said), _LONGEST_PAUSE) if said.isdigit() else 2.0**attempt
