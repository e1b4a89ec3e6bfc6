"""The HTTP side of a model server: /ping, /execution-parameters, /invocations.

Contract: developer guide, your-algorithms-inference-code. One thread per connection, HTTP/1.1 keep-alive, each
reply in one packet.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

#: largest body, as AWS's containers: 6 MB
MAX_BODY = int(os.environ.get("MAX_CONTENT_LENGTH") or 6 * 1024 * 1024)
_MOST_DISCARDED = 128 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """An invocation."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """All that were sent."""


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further ones."""


Invoke = Callable[[Request], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    invoke: ClassVar[Invoke]

    def do_GET(self) -> None:
        if self.path == "/ping":
            self._send(Reply(200))
        elif self.path == "/execution-parameters":
            parameters = {
                "MaxConcurrentTransforms": os.cpu_count() or 1,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": MAX_BODY // (1024 * 1024),
            }
            self._send(Reply(200, json.dumps(parameters).encode(), "application/json"))
        else:
            self._send(Reply(404))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            self._discard(length)
            self._send(Reply(413, b"Request Entity Too Large"))
            return
        body = self.rfile.read(length)
        if self.path != "/invocations":
            self._send(Reply(404))
            return
        try:
            headers = self.headers
            kind, accept = headers.get("Content-Type", ""), headers.get("Accept", "")
            reply = type(self).invoke(Request(body, kind, accept, dict(headers)))
        except Exception as error:  # whatever a model does, the caller gets an answer and the log the reason
            traceback.print_exc()
            reply = Reply(500, str(error).encode())
        self._send(reply)

    def _discard(self, length: int) -> None:
        """Read what is not wanted: a client that is still sending would not see the answer."""
        left = min(length, _MOST_DISCARDED)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 16))):
            left -= len(chunk)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.status != 204:
            self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Only what is not a health check, and no body."""
        if self.path != "/ping":
            super().log_request(code, size)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(invoke: Invoke) -> None:
    """Answer until SIGTERM. The model is loaded by now, so /ping is healthy from the first moment."""
    handler = type("Handler", (_Handler,), {"invoke": staticmethod(invoke)})
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    server = _Server(("127.0.0.1", port), handler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # requests under way are the caller's to drain
    sys.stdout.write(f"model server listening on port {port}\n")
    server.serve_forever(poll_interval=60)
